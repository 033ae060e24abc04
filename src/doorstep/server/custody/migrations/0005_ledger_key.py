"""Organisations sign what they do in the ledger."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("custody", "0004_changing_hands"),
    ]

    operations = [
        migrations.CreateModel(
            name="LedgerKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_key", models.BinaryField(max_length=32)),
                ("secret", models.BinaryField()),
                ("created_us", models.BigIntegerField()),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ledger_keys",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "db_table": "ledger_key",
            },
        ),
    ]
