"""Every seed of the fuzzer, and whatever it once found, keeps the promises. Needs no fuzzer."""

from pathlib import Path

import pytest

from tests.fuzz import promises

SEEDS = sorted((Path(__file__).parent / "seeds").iterdir())


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_seed(seed):
    promises.keep(seed.read_bytes())


def test_a_broken_promise_is_noticed(monkeypatch):
    monkeypatch.setattr(promises, "escape", lambda text: text)

    with pytest.raises(AssertionError):
        promises.keep(b"bread\n<b>bread</b>")
