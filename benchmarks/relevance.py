"""How well search finds what is meant, beside other engines: known items out of ESCO.

`python -m tests.services python benchmarks/relevance.py esco-sample.zip` asks every engine the same questions and
prints a JSON line for each engine and task: `ndcg_10`, `mrr_10`, `recall_10`, and `nothing`, the share of questions
that find nothing at all. Ours is tuned with `--half tuned`; what is reported is the other half.
A benchmark, not a test: it says what is. Without TEST_POSTGRES_URL it leaves PostgreSQL out.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from math import log2
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from finders import FINDERS, POSTGRES_FINDERS, TOP, Find
from known_items import Task, read, tasks

Build = Callable[..., Find]


def main() -> int:
    """Measure as the command line asks."""
    options = _options()
    skills = read(options.sample)
    url = os.environ.get("TEST_POSTGRES_URL", "")
    engines: dict[str, Build] = dict(FINDERS)
    if url:
        engines |= {name: partial(build, url=url) for name, build in POSTGRES_FINDERS.items()}
    chosen = [name for name in engines if not options.engines or name.split()[0].strip(",") in options.engines]
    for task in tasks(skills, options.half == "reported", options.questions):
        if options.only in task.name:
            for name in chosen:
                print(json.dumps({"engine": name, "task": task.name} | _measured(engines[name], task)), flush=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", type=Path, help="a zip with ESCO's skills_en.csv and skills_es.csv")
    parser.add_argument("--half", choices=("reported", "tuned"), default="reported", help="whose skills are asked for")
    parser.add_argument("--questions", type=int, default=500, help="at most so many for each task")
    parser.add_argument("--only", default="", help="only tasks whose name contains this")
    parser.add_argument("--engines", type=lambda said: said.split(","), default=[], help="whoosh,fts5,tantivy,postgres")
    return parser.parse_args()


def _measured(build: Build, task: Task) -> dict[str, float]:
    """What an engine makes of a task."""
    with tempfile.TemporaryDirectory(prefix="teachback-") as folder:
        find = build(task.documents, task.language, Path(folder))
        began = perf_counter()
        found = [(find(words), key) for words, key in task.questions]
        seconds = perf_counter() - began
    places = [keys.index(key) + 1 if key in keys else None for keys, key in found]
    asked = len(places)
    return {
        "documents": len(task.documents),
        "questions": asked,
        f"ndcg_{TOP}": round(sum(1 / log2(place + 1) for place in places if place) / asked, 3),
        f"mrr_{TOP}": round(sum(1 / place for place in places if place) / asked, 3),
        f"recall_{TOP}": round(sum(place is not None for place in places) / asked, 3),
        "nothing": round(sum(not keys for keys, _ in found) / asked, 4),
        "mean_ms": round(seconds / asked * 1000, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
