"""Wi-Fi Easy Connect (DPP): the label, the exchange of configurator and enrollee, and what it carries."""
