"""Where generations of the index stand, which one answers, and who may write.

    search/            0700, ours alone: Whoosh unpickles what it reads
      current          "g-000002 17 en,es": the folder and the table of contents that answer, and the languages
                       whose word forms are in them; replaced at once
      lock             held by the one writer
      g-000002/        Whoosh's files, and checks-17.json with each one's size and checksum

A commit first puts all its files on the disk, then replaces `current`, then removes what nobody needs: a crash
at any point leaves the old state or the new one, whole.
"""

import fcntl
import json
import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from . import whoosh_parts as parts
from .engine import IndexBusy, IndexUnavailable

FOLDER_MODE = 0o700


class Mark(NamedTuple):
    """A state of the index: a folder, and the number of its table of contents."""

    folder: str
    contents: int

    def __str__(self) -> str:
        return f"{self.folder} {self.contents}"


class Generations:
    """The index's folder. An index whose word forms are those of other languages than `languages` does not answer."""

    def __init__(self, root: Path, languages: tuple[str, ...]) -> None:
        self.root, self.languages = root, languages

    def prepare(self) -> None:
        """Make the folder if there is none; raises IndexUnavailable if others could write in it."""
        self.root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        self.check_safe()

    def check_safe(self) -> None:
        """Raises IndexUnavailable unless the folder is there, ours, and writable by nobody else."""
        try:
            found = self.root.stat()
        except OSError as error:
            raise IndexUnavailable(f"no index in {self.root}") from error
        if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise IndexUnavailable(f"others could write in {self.root}: make it ours alone (chmod 700)")

    def mark(self) -> Mark:
        """What answers now; raises IndexUnavailable."""
        try:
            folder, contents, languages = (self.root / "current").read_text("ascii").split()
            mark = Mark(folder, int(contents))
        except (OSError, ValueError) as error:
            raise IndexUnavailable(f"no index in {self.root}") from error
        if languages != self._spoken:
            raise IndexUnavailable(f"the index in {self.root} is for {languages}, not for {self._spoken}")
        return mark

    @property
    def _spoken(self) -> str:
        return ",".join(sorted(self.languages))

    def path(self, mark: Mark) -> Path:
        return self.root / mark.folder

    def new_folder(self) -> Path:
        """An empty folder beside the others."""
        taken = [int(name) for name in (path.name[2:] for path in self.root.glob("g-*")) if name.isdigit()]
        folder = self.root / f"g-{max(taken, default=0) + 1:06d}"
        folder.mkdir(mode=FOLDER_MODE)
        return folder

    def publish(self, mark: Mark) -> None:
        """Let this state answer from now on."""
        written = self.root / "current.new"
        written.write_text(f"{mark} {self._spoken}\n", "ascii")
        parts.to_disk(written)
        written.replace(self.root / "current")
        parts.to_disk(self.root)

    def remove_others(self, mark: Mark) -> None:
        """Remove every generation but this one; who still reads another keeps its open files."""
        for folder in self.root.glob("g-*"):
            if folder.name != mark.folder:
                shutil.rmtree(folder, ignore_errors=True)

    def check_sizes(self) -> None:
        """Raises IndexUnavailable unless every file of what answers is there and as long as it was written."""
        mark = self.mark()
        folder = self.path(mark)
        checks = read_checks(folder, mark.contents)
        verify_sizes(folder, checks, checks)

    def size_bytes(self) -> int:
        """Bytes on disk; files may come and go meanwhile."""
        total = 0
        for file in self.root.rglob("*"):
            with suppress(OSError):
                total += file.stat().st_size
        return total

    @contextmanager
    def writing(self, wait_seconds: float) -> Iterator[None]:
        """Be the one writer. The lock dies with its process. Raises IndexBusy."""
        self.prepare()
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(descriptor, time.monotonic() + wait_seconds)
            yield
        finally:
            os.close(descriptor)


def _take(descriptor: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise IndexBusy from None
            time.sleep(0.01)


Checks = Mapping[str, tuple[int, int]]


def checks_file(folder: Path, contents: int) -> Path:
    return folder / f"checks-{contents}.json"


def write_checks(folder: Path, contents: int, segments: list[Any], known: Checks) -> None:
    """Note size and checksum of every file of a state; those of files in `known` are taken over."""
    files = [*parts.files_of(folder, segments), folder / parts.contents_file(contents)]
    checks = {file.name: known.get(file.name) or (file.stat().st_size, parts.checksum(file)) for file in files}
    path = checks_file(folder, contents)
    path.write_text(json.dumps(checks), "ascii")
    parts.to_disk(path)


def remove_other_checks(folder: Path, contents: int) -> None:
    """Forget what was noted of other states of this folder."""
    for other in folder.glob("checks-*.json"):
        if other != checks_file(folder, contents):
            other.unlink()


def read_checks(folder: Path, contents: int) -> Checks:
    """What `write_checks` noted."""
    found: dict[str, list[int]] = json.loads(checks_file(folder, contents).read_text("ascii"))
    return {name: (size, crc) for name, (size, crc) in found.items()}


def verify(folder: Path, checks: Checks, names: list[str]) -> None:
    """Raises IndexUnavailable unless these files are what they were when written."""
    verify_sizes(folder, checks, names)
    for name in names:
        if parts.checksum(folder / name) != checks[name][1]:
            raise IndexUnavailable(f"{folder / name} is damaged")


def verify_sizes(folder: Path, checks: Checks, names: Iterable[str]) -> None:
    """Raises IndexUnavailable unless these files are as long as they were when written."""
    for name in names:
        if (folder / name).stat().st_size != checks[name][0]:
            raise IndexUnavailable(f"{folder / name} is damaged")
