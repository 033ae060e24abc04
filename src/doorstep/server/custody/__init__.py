"""Sales, claims, disputes and the custody ledger."""
