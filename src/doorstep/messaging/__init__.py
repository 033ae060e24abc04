"""Sealed envelopes, key epochs, replay window."""
