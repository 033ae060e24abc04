"""The Django project and the device API: accounts, fleet, ownership, readings, audit, api, portal."""
