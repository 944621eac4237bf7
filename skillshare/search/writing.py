"""Commits: what replaces what, which segments are merged, and how a new generation comes to be.

Whoever calls holds the lock.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from . import whoosh_parts as parts
from .analysis import forget_terms
from .engine import Document
from .fields import columns_of, postings_of
from .generations import Generations, Mark, read_checks, remove_other_checks, write_checks
from .grouping import Postings
from .snapshot import Snapshot

CHUNK, CHUNK_MAX, CHUNK_PART = 25_000, 65_000, 4
"""Documents of a segment when rebuilding: at least and at most so many, in between a part of those that are in.

Some 10 kB of memory each while the segment is made; a search looks into each segment, so few are better. Up to
65,536 documents the place of a word needs four bytes instead of eight (see segments.py).
"""
MERGE_AT_MOST = 5_000
"""Living documents of a segment that is still merged; larger ones wait for a rebuild."""
TOLD_EVERY = 100

Prepared = tuple[dict[str, Postings], dict[str, bytes]]


def prepared(document: Document, languages: frozenset[str]) -> Prepared:
    """A document as the index keeps it, word forms in these languages."""
    return postings_of(document, languages), columns_of(document)


def replace(generations: Generations, mark: Mark, snapshot: Snapshot, gone: set[str], added: list[Prepared]) -> None:
    """Commit: documents with the keys in `gone` go, those `added` come, and small segments are merged."""
    folder = generations.path(mark)
    parts.forget_unpublished(folder, mark.contents)
    checks = read_checks(folder, mark.contents)

    def publish(contents: int, segments: list[Any]) -> None:
        write_checks(folder, contents, segments, checks)
        generations.publish(Mark(folder.name, contents))
        remove_other_checks(folder, contents)

    with parts.writing(folder) as writer:
        removed = _remove(writer, snapshot, gone)
        if not removed and not added:
            return
        for each in added:
            writer.add(*each)
        writer.commit_with(_merge(writer, snapshot, len(added)), publish)


def rebuild(generations: Generations, documents: Iterable[Document], progress: Callable[[int], None]) -> Mark:
    """Fill a new folder, let it answer, and remove the others. Of documents with one key the first counts."""
    folder = generations.new_folder()
    try:
        told = _told(_unlike(documents), progress)
        mark = Mark(folder.name, _fill(folder, told, frozenset(generations.languages)))
        write_checks(folder, mark.contents, parts.segments_of(folder, mark.contents), {})
        generations.publish(mark)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        forget_terms()
    generations.remove_others(mark)
    return mark


def _fill(folder: Path, documents: Iterator[Document], languages: frozenset[str]) -> int:
    """Write all documents, a segment for each CHUNK; returns the number of the table of contents."""
    parts.create(folder)
    contents = 0

    def note(number: int, segments: list[Any]) -> None:
        nonlocal contents
        contents = number

    done = 0
    while chunk := list(islice(documents, 1)):
        with parts.writing(folder) as writer:
            size = min(max(CHUNK, done // CHUNK_PART), CHUNK_MAX)
            for document in chain(chunk, islice(documents, size - 1)):
                writer.add(*prepared(document, languages))
                done += 1
            writer.commit_with(writer.segments, note)
    return contents


def _unlike(documents: Iterable[Document]) -> Iterator[Document]:
    seen: set[str] = set()
    for document in documents:
        if document.key not in seen:
            seen.add(document.key)
            yield document


def _told(documents: Iterable[Document], progress: Callable[[int], None]) -> Iterator[Document]:
    done = 0
    for done, document in enumerate(documents, 1):
        yield document
        if done % TOLD_EVERY == 0:
            progress(done)
    progress(done)


def _remove(writer: parts.Writer, snapshot: Snapshot, gone: set[str]) -> int:
    removed = 0
    for at, segment in enumerate(snapshot.segments):
        alive = snapshot.alive_in(at)
        for key in gone:
            number = segment.number_of(key)
            if number is not None and alive[number]:
                writer.segments[at].delete_document(number)
                removed += 1
    return removed


def _merge(writer: parts.Writer, snapshot: Snapshot, added: int) -> list[Any]:
    """Take small segments over into the new one; returns those that stay.

    A segment goes when it is at most twice as large as what is already going: so there are never more segments
    than a logarithm of the documents, and each document is copied no more often.
    """
    masks = [parts.alive_in(each, stored.size) for each, stored in zip(writer.segments, snapshot.segments, strict=True)]
    living = [
        segment.size if mask is None else int(np.count_nonzero(mask))
        for segment, mask in zip(snapshot.segments, masks, strict=True)
    ]
    kept, total = [], added
    for at in sorted(range(len(living)), key=lambda at: living[at]):
        if living[at] and (living[at] > 2 * total or living[at] > MERGE_AT_MOST):
            kept.append(at)
        elif living[at]:
            writer.take_over(snapshot.segments[at].stored, masks[at])
            total += living[at]
    return [writer.segments[at] for at in sorted(kept)]
