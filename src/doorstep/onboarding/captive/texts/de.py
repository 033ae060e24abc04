"""The board's page in German."""

from typing import Final

from doorstep.onboarding.captive.texts.wording import Texts
from doorstep.onboarding.steps import Step

__all__ = ["GERMAN"]

GERMAN: Final = Texts(
    code="de",
    name="Deutsch",
    language="Sprache",
    set_up="{name} einrichten",
    choose_title="WLAN wählen",
    choose_lead="Das Gerät verbindet sich mit diesem Netz.",
    networks="Netze, die das Gerät hört",
    none_heard="Das Gerät hört kein Netz mit Namen. Stellen Sie es näher an den Router, oder tippen Sie den "
    "Namen ein.",
    searching="Das Gerät sucht Netze. Diese Seite lädt von selbst neu.",
    search_again="Neu suchen",
    signal="Signal",
    strong="stark",
    medium="mittel",
    weak="schwach",
    secured="mit Passwort",
    is_open="ohne Passwort",
    company="Firmenanmeldung, auf dieser Seite nicht möglich",
    other="Ein anderes Netz",
    other_name="Name des Netzes",
    other_hint="Für ein verstecktes Netz oder eines, das nicht in der Liste steht. Groß- und Kleinschreibung "
    "zählt.",
    proceed="Weiter",
    password_title="Passwort von {ssid}",
    password="WLAN-Passwort",
    password_hint="8 bis 63 Zeichen; Groß- und Kleinschreibung zählt. Leer lassen, wenn das Netz keines hat.",
    open_hint="Dieses Netz hat kein Passwort. Lassen Sie das Feld leer.",
    show="Passwort zeigen",
    hide="Passwort verbergen",
    code_label="Einrichtungscode des Geräts",
    code_hint="Er steht auf dem Etikett des Geräts.",
    owner="Anmeldung",
    owner_lead="Mit einem Token aus dem Portal meldet sich das Gerät bei Ihrem Konto an.",
    token="Anmelde-Token",
    token_ready="Ein Anmelde-Token liegt bereit. Das Gerät meldet sich bei Ihrem Konto an.",
    server="Adresse des Servers",
    connect="Gerät verbinden",
    change_network="Anderes Netz wählen",
    status_title="So weit ist das Gerät",
    what_now="Was Sie tun können:",
    refreshes="Diese Seite lädt alle {seconds} Sekunden neu.",
    pause="Nicht mehr neu laden",
    check_now="Jetzt nachsehen",
    may_vanish="Wenn diese Seite nicht mehr antwortet, hat sich das Gerät vermutlich mit {ssid} verbunden und "
    "sein eigenes WLAN geschlossen. Wechseln Sie in Ihr eigenes WLAN und sehen Sie im Portal nach.",
    back_home="Sie können jetzt in Ihr eigenes WLAN wechseln.",
    retry="Noch einmal versuchen",
    send_token="Token senden",
    error_title="Bitte prüfen",
    error="Bitte prüfen: {sentence}",
    no_choice="Wählen Sie ein Netz, oder tippen Sie seinen Namen ein.",
    bad_name="Der Name eines Netzes hat 1 bis 32 Bytes.",
    bad_password="Ein WLAN-Passwort hat 8 bis 63 Bytes oder 64 hexadezimale Ziffern, oder es ist leer.",
    bad_token="Das Token oder die Adresse des Servers ist nicht vollständig. Kopieren Sie beides ganz aus dem "
    "Portal.",
    wrong_code="Der Code gehört nicht zu diesem Gerät. Prüfen Sie, ob es das Etikett dieses Geräts ist.",
    wait="Es wurden zu viele falsche Codes versucht. Warten Sie {seconds} Sekunden, dann versuchen Sie es "
    "noch einmal.",
    busy_title="Jemand anderes richtet dieses Gerät gerade ein",
    busy_text="Das geht nur einer Person auf einmal. Wenn Sie das auf einem anderen Telefon selbst waren, "
    "warten Sie drei Minuten, oder schalten Sie das Gerät aus und wieder ein.",
    locked_title="Dieses Gerät gehört schon jemandem",
    locked_text="Wem es gehört, öffnet im Portal die Seite des Geräts und wählt „Einrichten wieder erlauben“. Halten "
    "Sie dann die Taste des Geräts zehn Sekunden lang, und richten Sie es ein.",
    waits_for_hand="Dieses Gerät wartet auf eine Hand. Halten Sie seine Taste zehn Sekunden lang, und richten Sie es ein.",
    stale="Dieses Formular war zu alt. Das Gerät hat nichts davon bekommen; bitte füllen Sie es noch einmal aus.",
    not_found="Diese Seite gibt es auf dem Gerät nicht.",
    unsafe="Dieses WLAN ist nicht verschlüsselt. Wer in der Nähe ist, kann mitlesen, was Sie auf dieser Seite "
    "eintippen. Der Hersteller des Geräts lässt das zu.",
    script_title="Mit dem Code einrichten",
    script_lead="Der Code wird nie gesendet: Diese Seite beweist dem Gerät, dass Sie ihn kennen.",
    script_why="Dieses WLAN ist nicht verschlüsselt; darum braucht diese Seite JavaScript, um Ihr Passwort zu "
    "schützen, und JavaScript ist hier aus oder gesperrt.",
    script_ways=(
        "Schalten Sie JavaScript ein, oder öffnen Sie {address} im Browser Ihres Telefons.",
        "Oder nehmen Sie die App oder den Befehl doorstep provision mit dem Code auf dem Etikett.",
        "Oder fragen Sie, wenn das Etikett einen WLAN-Schlüssel zeigt, den Hersteller nach der Ausführung mit "
        "geschütztem WLAN.",
    ),
    script_twin="Wer ein WLAN mit demselben Namen öffnet, kann eine falsche Seite zeigen, die nach dem Code "
    "fragt. App und Befehl lassen sich so nicht täuschen.",
    script_code="Einrichtungscode oder PIN",
    script_checking="Der Code wird geprüft. Das kann einige Sekunden dauern.",
    script_secured="Die Verbindung ist gesichert. Das Gerät sucht Netze.",
    script_lost="Das Gerät antwortet nicht. Bleiben Sie in der Nähe, und prüfen Sie, ob dieses Telefon im WLAN des Geräts ist.",
    script_refused="Das Gerät hat das abgelehnt. Laden Sie diese Seite neu.",
    script_downgrade="Machen Sie nicht weiter: Was hier antwortet, ist nicht so sicher, wie es das Etikett des Geräts verspricht.",
    bring_title="WLAN übergeben",
    bring_lead="Im Portal haben Sie Ihr WLAN für dieses Gerät verschlossen. Das Verschlossene kam mit dem "
    "Link hierher; oder fügen Sie es hier ein. Nur dieses Gerät kann es öffnen.",
    bring_scripts="Dafür braucht es JavaScript. Öffnen Sie sonst den Link mit einem anderen Browser, Telefon "
    "oder Computer.",
    bring_text="Verschlossener Text",
    bring="Übergeben",
    bring_bad="Dieser Text ist unvollständig oder wurde verändert. Kopieren Sie ihn noch einmal aus dem "
    "Portal.",
    bring_refused="Das Gerät hat ihn nicht angenommen: Er ist für ein anderes Gerät, oder niemand hat die "
    "Taste dieses Geräts gedrückt. Drücken Sie sie (oder schalten Sie das Gerät aus und ein), "
    "und übergeben Sie ihn noch einmal.",
    bring_stale="Das Gerät hat ihn nicht angenommen: Er ist abgelaufen oder wurde schon einmal übergeben. "
    "Verschließen Sie Ihr WLAN im Portal neu.",
    bring_denied="Das Gerät ist online, aber seine Anmeldung wurde abgelehnt. Verschließen Sie Ihr WLAN im Portal noch einmal und übergeben Sie es wieder.",
    steps={
        Step.FOUND: ("Das Gerät antwortet.", ""),
        Step.SECURED: ("Die Verbindung ist mit dem Code auf dem Etikett gesichert.", ""),
        Step.NETWORKS: ("Das Gerät hat die Netze aufgezählt, die es hört.", "Wählen Sie Ihres."),
        Step.DELIVERED: ("Das Gerät weiß, wem es gehören wird.", ""),
        Step.WAITING: ("Das Gerät wartet auf ein Netz.", "Wählen Sie eines."),
        Step.TRYING: ("Das Gerät verbindet sich mit dem Netz.", ""),
        Step.WRONG_PASSWORD: (
            "Das Netz hat das Passwort abgelehnt.",
            "Tippen Sie es noch einmal; Groß- und Kleinschreibung zählt.",
        ),
        Step.NO_SUCH_NETWORK: (
            "Das Gerät hört kein Netz dieses Namens.",
            "Prüfen Sie den Namen, stellen Sie das Gerät näher, und sehen Sie nach, ob 2,4 GHz eingeschaltet ist.",
        ),
        Step.NO_ADDRESS: (
            "Das Netz hat das Gerät aufgenommen, ihm aber keine Adresse gegeben.",
            "Starten Sie den Router neu, oder fragen Sie, wer ihn betreut, ob er voll ist oder Geräte nach "
            "Liste zulässt.",
        ),
        Step.NO_INTERNET: (
            "Das Gerät ist im Netz, aber das Netz erreicht das Internet nicht.",
            "Prüfen Sie den Internetanschluss des Routers; das Gerät versucht es von selbst wieder.",
        ),
        Step.NO_SERVER: (
            "Das Gerät ist online, erreicht aber seinen Server nicht.",
            "Warten Sie einige Minuten; das Gerät versucht es von selbst wieder. Wenn es so bleibt, fragen Sie "
            "den Hersteller.",
        ),
        Step.WRONG_CLOCK: (
            "Das Gerät ist online, aber seine Uhr geht zu falsch, um seinen Server zu prüfen.",
            "Lassen Sie es einige Minuten an; wenn es so bleibt, sperrt das Netz den Zeitdienst (NTP).",
        ),
        Step.RADIO_FAILED: (
            "Das WLAN des Geräts hat nicht geantwortet.",
            "Schalten Sie das Gerät aus und wieder ein, und versuchen Sie es noch einmal; wenn es so bleibt, "
            "fragen Sie den Hersteller.",
        ),
        Step.CHECKING: (
            "Das Gerät schweigt; vielleicht ist es schon online. Die Plattform wird gefragt.",
            "Warten Sie, oder sehen Sie im Portal nach.",
        ),
        Step.CONNECTED: ("Das Gerät ist im Netz.", ""),
        Step.REGISTERING: ("Das Gerät meldet seinem Server, wem es gehört.", ""),
        Step.REGISTERED: ("Das Gerät gehört jetzt Ihnen.", ""),
        Step.HELD: (
            "Das Gerät ist online, aber seine Anmeldung wartet darauf, dass jemand sie ansieht.",
            "Sie bekommen eine E-Mail, sobald entschieden ist.",
        ),
        Step.REFUSED: (
            "Das Gerät ist online, aber seine Anmeldung wurde abgelehnt.",
            "Holen Sie im Portal ein neues Anmelde-Token, und senden Sie es hier.",
        ),
    },
)
