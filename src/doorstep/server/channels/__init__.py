"""What goes between platform and device beside readings: commands, settings, reported state, events."""
