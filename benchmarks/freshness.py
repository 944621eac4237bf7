"""How soon a changed offer can be found while many change: the worker beside, as `flask start` runs it.

`python benchmarks/freshness.py` makes a large community in a temporary folder, changes 20 offers a second, and looks
for the new word of each until it is found. It prints one JSON line: `p50_ms, p95_ms, max_ms` from the commit on, and
`late`, how many were not found within LATE_SECONDS.
A benchmark, not a test: it says what is.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import deque
from pathlib import Path
from time import monotonic, sleep

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from skillshare import create_app, jobs
from skillshare.db import db
from skillshare.models.listings import ListingState, Offer
from skillshare.search.engine import SearchEngine, SearchRequest, Text

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SEED = 7
LOOK_EVERY = 0.01
LATE_SECONDS = 10.0


def main() -> int:
    """Measure as the command line asks."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="teachback-") as folder:
        os.environ |= {"DATA_DIR": folder, "DEMO": "0"}
        make = [sys.executable, str(HERE / "community.py"), "make", str(options.members)]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(make, env=env, cwd=ROOT, check=True, stdout=sys.stderr, timeout=3600)
        print(json.dumps(_measure(options.rate, options.seconds)), flush=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=20.0, help="changes a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    return parser.parse_args()


def _measure(rate: float, seconds: float) -> dict[str, float]:
    app = create_app()
    engine: SearchEngine = app.extensions["search"]
    with app.app_context():
        query = sa.select(Offer.id).where(Offer.state == ListingState.OPEN, Offer.not_lapsed()).order_by(Offer.id)
        ids = random.Random(SEED).sample(list(db.session.scalars(query)), int(rate * seconds))
        db.session.rollback()
        jobs.work_once()
        stop = jobs.start_beside(app)
        took = _changed_and_found(engine, ids, 1 / rate)
        stop.set()
    took.sort()
    return {
        "documents": engine.status().documents,
        "changes": len(ids),
        "a_second": rate,
        "p50_ms": round(took[len(took) // 2] * 1000),
        "p95_ms": round(took[int(len(took) * 0.95)] * 1000),
        "max_ms": round(took[-1] * 1000),
        "late": sum(seconds >= LATE_SECONDS for seconds in took),
    }


def _changed_and_found(engine: SearchEngine, ids: list[int], step: float) -> list[float]:
    """Change these offers at an even pace; how many seconds until each was found."""
    began, took = monotonic(), []
    waiting: deque[tuple[str, float]] = deque()
    left = deque(enumerate(ids))
    while left or waiting:
        if left and monotonic() >= began + left[0][0] * step:
            number, id_ = left.popleft()
            word = _word(number)
            _change(id_, word)
            waiting.append((word, monotonic()))
        for _ in range(len(waiting)):
            word, since = waiting.popleft()
            seconds = monotonic() - since
            if seconds >= LATE_SECONDS or engine.search(SearchRequest(Text((word,)), exact=True)).hits:
                took.append(seconds)
            else:
                waiting.append((word, since))
        sleep(LOOK_EVERY)
    return took


def _word(number: int) -> str:
    """A word that no offer has."""
    return "xq" + "".join("abcdefghij"[int(digit)] for digit in f"{number:05d}")


def _change(id_: int, word: str) -> None:
    whole = sa.select(Offer).where(Offer.id == id_).options(joinedload(Offer.member), joinedload(Offer.skill))
    offer = db.session.scalars(whole).one()
    offer.edit(by=offer.member, version=offer.version, safety_read=True, practice=f"{offer.practice} {word}")
    db.session.commit()


if __name__ == "__main__":
    sys.exit(main())
