"""Webhooks out, by the Standard Webhooks specification: what happened, told to other programs."""
