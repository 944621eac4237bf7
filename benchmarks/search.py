"""How fast search is at 100,000 offers, beside other engines on the same machine, in one run.

`python -m tests.services python benchmarks/search.py --engines whoosh,postgres,fts5,tantivy` gives every engine the
same documents and the same questions, each in a process of its own. It prints a JSON line for each engine and kind of
question (`p50_ms, p95_ms, p99_ms` over the medians of some rounds, `cpu_ms` the mean), one for each engine
(`build_per_s, index_mb, memory_mb, cold_ms, update_ms`), and what the others take, times ours.

`memory_mb` is what belongs to the searching process alone when all was asked, without the questions themselves;
`own_mb` is what of it came with the index.
`cold_ms` is the first question of a process whose files were not in memory. Of PostgreSQL, memory is its backend's.
How long a whole page takes stands in pages.py; how soon a change is found, in freshness.py.
A benchmark, not a test: it says what is. The machine is never quiet: compare what one run says of all.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from offers import Question, changed, offers, questions
from search_engines import ENGINES, KINDS, Engine, NotHere
from search_engines.ours import Ours

from skillshare.search.engine import Document

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
USUAL, LARGE = 100_000, 1_000_000
ROUNDS = 5
UPDATES = 30
SECONDS_A_KIND = 20.0
"""After these no further round is begun; the first is always finished."""
BESIDE = "whoosh"
"""What the others are compared with."""


def main() -> int:
    """Measure as the command line asks: the parent runs a child for each engine, and compares."""
    options = _options()
    if options.stage:
        return _child(options)
    found: dict[str, dict[str, float]] = {}
    for name in options.engines:
        with tempfile.TemporaryDirectory(prefix="teachback-", dir=options.folder) as folder:
            lines = _measured(name, "build", folder, options)
            lines += _measured(name, "ask", folder, options) if lines else []
        whole: dict[str, Any] = {}
        for line in lines:
            if "query" in line:
                found.setdefault(name, {})[line["query"]] = line["p95_ms"]
                print(json.dumps(line), flush=True)
            else:
                whole |= line
        if whole:
            print(json.dumps({"engine": name, "documents": options.documents} | whole), flush=True)
    _compare(found)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=USUAL)
    parser.add_argument("--large", action="store_true", help=f"{LARGE} documents")
    parser.add_argument("--engines", type=lambda said: said.split(","), default=list(ENGINES), help=", ".join(ENGINES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="only kinds of question whose name contains this")
    parser.add_argument("--folder", type=Path, help="where the indexes are made; by default among temporary files")
    parser.add_argument("--stage", choices=("build", "ask"), help=argparse.SUPPRESS)
    parser.add_argument("--at", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.large:
        options.documents = LARGE
    if unknown := set(options.engines) - set(ENGINES):
        parser.error(f"no engine {', '.join(sorted(unknown))}; there are {', '.join(ENGINES)}")
    return options


def _measured(name: str, stage: str, folder: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The lines that one stage of one engine prints, in a process of its own; none if it cannot run here."""
    command = [sys.executable, __file__, "--stage", stage, "--at", folder, "--engines", name]
    command += ["--documents", str(options.documents), "--rounds", str(options.rounds), "--only", options.only]
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _child(options: argparse.Namespace) -> int:
    (name,) = options.engines
    file, _, called = ENGINES[name].partition(":")
    try:
        engine: Engine = getattr(import_module(f"search_engines.{file}"), called)(options.at)
    except (NotHere, ImportError) as missing:
        print(f"{name} is left out: {missing}", file=sys.stderr)
        return 1
    bare_mb = _alone_mb(os.getpid())
    if options.stage == "build":
        print(json.dumps(_build(engine, options.documents)))
    else:
        for line in _ask(engine, name, options, bare_mb):
            print(json.dumps(line), flush=True)
    return 0


