// What the scripts of the set-up page say beside the portal's, and what the platform answers them of a device.

import { speaker } from "../words.js";

const WORDS = {
  de: {
    "Connecting to {} …": "Verbindung mit {} wird hergestellt …",
    "Connecting to the device …": "Verbindung mit dem Gerät wird hergestellt …",
    "Type the code of the label.": "Tippen Sie den Code auf dem Etikett ein.",
    "This device can’t be set up without its code.": "Dieses Gerät lässt sich nicht ohne seinen Code einrichten.",
    "Choose the way with the code.": "Wählen Sie den Weg mit dem Code.",
    "The device proves who it is …": "Das Gerät beweist, wer es ist …",
    "Nobody has pressed the button of this device.": "Niemand hat den Knopf dieses Geräts gedrückt.",
    "Press it, or switch the device off and on, and choose it again.":
      "Drücken Sie ihn, oder schalten Sie das Gerät aus und wieder ein, und wählen Sie es noch einmal.",
    "Press it, or switch the device off and on, and try again.":
      "Drücken Sie ihn, oder schalten Sie das Gerät aus und wieder ein, und versuchen Sie es noch einmal.",
    ", then ": ", dann ",
    "The device has proven who it is.": "Das Gerät hat bewiesen, wer es ist.",
    "Compare what it shows.": "Vergleichen Sie, was es zeigt.",
    "Nothing was sent to that device.": "An jenes Gerät wurde nichts gesendet.",
    "Press the button of yours and choose again; move away from others.":
      "Drücken Sie den Knopf Ihres Geräts, und wählen Sie noch einmal; gehen Sie weg von anderen.",
    "Type the serial of the label.": "Tippen Sie die Seriennummer auf dem Etikett ein.",
    "Your Wi-Fi is locked for this device.": "Ihr WLAN ist für dieses Gerät verschlossen.",
    "Bring it there now.": "Bringen Sie es jetzt dorthin.",
    "Lock your Wi-Fi once more: that makes a new token.":
      "Verschließen Sie Ihr WLAN noch einmal: Das erzeugt einen neuen Code für die Anmeldung.",
    "The camera can’t be used.": "Die Kamera lässt sich nicht benutzen.",
    "Allow it in the browser, or type the code.": "Erlauben Sie sie im Browser, oder tippen Sie den Code ein.",
    "Asking the device for Wi-Fi networks …": "Das Gerät wird nach WLAN-Netzen gefragt …",
    "Type the name of the network.": "Tippen Sie den Namen des Netzes ein.",
    "No network has so long a name.": "Kein Netz hat einen so langen Namen.",
    "Check it.": "Prüfen Sie ihn.",
    "strong signal": "starkes Signal",
    "fair signal": "mittleres Signal",
    "weak signal": "schwaches Signal",
    "open, no password": "offen, ohne Passwort",
    "needs a user name, which this page can’t give it": "braucht einen Benutzernamen, den diese Seite ihm nicht geben kann",
    "with a password": "mit Passwort",
    "The device hears these networks": "Das Gerät hört diese Netze",
    "Which network shall it join?": "In welches Netz soll es gehen?",
    "This network wants a user name as well.": "Dieses Netz verlangt auch einen Benutzernamen.",
    "Choose another, for example one for guests.": "Wählen Sie ein anderes, zum Beispiel eines für Gäste.",
    "Type the password of this network.": "Tippen Sie das Passwort dieses Netzes ein.",
    "The portal does not answer.": "Das Portal antwortet nicht.",
    "Check this phone’s or computer’s own internet, and try again.":
      "Prüfen Sie die Internetverbindung dieses Telefons oder Computers, und versuchen Sie es noch einmal.",
    "You are logged out.": "Sie sind abgemeldet.",
    "Reload this page and log in.": "Laden Sie diese Seite neu, und melden Sie sich an.",
    "The portal answered {}.": "Das Portal antwortete {}.",
    "Try again later.": "Versuchen Sie es später noch einmal.",
    "Wait {} seconds and try again.": "Warten Sie {} Sekunden, und versuchen Sie es noch einmal.",
    "This page failed.": "Diese Seite hat versagt.",
    "Reload it and try again. Nothing was lost on the device.":
      "Laden Sie sie neu, und versuchen Sie es noch einmal. Auf dem Gerät ging nichts verloren.",
    "There is no device of that serial here.": "Es gibt hier kein Gerät mit dieser Seriennummer.",
    "Compare it with the label, and check for which organisation you act.":
      "Vergleichen Sie sie mit dem Etikett, und prüfen Sie, für welche Organisation Sie handeln.",
    "This code doesn’t open a device.": "Dieser Code öffnet kein Gerät.",
    "Compare it with the label. If somebody scratched it before you, ask the seller.":
      "Vergleichen Sie ihn mit dem Etikett. Wenn ihn jemand vor Ihnen freigerubbelt hat, fragen Sie den Verkäufer.",
    "What answered is no device of ours, or somebody changed its answer.":
      "Was geantwortet hat, ist kein Gerät von uns, oder jemand hat seine Antwort verändert.",
    "Do not give it your Wi-Fi password. Look whether the device in front of you is the one that is waiting, and ask the maker.":
      "Geben Sie ihm Ihr WLAN-Passwort nicht. Sehen Sie nach, ob das Gerät vor Ihnen das ist, das wartet, und fragen Sie den Hersteller.",
    "A genuine device answered, but in another conversation than this one: somebody is in between.":
      "Ein echtes Gerät hat geantwortet, aber in einem anderen Gespräch als diesem: Jemand ist dazwischen.",
    "Do not go on. Move away from other devices, press the button again and start over.":
      "Machen Sie nicht weiter. Gehen Sie weg von anderen Geräten, drücken Sie den Knopf noch einmal, und beginnen Sie von vorn.",
    "This check took too long, or was begun by another account.":
      "Diese Prüfung hat zu lange gedauert, oder ein anderes Konto hat sie begonnen.",
    "Start it again.": "Beginnen Sie noch einmal.",
    "This device was made by us and is blocked. Ask the maker before you use it.":
      "Dieses Gerät ist von uns und gesperrt. Fragen Sie den Hersteller, bevor Sie es benutzen.",
    "This device was made by us and belongs to somebody else. They must hand it over first.":
      "Dieses Gerät ist von uns und gehört jemand anderem. Der muss es erst übergeben.",
    "This device was made by us and taken out of use. Ask the maker before you use it.":
      "Dieses Gerät ist von uns und außer Gebrauch. Fragen Sie den Hersteller, bevor Sie es benutzen.",
    "This device was made by us and sold to somebody else. Ask whoever gave it to you.":
      "Dieses Gerät ist von uns und wurde an jemand anderen verkauft. Fragen Sie, wer es Ihnen gegeben hat.",
    "This device was made by us and is yours already.": "Dieses Gerät ist von uns und gehört schon Ihnen.",
    "This device was made by us and sold to you. Nobody owns it yet.":
      "Dieses Gerät ist von uns und wurde an Sie verkauft. Es gehört noch niemandem.",
    "This device was made by us and sold through a dealer. Nobody owns it yet.":
      "Dieses Gerät ist von uns und wurde über einen Händler verkauft. Es gehört noch niemandem.",
    "This device was made by us. Nobody owns it yet, and we don't know who bought it.":
      "Dieses Gerät ist von uns. Es gehört noch niemandem, und wir wissen nicht, wer es gekauft hat.",
    "The check proves that a genuine device of this maker answered, not that it is the one in front of you: somebody nearby could pass the questions on to a genuine device of their own. Go on only if the device that you touched shows the same pattern as this screen, and compare the serial number with its label.":
      "Die Prüfung beweist, dass ein echtes Gerät dieses Herstellers geantwortet hat, nicht, dass es das vor Ihnen ist: Jemand in der Nähe könnte die Fragen an ein echtes eigenes Gerät weitergeben. Machen Sie nur weiter, wenn das Gerät, das Sie berührt haben, dasselbe Muster zeigt wie dieser Bildschirm, und vergleichen Sie die Seriennummer mit seinem Etikett.",
  },
  fr: {
    "Connecting to {} …": "Connexion à {} …",
    "Connecting to the device …": "Connexion à l’appareil …",
    "Type the code of the label.": "Saisissez le code de l’étiquette.",
    "This device can’t be set up without its code.": "Cet appareil ne peut pas être configuré sans son code.",
    "Choose the way with the code.": "Choisissez la voie avec le code.",
    "The device proves who it is …": "L’appareil prouve qui il est …",
    "Nobody has pressed the button of this device.": "Personne n’a appuyé sur le bouton de cet appareil.",
    "Press it, or switch the device off and on, and choose it again.":
      "Appuyez dessus, ou éteignez et rallumez l’appareil, et choisissez-le de nouveau.",
    "Press it, or switch the device off and on, and try again.":
      "Appuyez dessus, ou éteignez et rallumez l’appareil, et réessayez.",
    ", then ": ", puis ",
    "The device has proven who it is.": "L’appareil a prouvé qui il est.",
    "Compare what it shows.": "Comparez ce qu’il montre.",
    "Nothing was sent to that device.": "Rien n’a été envoyé à cet appareil-là.",
    "Press the button of yours and choose again; move away from others.":
      "Appuyez sur le bouton du vôtre et choisissez de nouveau ; éloignez-vous des autres.",
    "Type the serial of the label.": "Saisissez le numéro de série de l’étiquette.",
    "Your Wi-Fi is locked for this device.": "Votre Wi-Fi est verrouillé pour cet appareil.",
    "Bring it there now.": "Apportez-le-lui maintenant.",
    "Lock your Wi-Fi once more: that makes a new token.": "Verrouillez encore une fois votre Wi-Fi : cela crée un nouveau jeton.",
    "The camera can’t be used.": "La caméra ne peut pas être utilisée.",
    "Allow it in the browser, or type the code.": "Autorisez-la dans le navigateur, ou saisissez le code.",
    "Asking the device for Wi-Fi networks …": "Demande des réseaux Wi-Fi à l’appareil …",
    "Type the name of the network.": "Saisissez le nom du réseau.",
    "No network has so long a name.": "Aucun réseau n’a un nom aussi long.",
    "Check it.": "Vérifiez-le.",
    "strong signal": "signal fort",
    "fair signal": "signal moyen",
    "weak signal": "signal faible",
    "open, no password": "ouvert, sans mot de passe",
    "needs a user name, which this page can’t give it": "demande un nom d’utilisateur, que cette page ne peut pas lui donner",
    "with a password": "avec mot de passe",
    "The device hears these networks": "L’appareil capte ces réseaux",
    "Which network shall it join?": "Quel réseau doit-il rejoindre ?",
    "This network wants a user name as well.": "Ce réseau demande aussi un nom d’utilisateur.",
    "Choose another, for example one for guests.": "Choisissez-en un autre, par exemple un réseau d’invités.",
    "Type the password of this network.": "Saisissez le mot de passe de ce réseau.",
    "The portal does not answer.": "Le portail ne répond pas.",
    "Check this phone’s or computer’s own internet, and try again.":
      "Vérifiez la connexion internet de ce téléphone ou ordinateur, et réessayez.",
    "You are logged out.": "Vous êtes déconnecté.",
    "Reload this page and log in.": "Rechargez cette page et connectez-vous.",
    "The portal answered {}.": "Le portail a répondu {}.",
    "Try again later.": "Réessayez plus tard.",
    "Wait {} seconds and try again.": "Attendez {} secondes et réessayez.",
    "This page failed.": "Cette page a échoué.",
    "Reload it and try again. Nothing was lost on the device.": "Rechargez-la et réessayez. Rien n’a été perdu sur l’appareil.",
    "There is no device of that serial here.": "Il n’y a ici aucun appareil de ce numéro de série.",
    "Compare it with the label, and check for which organisation you act.":
      "Comparez-le avec l’étiquette, et vérifiez pour quelle organisation vous agissez.",
    "This code doesn’t open a device.": "Ce code n’ouvre aucun appareil.",
    "Compare it with the label. If somebody scratched it before you, ask the seller.":
      "Comparez-le avec l’étiquette. Si quelqu’un l’a gratté avant vous, demandez au vendeur.",
    "What answered is no device of ours, or somebody changed its answer.":
      "Ce qui a répondu n’est pas un appareil à nous, ou quelqu’un a modifié sa réponse.",
    "Do not give it your Wi-Fi password. Look whether the device in front of you is the one that is waiting, and ask the maker.":
      "Ne lui donnez pas votre mot de passe Wi-Fi. Regardez si l’appareil devant vous est bien celui qui attend, et demandez au fabricant.",
    "A genuine device answered, but in another conversation than this one: somebody is in between.":
      "Un appareil authentique a répondu, mais dans une autre conversation que celle-ci : quelqu’un est au milieu.",
    "Do not go on. Move away from other devices, press the button again and start over.":
      "N’allez pas plus loin. Éloignez-vous des autres appareils, appuyez de nouveau sur le bouton et recommencez.",
    "This check took too long, or was begun by another account.":
      "Cette vérification a duré trop longtemps, ou un autre compte l’a commencée.",
    "Start it again.": "Recommencez-la.",
    "This device was made by us and is blocked. Ask the maker before you use it.":
      "Cet appareil est fabriqué par nous et bloqué. Demandez au fabricant avant de l’utiliser.",
    "This device was made by us and belongs to somebody else. They must hand it over first.":
      "Cet appareil est fabriqué par nous et appartient à quelqu’un d’autre, qui doit d’abord le céder.",
    "This device was made by us and taken out of use. Ask the maker before you use it.":
      "Cet appareil est fabriqué par nous et mis hors d’usage. Demandez au fabricant avant de l’utiliser.",
    "This device was made by us and sold to somebody else. Ask whoever gave it to you.":
      "Cet appareil est fabriqué par nous et vendu à quelqu’un d’autre. Demandez à qui vous l’a donné.",
    "This device was made by us and is yours already.": "Cet appareil est fabriqué par nous et déjà à vous.",
    "This device was made by us and sold to you. Nobody owns it yet.":
      "Cet appareil est fabriqué par nous et vous a été vendu. Il n’est encore à personne.",
    "This device was made by us and sold through a dealer. Nobody owns it yet.":
      "Cet appareil est fabriqué par nous et vendu par un revendeur. Il n’est encore à personne.",
    "This device was made by us. Nobody owns it yet, and we don't know who bought it.":
      "Cet appareil est fabriqué par nous. Il n’est encore à personne, et nous ne savons pas qui l’a acheté.",
    "The check proves that a genuine device of this maker answered, not that it is the one in front of you: somebody nearby could pass the questions on to a genuine device of their own. Go on only if the device that you touched shows the same pattern as this screen, and compare the serial number with its label.":
      "La vérification prouve qu’un appareil authentique de ce fabricant a répondu, non que c’est celui devant vous : quelqu’un à proximité pourrait transmettre les questions à un appareil authentique à lui. Ne continuez que si l’appareil que vous avez touché montre le même motif que cet écran, et comparez le numéro de série avec son étiquette.",
  },
};

/** Return a sentence in the page's language, as that of the portal's other scripts does. */
export const said = speaker(WORDS);
