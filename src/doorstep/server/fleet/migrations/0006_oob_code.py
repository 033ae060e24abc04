from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0005_legacy_boards"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="oob_code",
            field=models.BinaryField(null=True),
        ),
    ]
