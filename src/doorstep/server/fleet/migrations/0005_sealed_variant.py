from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0004_key_rotation"),
    ]

    operations = [
        migrations.AddField(
            model_name="product",
            name="sealed_variant",
            field=models.CharField(db_default="ratchet-8", default="ratchet-8", max_length=12),
        ),
        migrations.AddField(
            model_name="sealedstate",
            name="variant",
            field=models.CharField(db_default="ratchet-8", default="ratchet-8", max_length=12),
        ),
    ]
