"""The portal in German and French: nothing missing, nothing left over, every placeholder kept."""

import re
from io import BytesIO
from itertools import product
from pathlib import Path

import pytest
from django.test import Client

from doorstep.onboarding.attestation.verdict import RESIDUAL_RISK, Facts, Owner, Sale, judge
from doorstep.server.accounts.models import ApiKey
from tests.server.portal.browsing import claimant_pages, enter, member_pages, wholesaler_with_pages
from tests.server.portal.catalogues import FOLDER, LANGUAGES, compiled, gathered, parsed, written
from tests.server.portal.world import World

_PLACES = re.compile(r"%\(\w+\)s|%[sd]|<[^>]+>")
_TEMPLATES = FOLDER.parent / "templates"
_SCRIPTS = FOLDER.parent / "static" / "portal"
_NO_WORDS = re.compile(
    r"{% blocktranslate.*?{% endblocktranslate %}|{%.*?%}|{{.*?}}|&\w+;|<(code|pre)\b.*?</\1>"
    r'|<(\w+)\b[^>]*\blang="en".*?</\2>',
    re.DOTALL,
)
_SPOKEN_ATTRIBUTES = re.compile(r'(?:aria-label|data-label|placeholder|title|alt)="([^"]*)"')
_COMMENTS = re.compile(r"/\*[\s\S]*?\*/|// .*")
_UNSAID = re.compile(r"""(?<!said\()["`][A-Z][^\s"`$]* [^"`]*["`]""")
"""A sentence in a script that nothing translates."""
_PARTS_OF_ENGLISH_PAGES = {"batch_table", "simulation"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_is_complete_and_compiled(language: str) -> None:
    folder = FOLDER / language / "LC_MESSAGES"
    text = (folder / "django.po").read_text(encoding="utf-8")
    catalogue = parsed(text)
    assert set(catalogue) == gathered(), "run: python -m tests.server.portal.catalogues"
    missing = [key for key, said in catalogue.items() if not all(said)]
    assert not missing, f"not translated into {language}"
    for (one, many), said in catalogue.items():
        for number, words in enumerate(said):
            source = many if many and number else one
            assert sorted(_PLACES.findall(words)) == sorted(_PLACES.findall(source)), words
    assert written(language, catalogue) == text
    assert compiled(language, catalogue) == (folder / "django.mo").read_bytes()


@pytest.mark.parametrize(("language", "words"), [("de", "Was Sie braucht"), ("fr", "Ce qui vous attend")])
def test_customer_reads_in_the_language_of_the_browser_or_their_choice(
    world: World, client: Client, language: str, words: str
) -> None:
    client.force_login(world.owner)
    page = client.get("/", headers={"accept-language": f"{language};q=0.9, en;q=0.5"}).content.decode()
    assert words in page
    assert f'<html lang="{language}">' in page
    assert client.post("/language/", {"language": language}).status_code == 302
    assert words in client.get("/").content.decode()
    chart = client.get(f"/devices/{world.live.device_id}/charts/?span=week").content.decode()
    assert re.fullmatch(r"(M|L|Z|[\d. ])*", re.findall(r'<path class="curve c1" d="([^"]*)"', chart)[0])


def test_page_without_translation_says_that_it_is_english(world: World, client: Client) -> None:
    client.force_login(world.staff)
    page = client.get("/staff/products/", headers={"accept-language": "de"}).content.decode()
    assert '<html lang="de">' in page
    assert re.search(r'<main[^>]* lang="en">', page)


def test_customer_and_wholesaler_read_every_page_in_their_language(world: World) -> None:
    shop, wholesale = wholesaler_with_pages()
    for user, pages in (
        (world.owner, member_pages(world)),
        (world.stranger, claimant_pages(world)),
        (shop, wholesale),
    ):
        client = Client(headers={"accept-language": "fr"})
        enter(client, user)
        for path in pages.values():
            page = client.get(path).content.decode()
            assert 'tabindex="-1" lang="fr"' in page, path


def _french(world: World) -> Client:
    client = Client(headers={"accept-language": "fr"})
    enter(client, world.owner)
    return client


def test_french_owner_reads_webhooks_with_their_types_and_failures_as_they_are(world: World) -> None:
    client = _french(world)
    listed = client.get("/webhooks/").content.decode()
    assert "Doorstep annonce à vos propres programmes" in listed
    assert re.search(r'<select name="types"[^>]* lang="en"', listed)
    one = f"/webhooks/{world.webhook}/"
    page = client.get(one).content.decode()
    assert all(words in page for words in ("Ce qui a été envoyé", "En attente", "Remis", "Envoyer encore"))
    assert 'lang="en">it answered 503' in page
    said = client.post(f"{one}act", {"act": "replay-since"}, follow=True).content.decode()
    assert "en route." in said
    off = client.post(f"{one}act", {"act": "switch"}, follow=True).content.decode()
    assert 'Il est désactivé : <span lang="en">switched off by hand</span>.' in off
    secret = client.post(f"{one}act", {"act": "secret"}).content.decode()
    assert "Donnez ce secret à votre programme" in secret
    assert 'tabindex="-1" lang="fr"' in secret


def test_french_owner_hears_which_words_of_a_refusal_are_english(world: World) -> None:
    client = _french(world)
    refused = client.post("/webhooks/", {"url": "http://example.org/", "description": ""}).content.decode()
    summary, field = re.findall(r'<span lang="en">[^<]+</span>', refused)[:2]
    assert summary == field
    said = client.post("/claims/voucher/", {"voucher": BytesIO(b"none")}, follow=True).content.decode()
    assert re.search(r'<div><span lang="en">[^<]+</span></div>', said)


def test_french_owner_makes_and_ends_a_key_and_finds_it_in_the_trail(world: World) -> None:
    client = _french(world)
    told = {"name": "Tableau", "days": "30", "group": str(world.group.pk), "scope": "customer:devices:read"}
    made = client.post("/keys/", told).content.decode()
    assert "La clé est créée" in made
    assert f"; seulement {world.group}" in made
    row = ApiKey.objects.get(name="Tableau")
    ended = client.post(f"/keys/{row.pk}/end/", follow=True).content.decode()
    assert "ouvre plus rien." in ended
    assert ">Terminée<" in ended
    trail = client.get("/audit/").content.decode()
    assert "Avant et après" in trail
    assert '<span lang="en">End key</span>' in trail


def _verdicts() -> set[str]:
    """What the platform answers of a device that attested itself."""
    no_yes = (False, True)
    every = (
        Facts(sale, elsewhere, owner, blocked, usable, presence=True, releases_code=False)
        for sale, elsewhere, owner, blocked, usable in product(Sale, no_yes, Owner, no_yes, no_yes)
    )
    return {judge(facts).sentence for facts in every} | {RESIDUAL_RISK}


@pytest.mark.parametrize(
    ("folder", "by_variable"),
    [(_SCRIPTS, {"as the system", "light", "dark"}), (_SCRIPTS / "setup", _verdicts())],
    ids=["portal", "setup"],
)
def test_scripts_say_everything_in_both_languages(folder: Path, by_variable: set[str]) -> None:
    words = folder / "words.js"
    tables = re.split(r"\n  (?:de|fr): \{", words.read_text(encoding="utf-8"))[1:]
    known = [re.findall(r'^    (?:"([^"]+)"|(\w+)):\s', table, re.MULTILINE) for table in tables]
    scripts = [path.read_text(encoding="utf-8") for path in folder.glob("*.js") if path != words]
    said = {one for script in scripts for one in re.findall(r'said\(\s*"([^"]+)"', script)}
    assert len(known) == len(LANGUAGES)
    assert known[0] == known[1]
    assert said | by_variable == {"".join(one) for one in known[0]}
    assert not [one for script in scripts for one in _UNSAID.findall(_COMMENTS.sub("", script))]


def test_translated_template_leaves_no_word_in_english() -> None:
    for path in _TEMPLATES.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        is_part = path.parent.name == "parts" and path.stem not in _PARTS_OF_ENGLISH_PAGES
        if "block spoken" not in text and not is_part:
            continue
        text = _NO_WORDS.sub("", text.replace("Doorstep", ""))
        words = [*_SPOKEN_ATTRIBUTES.findall(text), re.sub(r"<[^>]*>", "", text)]
        assert not re.search(r"[A-Za-z]{2}", " ".join(words)), path
