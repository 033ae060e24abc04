"""The only door to the `cryptography` library."""
