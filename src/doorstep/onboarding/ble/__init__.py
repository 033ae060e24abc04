"""Onboarding over Bluetooth Low Energy: the GATT layout, the advertisement, the pairing policy."""
