"""The audit trail as a part of the server."""

from importlib import import_module

from django.apps import AppConfig

__all__ = ["AuditConfig"]


class AuditConfig(AppConfig):
    """Listens to what people do with their accounts."""

    name = "doorstep.server.audit"

    def ready(self) -> None:
        """See AppConfig; the listeners need every table."""
        import_module("doorstep.server.audit.accounts")
