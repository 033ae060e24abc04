"""People and organisations: who may log in, for whom they act, and with which role."""
