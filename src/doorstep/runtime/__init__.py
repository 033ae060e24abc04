"""What every server-side shell stands on: settings, state folder, database, secrets at rest."""
