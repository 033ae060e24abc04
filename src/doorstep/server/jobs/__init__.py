"""Background jobs: mail and expiry, on the database."""
