"""Custody ledger, evidence, claim policy, disputes, transfer, release: who may have which device, and why."""
