"""Many skills at once: the starter list, a list of an instance's own, and the ESCO classification.

Read (`rows`), understand (`listing`, `esco`), put on the shelves (`shelves`). An import is one transaction, which the
caller commits: all of it is there or nothing is, and running it again adds only what is missing.
Not here: one skill that a member writes (`models/skills.py`).
"""

from collections.abc import Sequence
from pathlib import Path

from . import esco, listing
from .rows import NotACatalogue, tables_of
from .shelves import Progress, Report, put, quietly

STARTER = Path(__file__).parent.parent / "starter"
TOPICS = "topics.csv"


def starter(path: Path | None = None, progress: Progress = quietly) -> Report:
    """Put the skills of our starter list, or of the list at `path` instead, into the catalogue."""
    return _put_listing(path or STARTER, progress)


def bring_in(path: Path, languages: Sequence[str], progress: Progress = quietly) -> Report:
    """Put the skills of a list like the starter's, or of ESCO's CSV files or zip, into the catalogue.

    Of ESCO only `languages` are taken. Raises `NotACatalogue` for a file that is neither.
    """
    tables = tables_of(path)
    if not any(esco.knows(table) for table in tables):
        return _put_listing(path, progress)
    entries, bad = esco.read(tables, languages)
    report = put(entries, progress)
    report.bad[:0] = bad
    report.attribution = esco.ATTRIBUTION
    return report


def _put_listing(path: Path, progress: Progress) -> Report:
    lists = [table for table in tables_of(path) if listing.knows(table)]
    if not lists:
        raise NotACatalogue(f"{path.name} is neither a list of skills nor a file of ESCO")
    folder = path if path.is_dir() else path.parent
    topics = next((file for file in (folder / TOPICS, STARTER / TOPICS) if file.exists()), None)
    entries, bad = listing.read(lists, tables_of(topics)[0] if topics else None)
    report = put(entries, progress)
    report.bad[:0] = bad
    return report
