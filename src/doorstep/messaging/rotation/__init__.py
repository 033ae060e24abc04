"""A device's sealed root is replaced: messages, keys and both ends (docs/spec/rotation.md)."""
