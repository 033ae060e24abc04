"""Two envelopes of boards in the field, AES-CBC with HMAC-SHA1 (docs/spec/legacy.md). Insecure: see there."""
