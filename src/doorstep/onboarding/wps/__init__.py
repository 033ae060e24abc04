"""Wi-Fi Protected Setup (WPS): the PIN, what the radio says, and the two minutes of the button."""
