"""``python -m doorstep`` is the ``doorstep`` command."""

from doorstep.cli.main import main

if __name__ == "__main__":
    main()
