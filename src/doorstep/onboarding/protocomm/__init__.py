"""Espressif's unified provisioning, both roles: sessions of security 0, 1 and 2 and what they carry."""
