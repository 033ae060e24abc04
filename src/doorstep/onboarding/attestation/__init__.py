"""Attestation: a device proves to the platform, through the phone, which device takes part in a set-up."""
