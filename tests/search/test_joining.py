"""Lists of documents joined: by looking one up in the other, by sorting, and over all, all the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshare.search import joining
from skillshare.search.joining import Matches, best_of, either, gain_at, holds

SIZE = 40
ids = st.frozensets(st.integers(0, SIZE - 1)).map(lambda found: np.array(sorted(found), np.int32))
lists = st.lists(
    ids.flatmap(
        lambda found: st.lists(st.integers(1, 9), min_size=len(found), max_size=len(found)).map(
            lambda gains: Matches(found, np.array(gains, np.float32))
        )
    ),
    max_size=4,
)


def as_dict(found, gains):
    return dict(zip(found.tolist(), gains.tolist(), strict=True))


@given(ids, ids)
def test_what_some_ids_hold(some, wanted):
    assert wanted[holds(some, wanted)].tolist() == sorted(set(some.tolist()) & set(wanted.tolist()))


@pytest.mark.parametrize("dense_from", [0, 10**9])
def test_short_lists_and_long_ones_are_joined_alike(monkeypatch, dense_from):
    monkeypatch.setattr(joining, "DENSE_FROM", dense_from)

    @given(lists.filter(bool), ids)
    def joined(given, wanted):
        expected, times = {}, {}
        for matches in given:
            for each, gain in as_dict(*matches).items():
                expected[each] = expected.get(each, 0) + 2 * gain
                times[each] = times.get(each, 0) + 1

        found, gains, counts = either(SIZE, [(matches, 2) for matches in given])

        assert as_dict(found, gains) == expected
        assert as_dict(found, counts) == times
        assert found.tolist() == sorted(expected)
        first = as_dict(*given[0])
        assert gain_at(SIZE, given[0], wanted).tolist() == [first.get(each, 0) for each in wanted.tolist()]

    joined()


@given(lists)
def test_the_best_gain_counts(given):
    expected = {}
    for matches in given:
        for each, gain in as_dict(*matches).items():
            expected[each] = max(expected.get(each, 0), gain)

    assert as_dict(*best_of(given)) == expected
