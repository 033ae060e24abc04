"""The `doorstep` command: composition root. Each subcommand imports its shell lazily."""
