import django.db.models.deletion
from django.db import migrations, models

import doorstep.server.fleet.models


class Migration(migrations.Migration):
    dependencies = [("fleet", "0001_initial")]

    operations = [
        migrations.RemoveField(model_name="product", name="onboarding_method"),
        migrations.AddField(
            model_name="batch",
            name="onboarding_methods",
            field=models.JSONField(default=doorstep.server.fleet.models.default_methods),
        ),
        migrations.AddField(
            model_name="product",
            name="onboarding_methods",
            field=models.JSONField(default=doorstep.server.fleet.models.default_methods),
        ),
        migrations.CreateModel(
            name="OnboardingChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("method", models.CharField(max_length=40)),
                ("enabled", models.BooleanField()),
                ("risk", models.TextField(blank=True)),
                ("actor", models.CharField(max_length=254)),
                ("at_us", models.BigIntegerField()),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="onboarding_changes",
                        to="fleet.product",
                    ),
                ),
            ],
            options={"db_table": "onboarding_change"},
        ),
    ]
