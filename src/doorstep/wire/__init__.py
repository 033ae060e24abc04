"""Bytes to values and back: canonical CBOR subset, protobuf of local provisioning, SenML, framing, caps. No keys, no state."""
