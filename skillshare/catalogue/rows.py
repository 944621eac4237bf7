"""CSV files, alone, in a folder or in a zip, read by their header, never by position; and what is wrong with a row."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from skillshare.forms.base import many_lines, one_line

Row = dict[str, str]


class NotACatalogue(Exception):
    """A file that holds no skills we can read; the message says why."""


class WrongRow(Exception):
    """A row that cannot be used; the message says why."""


@dataclass(frozen=True)
class BadRow:
    """A row that was skipped: where it begins, and why."""

    file: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.why}"


@dataclass(frozen=True)
class Table:
    """One CSV file. `name` is what people call it, for messages."""

    name: str
    open: Callable[[], IO[bytes]]

    @property
    def header(self) -> set[str]:
        """The names of its columns."""
        with self._text() as text:
            return {name.strip() for name in next(csv.reader(text), [])}

    @property
    def language(self) -> str | None:
        """The language its name ends in: `skills_es.csv` → `es`."""
        found = re.search(r"_([a-z]{2})\.csv$", self.name)
        return found[1] if found else None

    def rows(self, bad: list[BadRow]) -> Iterator[tuple[int, Row]]:
        """Every row with the line it begins in. Rows that are no rows go into `bad` instead."""
        with self._text() as text:
            reader = csv.reader(text)
            header = [name.strip() for name in next(reader, [])]
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    bad.append(BadRow(self.name, line, str(error)))
                    continue
                if not cells:
                    continue
                if why := _why_not(cells, header):
                    bad.append(BadRow(self.name, line, why))
                else:
                    yield line, dict(zip(header, cells, strict=False))

    def _text(self) -> IO[str]:
        return io.TextIOWrapper(self.open(), encoding="utf-8-sig", errors="replace", newline="")


def tables_of(path: Path) -> list[Table]:
    """The CSV files at `path`: itself, those in the folder, those in the zip. Raises `NotACatalogue` without any."""
    if path.is_dir():
        tables = [_file(file) for file in sorted(path.glob("*.csv"))]
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            tables = [_member(path, name) for name in sorted(archive.namelist()) if name.endswith(".csv")]
    elif path.suffix == ".csv":
        tables = [_file(path)]
    else:
        raise NotACatalogue(f"{path.name} is neither a CSV file nor a zip that can be opened")
    if not tables:
        raise NotACatalogue(f"there is no CSV file in {path.name}")
    return tables


def line_of(text: str) -> str:
    """Text of one line as the forms keep it."""
    return " ".join(text.split()) if text.isprintable() else one_line(text)


def lines_of(text: str) -> str:
    """Text of several lines as the forms keep it."""
    return text.strip() if text.isprintable() else many_lines(text)


def cut(text: str, most: int) -> str:
    """`text` in at most `most` characters, cut between two words."""
    if len(text) <= most:
        return text
    return text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def _file(path: Path) -> Table:
    return Table(path.name, lambda: path.open("rb"))


def _member(archive: Path, name: str) -> Table:
    return Table(Path(name).name, lambda: zipfile.ZipFile(archive).open(name))


def _why_not(cells: list[str], header: list[str]) -> str | None:
    if len(cells) > len(header):
        return f"{len(cells)} cells, but the header names {len(header)}"
    if any("\ufffd" in cell for cell in cells):
        return "not in UTF-8"
    return None
