"""REST ``/api/v1``."""
