// What scripts say, in the language of the page. English is the key; {} stands for what a sentence tells of.

const WORDS = {
  de: {
    "as the system": "wie das System",
    light: "hell",
    dark: "dunkel",
    "Colours: {}": "Farben: {}",
    Copied: "Kopiert",
    "Selected: copy it with the keyboard": "Markiert: Kopieren Sie es mit der Tastatur",
    Reading: "Messwert",
    Value: "Wert",
    "{} days": "{} Tage",
    "just now": "gerade eben",
    "{} ago": "vor {}",
    "Live: new readings appear by themselves.": "Live: Neue Messwerte erscheinen von selbst.",
    "Readings arrive.": "Messwerte kommen an.",
    "Last reading {} ago.": "Letzter Messwert vor {}.",
    "Readings stopped arriving.": "Es kommen keine Messwerte mehr.",
    "This page can’t be kept up to date any more. Please reload it.":
      "Diese Seite kann nicht mehr aktuell gehalten werden. Bitte laden Sie sie neu.",
    "Please reload this page.": "Bitte laden Sie diese Seite neu.",
    "No connection to the portal. It tries again by itself.": "Keine Verbindung zum Portal. Es versucht es von selbst wieder.",
    "No connection to the portal.": "Keine Verbindung zum Portal.",
    "{} left": "noch {}",
    "{}: {} readings, from {} to {} {}, now {} {}. The table below has them all.":
      "{}: {} Messwerte, von {} bis {} {}, jetzt {} {}. Die Tabelle darunter enthält alle.",
    "This device has a passkey for your account already.": "Dieses Gerät hat schon einen Passkey für Ihr Konto.",
    "The browser gave no passkey. Try again, or use another way.":
      "Der Browser gab keinen Passkey. Versuchen Sie es noch einmal, oder nehmen Sie einen anderen Weg.",
  },
  fr: {
    "as the system": "comme le système",
    light: "clair",
    dark: "sombre",
    "Colours: {}": "Couleurs : {}",
    Copied: "Copié",
    "Selected: copy it with the keyboard": "Sélectionné : copiez-le au clavier",
    Reading: "Mesure",
    Value: "Valeur",
    "{} days": "{} jours",
    "just now": "à l’instant",
    "{} ago": "il y a {}",
    "Live: new readings appear by themselves.": "En direct : les nouvelles mesures apparaissent d’elles-mêmes.",
    "Readings arrive.": "Des mesures arrivent.",
    "Last reading {} ago.": "Dernière mesure il y a {}.",
    "Readings stopped arriving.": "Plus aucune mesure n’arrive.",
    "This page can’t be kept up to date any more. Please reload it.":
      "Cette page ne peut plus être tenue à jour. Rechargez-la.",
    "Please reload this page.": "Rechargez cette page.",
    "No connection to the portal. It tries again by itself.": "Pas de connexion au portail. Nouvel essai automatique.",
    "No connection to the portal.": "Pas de connexion au portail.",
    "{} left": "reste {}",
    "{}: {} readings, from {} to {} {}, now {} {}. The table below has them all.":
      "{} : {} mesures, de {} à {} {}, maintenant {} {}. Le tableau ci-dessous les contient toutes.",
    "This device has a passkey for your account already.": "Cet appareil a déjà une clé d’accès pour votre compte.",
    "The browser gave no passkey. Try again, or use another way.":
      "Le navigateur n’a pas donné de clé d’accès. Réessayez, ou prenez un autre moyen.",
  },
};

/** Return what says a sentence of a table in the page's language, with what it tells of put in, in order. */
export function speaker(table) {
  const words = table[document.documentElement.lang] ?? {};
  return (sentence, ...told) => told.reduce((text, one) => text.replace("{}", () => one), words[sentence] ?? sentence);
}

export const said = speaker(WORDS);
