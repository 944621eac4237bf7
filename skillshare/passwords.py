"""Passwords: Argon2id at OWASP's floor, at most two hashes at once. Call outside a write transaction."""

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask_babel import gettext as _

from . import limits

COMMON = Path(__file__).parent / "common_passwords.txt"
TELLING = 4  # a shorter word about somebody stands in half the language, and is no hint

# t=2, m=19 MiB, p=1: OWASP Password Storage Cheat Sheet, Argon2id, second configuration.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_at_once = BoundedSemaphore(2)


def hash_of(password: str) -> str:
    """The hash to keep; about 20 ms and 19 MiB."""
    with _at_once:
        return _hasher.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether `password` is the one behind `kept`; as slow when there is none, so that nobody can tell."""
    with _at_once:
        try:
            return _hasher.verify(kept or _nobodys(), password) and kept is not None
        except (VerifyMismatchError, InvalidHashError):
            return False


def is_old(kept: str) -> bool:
    """Whether `kept` was made with weaker parameters than today's and wants making anew."""
    return _hasher.check_needs_rehash(kept)


def composed(password: str) -> str:
    """The form in which a password is hashed and counted: NFC, nothing else changed, nothing cut off."""
    return unicodedata.normalize("NFC", password)


def trouble_with(password: str, words: Iterable[str], least: int = limits.PASSWORD_MIN) -> str | None:
    """Why `password` will not do, in a sentence; None when it will.

    `least` to 256 characters, not a common one, and none of `words` (handle, address, site's name) inside it.
    There are no other rules: no kinds of characters, no changing every so often (NIST SP 800-63B).
    """
    if len(password) < least:
        return _(
            "Use at least %(least)s characters. Four words that only you would put together are good.", least=least
        )
    if len(password) > limits.PASSWORD_MAX:
        return _("Use at most %(most)s characters.", most=limits.PASSWORD_MAX)
    plain = password.casefold()
    if plain in _common():
        return _("Many people use this password, so it is among the first that are tried. Please choose another.")
    if any(len(word) >= TELLING and word.casefold() in plain for word in words):
        return _("This holds your handle, your address or the name of this place. Please choose another.")
    return None


@cache
def _common() -> frozenset[str]:
    """Passwords of twelve characters or more that stand high in lists of leaked ones."""
    return frozenset(COMMON.read_text(encoding="utf-8").casefold().split("\n"))


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of nobody at all")
