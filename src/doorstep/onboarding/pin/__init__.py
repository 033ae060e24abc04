"""A PIN of eight digits as the code of security 2: proven by a PAKE, never sent, slow to guess."""
