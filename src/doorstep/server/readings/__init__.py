"""What devices sent: stored messages and dead letters."""
