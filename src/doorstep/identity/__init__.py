"""What a device is: ids, credentials, certificates, label codes, signed statements, assurance."""
