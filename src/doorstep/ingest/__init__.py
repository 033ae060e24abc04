"""Durable stream, open, check, store: sealed messages become readings. Knows no Django."""
