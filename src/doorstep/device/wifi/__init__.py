"""The board's Wi-Fi: the port, and the systems behind it."""
