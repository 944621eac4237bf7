"""Passwords: Argon2id at OWASP's floor, at most two hashes at once. Call outside a write transaction."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

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


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of nobody at all")
