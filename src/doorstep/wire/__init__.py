"""Bytes to values and back: CBOR, protobuf of local provisioning, SenML, framing, caps. No keys, no state."""
