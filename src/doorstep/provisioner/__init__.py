"""The configurator's shells: links to a device over each transport, and the onboarding over them."""
