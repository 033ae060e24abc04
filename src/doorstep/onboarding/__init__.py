"""Device and configurator, from no network to the customer's network: sans-I/O sessions for both roles."""
