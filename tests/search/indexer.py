"""Indexers in processes of their own, whole or broken on purpose, that may be killed at any moment.

`python -m tests.search.indexer FOLDER` waits for lines on its input, each "VARIANT FAULT", forks an indexer for it and
says its process id. A FAULT is the step of every third batch at which the indexer kills itself, or "none".
"""

import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path

from skillshare import create_app, jobs, limits
from skillshare.db import db
from skillshare.models.outbox import Outbox
from skillshare.search import generations, reading, sync, writing
from tests.conftest import settings_for

WHOLE = "whole"
FINISHES_FIRST = "finishes-first"
REBUILDS = "rebuilds"
REBUILDS_IN_PLACE = "rebuilds-in-place"
FAULTS = ("claimed", "applied", "none")
EVERY = 3

batches = itertools.count(1)


def main(folder: Path) -> None:
    """Fork an indexer for every line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for line in sys.stdin:
        variant, fault = line.split()
        pid = os.fork()
        if pid == 0:
            index(folder, variant, fault)
            os._exit(0)
        print(pid, flush=True)  # noqa: T201


def index(folder: Path, variant: str, fault: str) -> None:
    """Be an indexer, until killed."""
    jobs.IDLE_SECONDS, sync.LOOK_EVERY, reading.LOOK_AGAIN_SECONDS = 0.02, 0.2, 0.1
    jobs.LEASES["index"] = limits.INDEX_LEASE / 10
    app = create_app(settings_for(folder))
    if variant in (REBUILDS, REBUILDS_IN_PLACE):
        if variant == REBUILDS_IN_PLACE:
            writing.rebuild = in_place
        with app.app_context():
            while True:
                sync.rebuild(app.extensions["search"])
    at_once, _handler = jobs.HANDLERS["index"]
    jobs.HANDLERS["index"] = (at_once, finishes_first() if variant == FINISHES_FIRST else whole(fault))
    jobs.work(app, threading.Event())


def die(fault: str, step: str, batch: int) -> None:
    """Kill -9, when this is the step."""
    if fault == step and batch % EVERY == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def whole(fault: str) -> object:
    """The handler as it is, that may die before and after its work."""

    def handle(rows: list[Outbox]) -> list[Outbox]:
        batch = next(batches)
        die(fault, "claimed", batch)
        done = jobs.sync_index(rows)
        die(fault, "applied", batch)
        return done

    return handle


def finishes_first() -> object:
    """Broken: rows are done before their documents were seen in the index, and every other time it dies in between."""

    def handle(rows: list[Outbox]) -> list[Outbox]:
        Outbox.finish(rows)
        db.session.commit()
        if next(batches) % 2 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.3)
        return jobs.sync_index(rows)

    return handle


def in_place(kept: generations.Generations, *rest: object, _rebuild: object = writing.rebuild) -> object:
    """Broken: what answers is taken away before what will answer is there, instead of being replaced at once."""
    (kept.root / "current").unlink(missing_ok=True)
    return _rebuild(kept, *rest)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
