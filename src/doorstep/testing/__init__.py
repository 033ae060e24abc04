"""Shipped test kit: in-memory link, fake clock, simulated device, contract suites."""
