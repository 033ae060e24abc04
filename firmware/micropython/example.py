"""Sends readings and prints commands: ``micropython example.py DEVICE_ID HOST PORT STATE_FILE [COUNT]``.

On a board, call `main` from ``main.py`` with what the factory put there, once Wi-Fi is up.
"""

import sys

from doorstep_device import FileState, Link


def measure(number):
    """Return one reading as a plain object (docs/spec/readings.md)."""
    return b'{"temperature":%d.5,"boot_message":%d}' % (20 + number % 5, number)


def main(device_id, host, port, path, count):
    """Send `count` readings, then wait five seconds for commands."""
    link = Link(device_id, host, port, FileState(path), on_command=print)
    for number in range(count):
        link.publish("data", measure(number))
    print("sent", count)
    link.wait(5)
    link.close()


if __name__ == "__main__":
    main(
        sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]) if len(sys.argv) > 5 else 3
    )
