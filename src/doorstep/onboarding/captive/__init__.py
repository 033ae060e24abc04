"""The board's own page: what a phone's browser gets on the board's access point, without I/O."""
