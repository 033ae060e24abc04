"""The embedded broker: its processes, configuration, the authorizer, kick and purge."""
