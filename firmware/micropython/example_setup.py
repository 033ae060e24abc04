"""A board's whole first day: set-up page, registration, readings.

``micropython example_setup.py DEVICE_ID STATE_FILE [ADDRESS PORT]``. On a board give `join` and `networks`
that use ``network.WLAN``, as README.md shows; this one has its network already, and only says that it joins.
Each part is loaded when its hour comes, and dropped: a heap of 64 kB does not compile them side by side.
"""

import gc
import socket
import sys
import time

_PAUSES_S = (1, 2, 4, 8, 16, 32, 64)  # a claim that is held may take days: then ask at every boot


def join(name, password):
    """Join the network; return "" or why not."""
    print("joined", name.decode(), len(password))
    return ""


def networks():
    """Return the names of the networks in reach."""
    return [b"home", b"caf\xc3\xa9 <guests>"]


def set_up(address, port):
    """Show the page, and return the registration order that came with it."""
    from doorstep_setup import Setup, serve  # noqa: PLC0415 - see above

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(socket.getaddrinfo(address, port)[0][-1])
    listener.listen(2)
    print("page", port)
    here = f"{address}:{port}" if port != 80 else address
    order = serve(Setup(here, networks), listener, join)
    listener.close()
    return order


def drop(module):
    """Make room."""
    del sys.modules[module]
    gc.collect()


def place_of(server):
    """Return host and port of ``http://host:port``."""
    host, _, port = server[len("http://") :].partition("/")[0].partition(":")
    return host, int(port or 80)


def become_owned(device_id, state, token, server):
    """Ask until the platform has decided, and return what it said."""
    from doorstep_down import Refused  # noqa: PLC0415 - see above
    from doorstep_register import register  # noqa: PLC0415
    from doorstep_sealed import Device  # noqa: PLC0415

    device = Device(device_id, state.load, state.store)
    answer = {"status": "unheard", "reason": ""}
    for pause in _PAUSES_S:
        try:
            answer = register(device, state, place_of(server), device_id, token)
        except (OSError, Refused) as error:
            print("asking again:", error)
        if answer["status"] not in ("held", "unheard"):
            break
        time.sleep(pause)
    print(answer["status"], answer["reason"])
    return answer


def main(device_id, path, address="192.168.4.1", port=80):
    """Become the customer's device, then send three readings."""
    token, server = set_up(address, port)
    drop("doorstep_setup")
    from doorstep_device import FileState, Link  # noqa: PLC0415 - see above

    state = FileState(path)
    answer = become_owned(device_id, state, token, server)
    drop("doorstep_register")
    if answer["status"] == "bound":
        link = Link(device_id, answer["mqtt"]["host"], answer["mqtt"]["port"], state)
        for number in range(3):
            link.publish("data", b'{"temperature":%d.5}' % (20 + number))
        link.close()
        print("sent 3")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *([sys.argv[3], int(sys.argv[4])] if len(sys.argv) > 4 else []))
