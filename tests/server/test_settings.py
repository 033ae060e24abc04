"""Django gets from our settings what every other role gets."""

import json
import subprocess
import sys

import pytest

from tests.server.roles import environment

SHOW = (
    "import os, json; os.environ['DJANGO_SETTINGS_MODULE'] = 'doorstep.server.settings';"
    " from django.conf import settings; print(json.dumps(settings.DATABASES['default']))"
)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (
            "postgresql://us%40er:p%2Fw@db.example.org:5433/door?sslmode=verify-full&sslrootcert=/ca.pem",
            {"NAME": "door", "USER": "us@er", "PASSWORD": "p/w", "HOST": "db.example.org", "PORT": "5433"},
        ),
        ("postgres:///door?host=/run/sock", {"NAME": "door", "USER": "", "HOST": "/run/sock", "PORT": ""}),
    ],
)
def test_django_reads_the_database_url_as_libpq_does(url: str, found: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        env=environment(DOORSTEP_DATABASE_URL=url),
        capture_output=True,
        text=True,
        check=True,
    )
    database = json.loads(done.stdout)
    assert database.items() >= found.items()
    assert database["OPTIONS"].get("sslmode", "") == ("verify-full" if "sslmode" in url else "")
    assert database["OPTIONS"]["pool"]
