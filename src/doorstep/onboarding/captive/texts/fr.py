"""The board's page in French."""

from typing import Final

from doorstep.onboarding.captive.texts.wording import Texts
from doorstep.onboarding.steps import Step

__all__ = ["FRENCH"]

FRENCH: Final = Texts(
    code="fr",
    name="Français",
    language="Langue",
    set_up="Installer {name}",
    choose_title="Choisissez votre Wi-Fi",
    choose_lead="L’appareil va rejoindre ce réseau.",
    networks="Réseaux que l’appareil capte",
    none_heard="L’appareil ne capte aucun réseau nommé. Rapprochez-le de votre box, ou tapez le nom.",
    searching="L’appareil cherche des réseaux. Cette page se recharge toute seule.",
    search_again="Chercher à nouveau",
    signal="signal",
    strong="fort",
    medium="moyen",
    weak="faible",
    secured="avec mot de passe",
    is_open="sans mot de passe",
    company="compte d’entreprise, impossible sur cette page",
    other="Un autre réseau",
    other_name="Nom du réseau",
    other_hint="Pour un réseau caché ou absent de la liste. Les majuscules comptent.",
    proceed="Continuer",
    password_title="Mot de passe de {ssid}",
    password="Mot de passe Wi-Fi",
    password_hint="De 8 à 63 caractères ; les majuscules comptent. Laissez vide si le réseau n’en a pas.",
    open_hint="Ce réseau n’a pas de mot de passe. Laissez le champ vide.",
    show="Afficher le mot de passe",
    hide="Masquer le mot de passe",
    code_label="Code d’installation de l’appareil",
    code_hint="Il est imprimé sur l’étiquette de l’appareil.",
    owner="Enregistrement",
    owner_lead="Avec un jeton du portail, l’appareil s’enregistre sur votre compte.",
    token="Jeton d’enregistrement",
    token_ready="Un jeton d’enregistrement est prêt. L’appareil s’enregistrera sur votre compte.",
    server="Adresse du serveur",
    connect="Connecter l’appareil",
    change_network="Choisir un autre réseau",
    status_title="Où en est l’appareil",
    what_now="Que faire :",
    refreshes="Cette page se recharge toutes les {seconds} secondes.",
    pause="Ne plus recharger",
    check_now="Vérifier maintenant",
    may_vanish="Si cette page ne répond plus, l’appareil a sans doute rejoint {ssid} et fermé son propre Wi-Fi. "
    "Revenez à votre Wi-Fi et regardez la page de l’appareil dans le portail.",
    back_home="Vous pouvez maintenant revenir à votre Wi-Fi.",
    retry="Réessayer",
    send_token="Envoyer le jeton",
    error_title="À vérifier",
    error="À vérifier : {sentence}",
    no_choice="Choisissez un réseau, ou tapez son nom.",
    bad_name="Le nom d’un réseau a de 1 à 32 octets.",
    bad_password="Un mot de passe Wi-Fi a de 8 à 63 octets, ou 64 chiffres hexadécimaux, ou il est vide.",
    bad_token="Le jeton ou l’adresse du serveur est incomplet. Copiez-les en entier depuis le portail.",
    wrong_code="Ce code n’est pas celui de cet appareil. Vérifiez que c’est bien son étiquette.",
    wait="Trop de codes faux ont été essayés. Attendez {seconds} secondes, puis essayez encore une fois.",
    busy_title="Quelqu’un d’autre installe cet appareil",
    busy_text="Une seule personne peut le faire à la fois. Si c’était vous sur un autre téléphone, attendez "
    "trois minutes, ou éteignez et rallumez l’appareil.",
    locked_title="Cet appareil appartient déjà à quelqu’un",
    locked_text="Son propriétaire ouvre sa page dans le portail et choisit « Autoriser une nouvelle installation ». "
    "Maintenez ensuite le bouton de l’appareil dix secondes et installez-le.",
    waits_for_hand="Cet appareil attend une main. Maintenez son bouton dix secondes et installez-le.",
    stale="Ce formulaire était trop ancien. Rien n’a été envoyé à l’appareil ; remplissez-le de nouveau.",
    not_found="Cette page n’existe pas sur l’appareil.",
    unsafe="Ce Wi-Fi n’est pas chiffré. Quelqu’un à proximité peut lire ce que vous tapez sur cette page. "
    "Le fabricant de l’appareil le permet.",
    script_title="Installer avec le code",
    script_lead="Le code n’est jamais envoyé : cette page prouve à l’appareil que vous le connaissez.",
    script_why="Ce Wi-Fi n’est pas chiffré ; cette page a donc besoin de JavaScript pour protéger votre mot de "
    "passe, et JavaScript est désactivé ou bloqué ici.",
    script_ways=(
        "Activez JavaScript, ou ouvrez {address} dans le navigateur de votre téléphone.",
        "Ou utilisez l’application ou la commande doorstep provision avec le code de l’étiquette.",
        "Ou, si l’étiquette porte une clé Wi-Fi, demandez au fabricant la version au Wi-Fi protégé.",
    ),
    script_twin="Celui qui ouvre un Wi-Fi du même nom peut montrer une fausse page qui demande le code. "
    "L’application et la commande ne s’y laissent pas prendre.",
    script_code="Code d’installation ou PIN",
    script_checking="Vérification du code. Cela peut prendre quelques secondes.",
    script_secured="La connexion est protégée. L’appareil cherche des réseaux.",
    script_lost="L’appareil ne répond pas. Restez près de lui, et vérifiez que ce téléphone est sur le Wi-Fi de l’appareil.",
    script_refused="L’appareil a refusé. Rechargez cette page.",
    script_downgrade="N’allez pas plus loin : ce qui répond ici est moins sûr que ne le promet l’étiquette de l’appareil.",
    bring_title="Remettre votre Wi-Fi",
    bring_lead="Dans le portail, vous avez verrouillé votre Wi-Fi pour cet appareil. Le texte verrouillé "
    "est venu avec le lien ; ou collez-le ici. Seul cet appareil peut l’ouvrir.",
    bring_scripts="Il faut JavaScript. Sinon, ouvrez le lien avec un autre navigateur, téléphone ou "
    "ordinateur.",
    bring_text="Texte verrouillé",
    bring="Remettre",
    bring_bad="Ce texte est incomplet ou a été modifié. Copiez-le de nouveau depuis le portail.",
    bring_refused="L’appareil ne l’a pas accepté : il est destiné à un autre appareil, ou personne n’a appuyé"
    " sur le bouton de celui-ci. Appuyez (ou éteignez et rallumez l’appareil) et remettez-le de"
    " nouveau.",
    bring_stale="L’appareil ne l’a pas accepté : il a expiré ou a déjà été remis. Verrouillez de nouveau "
    "votre Wi-Fi dans le portail.",
    bring_denied="L’appareil est en ligne, mais son enregistrement a été refusé. Verrouillez encore une fois votre Wi-Fi dans le portail et remettez-le ici.",
    steps={
        Step.FOUND: ("L’appareil répond.", ""),
        Step.SECURED: ("La connexion est protégée par le code de l’étiquette.", ""),
        Step.NETWORKS: ("L’appareil a énuméré les réseaux qu’il capte.", "Choisissez le vôtre."),
        Step.DELIVERED: ("L’appareil sait à qui il sera.", ""),
        Step.WAITING: ("L’appareil attend un réseau.", "Choisissez-en un."),
        Step.TRYING: ("L’appareil rejoint le réseau.", ""),
        Step.WRONG_PASSWORD: (
            "Le réseau a refusé le mot de passe.",
            "Tapez-le de nouveau ; les majuscules comptent.",
        ),
        Step.NO_SUCH_NETWORK: (
            "L’appareil ne capte aucun réseau de ce nom.",
            "Vérifiez le nom, rapprochez l’appareil, et assurez-vous que la bande 2,4 GHz est activée.",
        ),
        Step.NO_ADDRESS: (
            "Le réseau a accepté l’appareil mais ne lui a pas donné d’adresse.",
            "Redémarrez la box, ou demandez à son responsable si elle est pleine ou filtre les appareils.",
        ),
        Step.NO_INTERNET: (
            "L’appareil est sur le réseau, mais le réseau n’atteint pas internet.",
            "Vérifiez la connexion internet de la box ; l’appareil réessaie tout seul.",
        ),
        Step.NO_SERVER: (
            "L’appareil est en ligne mais n’atteint pas son serveur.",
            "Attendez quelques minutes ; l’appareil réessaie tout seul. Si cela dure, demandez au fabricant.",
        ),
        Step.WRONG_CLOCK: (
            "L’appareil est en ligne, mais son horloge est trop fausse pour vérifier son serveur.",
            "Laissez-le allumé quelques minutes ; si cela dure, le réseau bloque le service de temps (NTP).",
        ),
        Step.RADIO_FAILED: (
            "Le Wi-Fi de l’appareil n’a pas répondu.",
            "Éteignez et rallumez l’appareil, puis réessayez ; si cela dure, demandez au fabricant.",
        ),
        Step.CHECKING: (
            "L’appareil se tait ; il est peut-être déjà en ligne. La plateforme est interrogée.",
            "Attendez, ou regardez la page de l’appareil dans le portail.",
        ),
        Step.CONNECTED: ("L’appareil est sur le réseau.", ""),
        Step.REGISTERING: ("L’appareil annonce son nouveau propriétaire à son serveur.", ""),
        Step.REGISTERED: ("L’appareil est à vous maintenant.", ""),
        Step.HELD: (
            "L’appareil est en ligne, mais son enregistrement attend qu’une personne l’examine.",
            "Vous recevrez un courriel dès que ce sera décidé.",
        ),
        Step.REFUSED: (
            "L’appareil est en ligne, mais son enregistrement a été refusé.",
            "Créez un nouveau jeton dans le portail et envoyez-le ici.",
        ),
    },
)
