"""The worst that can be typed: many random queries of the longest length, on 20,000 offers (R-69).

`python benchmarks/worst_queries.py [--queries 5000] [--documents 20000]` prints a JSON line for all of them (`p50_ms,
p99_ms, max_ms`) and one for each of the ten slowest, with what was typed. Goal: p99 at most 150 ms, none over 500.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from offers import offers, words

from skillshare import limits
from skillshare.search.engine import SearchEngine, SearchRequest
from skillshare.search.parser import QueryTooLong, parse
from skillshare.search.whoosh_engine import WhooshEngine

COMMON, SLOWEST = 40, 10
FACETS = ("kind", "topic", "area", "language", "where")
SIGNS = ['"', "-", "*", "skill:", "(", "~", "who:shows ", "'", "é", "日", "🎸", "\u0301", "ß", "ﷺ"]


def main() -> None:
    """Measure as the command line asks."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--queries", type=int, default=5_000)
    options.add_argument("--documents", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="teachback-") as folder:
        engine = WhooshEngine(Path(folder) / "search", languages=("en", "es"))
        engine.rebuild(offers(asked.documents))
        took = sorted(times(engine, asked.queries, asked.seed), reverse=True)
    all_ms = [ms for ms, _ in took]
    print(json.dumps({"documents": asked.documents, "queries": len(took), **summed_up(all_ms)}))
    for ms, typed in took[:SLOWEST]:
        print(json.dumps({"ms": round(ms, 2), "typed": typed}))


def times(engine: SearchEngine, count: int, seed: int) -> Iterator[tuple[float, str]]:
    """Milliseconds of each of so many queries, with what was typed; none is asked twice."""
    for typed in queries(count, seed, words()):
        request = request_of(typed)
        began = time.perf_counter()
        engine.search(request)
        yield (time.perf_counter() - began) * 1000, typed


def request_of(typed: str) -> SearchRequest:
    """What the page would ask."""
    return SearchRequest(parse(typed).text, facets=FACETS)


def queries(count: int, seed: int, known: Sequence[str]) -> Iterator[str]:
    """Random queries as long as is allowed: common and rare words, mistakes, phrases, signs, and all of it at once."""
    dice = random.Random(seed)
    while count:
        kind = dice.randrange(6)
        pieces = [piece(dice, kind, known) for _ in range(dice.randint(1, limits.QUERY_TERMS))]
        typed = (dice.choice([" ", "  ", "-"]) if kind == 5 else " ").join(pieces)[: limits.QUERY]
        try:
            parse(typed)
        except QueryTooLong:
            continue
        count -= 1
        yield typed


def piece(dice: random.Random, kind: int, known: Sequence[str]) -> str:
    """One word of a query of this kind."""
    common, rare = dice.choice(known[:COMMON]), dice.choice(known)
    if kind == 0:
        return common
    if kind == 1:
        return mistyped(dice, rare)
    if kind == 2:
        return f'"{common} {dice.choice(known[:COMMON])}"'
    if kind == 3:
        return dice.choice(["-", "skill:", ""]) + common
    if kind == 4:
        return "".join(chr(dice.choice([dice.randrange(32, 127), dice.randrange(0x3041, 0x9FFF)])) for _ in range(10))
    return dice.choice(SIGNS) + dice.choice([common, rare, mistyped(dice, common)])


def mistyped(dice: random.Random, word: str) -> str:
    """The word with two letters changed, so that nothing is near it but much looks alike."""
    letters = list(word)
    for _ in range(2):
        letters[dice.randrange(len(letters))] = dice.choice("abcdefghijklmnopqrstuvwxyz")
    return "".join(letters)


def summed_up(all_ms: Sequence[float]) -> dict[str, Any]:
    """The median, the 99th percentile and the longest."""
    ordered = sorted(all_ms)
    p99 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    return {
        "p50_ms": round(ordered[len(ordered) // 2], 2),
        "p99_ms": round(p99, 2),
        "max_ms": round(ordered[-1], 2),
    }


if __name__ == "__main__":
    main()
