"""The command ``doorstep provision``: its options. What they ask for stands in ``ways``."""

from typing import Any, Final

import click
from click.core import ParameterSource

__all__ = ["provision"]

AT_ONCE: Final = 20
SEEN_BY_OTHERS: Final = (
    "--token can be read by everybody on this computer while the command runs; "
    "use --token-file, DOORSTEP_TOKEN, or let the command ask."
)


@click.command()
@click.option("--label", "label_text", help="The label's QR text, or a file that holds it.")
@click.option("--code", help="Instead of --label: the set-up code printed on it.")
@click.option("--pin", help="Instead of --label: the PIN of eight digits printed on it.")
@click.option("--labels", help="Many devices: a CSV file as the factory's labels.csv.")
@click.option(
    "--serial",
    multiple=True,
    help="With --labels: this device, however its serial is typed. May be given again.",
)
@click.option("--all", "all_devices", is_flag=True, help="With --labels: every device in the file.")
@click.option(
    "--url",
    multiple=True,
    help="Where the device is: http://ADDRESS, a serial line as /dev/ttyUSB0, ble, or for an Easy Connect "
    "label tcp://HOST; with --labels SERIAL=ADDRESS, once for each. Without it, by Bluetooth where the label "
    "says so, else at http://192.168.4.1.",
)
@click.option(
    "--maker-ca",
    metavar="FILE",
    help="The maker's factory CA (PEM): devices whose label has no fingerprint are spoken to by HTTPS alone, "
    "and known by its certificates.",
)
@click.option("--ble", "by_bluetooth", is_flag=True, help="Look for devices without an address by Bluetooth.")
@click.option(
    "--touch",
    is_flag=True,
    help="No label: one device, touched just now, named by --serial or by the pattern it shows. Needs "
    "--portal-url and an API key.",
)
@click.option("--find", "only_find", is_flag=True, help="Only show what waits for its set-up nearby.")
@click.option(
    "--at-once", type=click.IntRange(1, 200), default=AT_ONCE, show_default=True, help="Devices at a time."
)
@click.option(
    "--resume", help="With --labels: the file that keeps who is done. Default: the labels' name and .done."
)
@click.option("--ssid", help="The network to join; without it a device lists what it hears.")
@click.option("--passphrase-file", help="A file that holds its password.")
@click.option("--passphrase-prompt", is_flag=True, help="Ask for its password.")
@click.option("--open", "is_open", is_flag=True, help="The network has no password.")
@click.option("--static", metavar="ADDRESS/PREFIX", help="A fixed address for the device, as 192.0.2.7/24.")
@click.option("--gateway", metavar="ADDRESS", help="With --static: the network's router.")
@click.option("--dns", multiple=True, metavar="ADDRESS", help="With --static: a name server; up to three.")
@click.option(
    "--eap", type=click.Choice(["peap", "ttls", "tls"]), help="The network is an enterprise one (802.1X)."
)
@click.option("--identity", help="With --eap: the device's name there.")
@click.option(
    "--eap-password-file", help="With --eap: a file that holds the identity's password; else asked."
)
@click.option("--ca-file", help="With --eap: the certificate of the network's authority, PEM or DER.")
@click.option("--eap-server-name", default="", help="With --eap: the name in the network's own certificate.")
@click.option("--client-certificate", help="With --eap tls: the device's certificate, PEM or DER.")
@click.option("--client-key", help="With --eap tls: its key, PEM or DER (PKCS #8).")
@click.option("--token-file", help="A file that holds the registration token from the portal.")
@click.option(
    "--token",
    envvar="DOORSTEP_TOKEN",
    help="The same as DOORSTEP_TOKEN; on the command line others can read it.",
)
@click.option("--server", help="The server that the device registers at.")
@click.option("--alias", default="", help="Your name for the device.")
@click.option("--portal-url", help="Where each device gets its token, and where to see that it has arrived.")
@click.option("--api-key", envvar="DOORSTEP_API_KEY", help="Key for --portal-url (or DOORSTEP_API_KEY).")
@click.option(
    "--allow-old-security",
    is_flag=True,
    help="Set up a device that speaks security 1 or the first version of security 2; the risk is told.",
)
@click.option("--plain", is_flag=True, help="One line for each event and no bars, as for a screen reader.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an event, and no questions.")
@click.pass_context
def provision(context: click.Context, /, **options: Any) -> None:
    """Set up devices, one or many at once: onto your Wi-Fi, and into your account."""
    for name in ("token", "api_key"):
        options[f"{name}_typed"] = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    if options["token_typed"] and not options["only_find"]:
        click.secho(f"Warning: {SEEN_BY_OTHERS}", fg="yellow", err=True)
    # Only a run needs what runs it; the help and a mistyped option come at once.
    from doorstep.cli.provision.ways import go  # noqa: PLC0415

    go(options)
