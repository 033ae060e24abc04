"""Who sold, in which box, what has come, and where a device stood before; imports of files."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_people_and_groups"),
        ("custody", "0005_ledger_key"),
        ("fleet", "0013_changing_hands"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("actor", models.CharField(max_length=200)),
                ("at_us", models.BigIntegerField()),
                ("stored", models.PositiveIntegerField()),
                ("unchanged", models.PositiveIntegerField()),
                ("failed", models.PositiveIntegerField()),
                ("failures", models.TextField(blank=True)),
            ],
            options={
                "db_table": "import_run",
            },
        ),
        migrations.CreateModel(
            name="PastSaleLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("box", models.CharField(blank=True, max_length=40)),
                ("received_us", models.BigIntegerField(blank=True, null=True)),
                ("ended_us", models.BigIntegerField()),
                ("outcome", models.CharField(max_length=10)),
            ],
            options={
                "db_table": "past_sale_line",
            },
        ),
        migrations.AddField(
            model_name="sale",
            name="seller",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sales",
                to="accounts.organisation",
            ),
        ),
        migrations.AddField(
            model_name="saleline",
            name="box",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="saleline",
            name="received_us",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="sale",
            name="order",
            field=models.CharField(max_length=80),
        ),
        migrations.AddConstraint(
            model_name="sale",
            constraint=models.UniqueConstraint(fields=("seller", "order"), name="one_sale_an_order"),
        ),
        migrations.AddConstraint(
            model_name="sale",
            constraint=models.UniqueConstraint(
                condition=models.Q(("seller", None)), fields=("order",), name="one_sale_an_order_of_the_maker"
            ),
        ),
        migrations.AddField(
            model_name="importrun",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="imports",
                to="accounts.organisation",
            ),
        ),
        migrations.AddField(
            model_name="pastsaleline",
            name="device",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="past_sale_lines", to="fleet.device"
            ),
        ),
        migrations.AddField(
            model_name="pastsaleline",
            name="sale",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="past_lines", to="custody.sale"
            ),
        ),
        migrations.AddIndex(
            model_name="importrun",
            index=models.Index(fields=["organisation", "id"], name="import_by_organisation"),
        ),
    ]
