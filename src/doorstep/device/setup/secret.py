"""The board's half of its set-up secret, and how often it was guessed at."""

from doorstep.device.store import Store
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.guesses import GuessBook, GuessLimit
from doorstep.onboarding.pin.secret import guess_policy
from doorstep.onboarding.protocomm.credentials import Sec2Verifier

__all__ = ["guess_book", "setup_secret"]


def setup_secret(made: Provisioning) -> Sec2Verifier:
    """Return the verifier of the code, or PIN, that the factory printed."""
    return Sec2Verifier(made.setup.username, made.setup.salt, made.setup.verifier)


def guess_book(store: Store, made: Provisioning, now: float) -> GuessBook:
    """Return the count that the store kept; ``now`` is seconds on the clock that the doors go by."""
    limit = GuessLimit.resumed(store.guesses(), now, guess_policy(setup_secret(made)))
    return GuessBook(limit, store.keep_guesses)
