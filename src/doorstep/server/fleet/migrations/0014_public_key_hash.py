import hashlib
from typing import Any

from django.db import migrations, models

_AT_ONCE = 2000


def fill(apps: Any, _schema_editor: Any) -> None:
    """Hash the keys of the devices that were made before."""
    devices, after = apps.get_model("fleet", "Device").objects, 0
    while rows := list(devices.filter(pk__gt=after).order_by("pk").only("pk", "public_key")[:_AT_ONCE]):
        after = rows[-1].pk
        with_key = [row for row in rows if row.public_key]
        for row in with_key:
            row.public_key_hash = hashlib.sha256(bytes(row.public_key)).hexdigest()
        devices.bulk_update(with_key, ["public_key_hash"], batch_size=200)


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0013_changing_hands"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="public_key_hash",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
