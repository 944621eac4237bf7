"""Near spellings, looked up in the table of all words: one typing mistake first, else by shared trigrams."""

from collections.abc import Iterator

import sqlalchemy as sa

from .postgres_schema import Generation
from .spelling import one_mistake

LAST = "\U0010ffff"
"""Comes after every letter."""
OFFERED = 12
"""Near words of each sort that are looked at, the most common."""
ALIKE_FROM = 0.4
"""Part of all trigrams of two words that both have."""


def near_words(connection: sa.Connection, of: Generation, typed: str) -> Iterator[list[str]]:
    """Words one mistake away; then, where that was not enough and pg_trgm is there, words that look alike."""
    yield _one_mistake_away(connection, of, typed)
    if of.similar_in:
        yield _alike(connection, of, typed)


def _one_mistake_away(connection: sa.Connection, of: Generation, typed: str) -> list[str]:
    """One mistake leaves the first half of a word or its second half untouched, or swaps the letters between them."""
    half = len(typed) // 2
    swapped = typed[: half - 1] + typed[half : half + 1] + typed[half - 1 : half] + typed[half + 1 :]
    start, end = typed[:half], typed[half:][::-1]
    rows = connection.exec_driver_sql(
        f"SELECT word FROM {of.table('word')} WHERE can_be_meant AND ("  # noqa: S608
        " (word >= %(start)s AND word < %(after_start)s)"
        ' OR (reverse(word) COLLATE "C" >= %(end)s AND reverse(word) COLLATE "C" < %(after_end)s)'
        " OR word = %(swapped)s) AND length(word) BETWEEN %(shortest)s AND %(longest)s"
        " ORDER BY documents DESC, word",
        {
            "start": start,
            "after_start": start + LAST,
            "end": end,
            "after_end": end + LAST,
            "swapped": swapped,
            "shortest": len(typed) - 1,
            "longest": len(typed) + 1,
        },
    ).scalars()
    return [word for word in rows if one_mistake(typed, word)][:OFFERED]


def _alike(connection: sa.Connection, of: Generation, typed: str) -> list[str]:
    similarity = f'"{of.similar_in}".similarity(word, %(typed)s)'
    rows = connection.exec_driver_sql(
        f"SELECT word FROM {of.table('word')}"  # noqa: S608
        f' WHERE can_be_meant AND word OPERATOR("{of.similar_in}".%%) %(typed)s'
        f" AND {similarity} >= {ALIKE_FROM} AND word <> %(typed)s"
        f" ORDER BY {similarity} DESC, documents DESC, word LIMIT {OFFERED}",
        {"typed": typed},
    ).scalars()
    return list(rows)
