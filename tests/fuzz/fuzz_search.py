"""Look for bytes that break a promise of `promises.py`: `bin/fuzz [seconds]`. What is found is written to `crash-…`."""

import sys

import atheris

with atheris.instrument_imports(include=["skillshare.search"]):
    from tests.fuzz.promises import keep


def one(data: bytes) -> None:
    """One try."""
    keep(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
