"""The way down: queued commands, sealed for the device's present epoch, sent when it shows itself."""
