"""Shell: makes batches of devices on all cores and writes what goes into them and onto them."""
