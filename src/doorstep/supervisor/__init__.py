"""Keeps the roles of one state folder running as one process tree. Knows command lines only."""
