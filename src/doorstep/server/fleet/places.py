"""The table of sites: where a customer says that devices stand."""

from typing import ClassVar

from django.db import models

__all__ = ["Site"]


class Site(models.Model):
    """A place by the name that its people use. It counts for a device only while both have the same owner."""

    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.CASCADE, related_name="sites")
    name = models.CharField(max_length=80)
    address = models.CharField(max_length=200, blank=True)
    """For people who go there; nothing reads it."""
    latitude = models.FloatField(null=True, blank=True)
    """Degrees north; with the longitude it gets the site onto the map."""
    longitude = models.FloatField(null=True, blank=True)

    class Meta:
        app_label = "fleet"
        db_table = "site"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "name"], name="one_site_a_name")
        ]

    def __str__(self) -> str:
        return self.name
