"""Sealed credentials: network and registration order, encrypted to a device's factory key for any carrier."""
