"""Writes the vectors: ``python vectors/generate.py [FOLDER]``, by default beside this file.

README.md describes their form. Nothing here is random: the same code writes the same bytes.
"""

import json
import sys
from pathlib import Path

import attestation_cases
import channels_cases
import onboarding_cases
import readings_cases
import registration_cases
import sealed_cases
import sealed_credentials_cases
import statement_cases
import variant_cases

FILES = {
    "attestation.json": attestation_cases.document,
    "channels.json": channels_cases.document,
    "onboarding.json": onboarding_cases.document,
    "readings.json": readings_cases.document,
    "registration.json": registration_cases.document,
    "sealed.json": sealed_cases.document,
    "sealed-credentials.json": sealed_credentials_cases.document,
    "sealed-variants.json": variant_cases.document,
    "statement.json": statement_cases.document,
}


def main() -> None:
    """Write every file of vectors."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, document in FILES.items():
        (folder / name).write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")
        print(f"wrote {folder / name}")


if __name__ == "__main__":
    main()
