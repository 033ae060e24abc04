from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0014_public_key_hash"),
    ]

    operations = [
        migrations.AlterField(
            model_name="device",
            name="hardware_id",
            field=models.CharField(blank=True, max_length=18, null=True, unique=True),
        ),
    ]