def _build(engine: Engine, documents: int) -> dict[str, float]:
    """Index all documents; making them is not counted."""
    watch = Stopwatch()
    given: Iterable[Document] = offers(documents)
    if isinstance(engine, Ours):
        given = engine.keep_texts(given)
    began, began_cpu = time.perf_counter(), time.process_time()
    engine.build(watch.aside(given))
    seconds = time.perf_counter() - began - watch.seconds
    cpu = time.process_time() - began_cpu - watch.cpu
    os.sync()
    return {
        "build_per_s": round(documents / seconds),
        "build_cpu_s": round(cpu, 1),
        "index_mb": round(engine.size_mb(), 1),
        "peak_mb": round(_status_mb(os.getpid(), "VmHWM"), 1),
    }


class Stopwatch:
    """How long it took to make what was given."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0

    def aside(self, things: Iterable[Document]) -> Iterator[Document]:
        """The same things."""
        rest = iter(things)
        while True:
            began, began_cpu = time.perf_counter(), time.process_time()
            thing = next(rest, None)
            self.seconds += time.perf_counter() - began
            self.cpu += time.process_time() - began_cpu
            if thing is None:
                return
            yield thing


def _ask(engine: Engine, name: str, options: argparse.Namespace, bare_mb: float) -> Iterator[dict[str, Any]]:
    """The figures of each kind of question, and of the process that answered them."""
    _forget_files(options.at)
    asked = questions(options.documents)
    before_mb = _alone_mb(os.getpid())
    began = time.perf_counter()
    engine.open()
    engine.word(asked["middling word"][0])
    cold = time.perf_counter() - began
    for kind, method in KINDS.items():
        if options.only in kind:
            line = {"engine": name, "documents": options.documents, "query": kind}
            yield line | _timed(getattr(engine, method), asked[kind], options.rounds)
    others = engine.memory_of()
    own = sum(map(_alone_mb, others)) if others else _alone_mb(os.getpid()) - before_mb
    updates = [_seconds(engine.update, changed(n * 37 % options.documents, 2 + n)) for n in range(UPDATES)]
    yield {
        "memory_mb": round(own if others else bare_mb + own, 1),
        "own_mb": round(own, 1),
        "cold_ms": round(cold * 1000, 1),
        "update_ms": round(median(updates) * 1000, 2),
        "update_p95_ms": round(sorted(updates)[int(UPDATES * 0.95)] * 1000, 2),
    }


def _timed(ask: Callable[[Question], int], asked: list[Question], rounds: int) -> dict[str, float]:
    """Each question's median of some rounds, then the percentiles of these."""
    times: list[list[float]] = [[] for _ in asked]
    hits, began, began_cpu, done = [], time.perf_counter(), time.process_time(), 0
    for round_ in range(rounds):
        for own, question in zip(times, asked, strict=True):
            if round_ and time.perf_counter() - began > SECONDS_A_KIND:
                break
            start = time.perf_counter()
            found = ask(question)
            own.append(time.perf_counter() - start)
            done += 1
            if not round_:
                hits.append(found)
    cpu = time.process_time() - began_cpu
    medians = sorted(median(own) * 1000 for own in times)

    def part(share: float) -> float:
        return round(medians[min(len(medians) - 1, int(len(medians) * share))], 3)

    return {
        "p50_ms": part(0.5),
        "p95_ms": part(0.95),
        "p99_ms": part(0.99),
        "cpu_ms": round(cpu / done * 1000, 3),
        "hits": median(hits),
        "questions": len(asked),
    }


def _seconds(update: Callable[[Document], None], document: Document) -> float:
    began = time.perf_counter()
    update(document)
    return time.perf_counter() - began


def _compare(found: dict[str, dict[str, float]]) -> None:
    """What each of the others takes at p95, times ours: below 1, it is faster."""
    for other, times in found.items():
        if other != BESIDE and BESIDE in found:
            ratios = {kind: round(times[kind] / found[BESIDE][kind], 2) for kind in found[BESIDE] if kind in times}
            print(json.dumps({"times_whoosh_p95": other} | ratios), flush=True)


def _forget_files(folder: Path) -> None:
    """Ask the system to drop these files from its cache, so that the first question reads them."""
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def _alone_mb(pid: int) -> float:
    """Memory that a process shares with nobody; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def _status_mb(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    sys.exit(main())
