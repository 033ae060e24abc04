"""Doorstep: a device's identity, ownership and credentials, from the factory line to its owner's doorstep."""

__all__ = ["__version__"]

__version__ = "0.1.0"
