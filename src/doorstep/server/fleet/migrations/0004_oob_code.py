from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0003_setup_release"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="oob_code",
            field=models.BinaryField(null=True),
        ),
    ]
