"""Known items out of ESCO: questions to each of which one skill is the answer.

`read` takes the sample or the official files (a zip with `skills_en.csv` and `skills_es.csv`); `tasks` makes of them
collections of documents, each with its questions. Everything is drawn by a hash of the concept's address, so that
each run asks the same, and the half a skill is in never changes.
"""

import csv
import io
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from skillshare import limits
from skillshare.search.analysis import fold, words_of
from skillshare.search.engine import Document

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MISTAKEN_FROM = 4
"""Letters of a word from which on a mistake is made in it."""


class Skill(NamedTuple):
    """One skill. Others are further names of it; Spanish names may be missing."""

    uri: str
    english: str
    english_others: list[str]
    description: str
    spanish: str
    spanish_others: list[str]

    @property
    def is_reported(self) -> bool:
        """Which half a skill is in: what is tuned on the one is reported on the other."""
        return _drawn(self.uri, "half").random() < 0.5


class Task(NamedTuple):
    """A collection, and what is asked of it: (words, key of the one document that is meant)."""

    name: str
    language: str
    documents: list[Document]
    questions: list[tuple[str, str]]


def read(path: Path) -> list[Skill]:
    """All skills that have a name in English."""
    with zipfile.ZipFile(path) as archive:
        spanish = {row["conceptUri"]: row for row in _rows(archive, "skills_es.csv")}
        found = []
        for row in _rows(archive, "skills_en.csv"):
            other = spanish.get(row["conceptUri"], {})
            label, others = row["preferredLabel"], row["altLabels"]
            es_label, es_others = other.get("preferredLabel", ""), other.get("altLabels", "")
            found.append(
                Skill(
                    row["conceptUri"],
                    label,
                    _unlike(others, label),
                    row["description"],
                    es_label,
                    _unlike(es_others, es_label),
                )
            )
    return [skill for skill in found if skill.english]


def tasks(skills: Sequence[Skill], reported: bool, most: int) -> Iterator[Task]:
    """Every task, with at most `most` questions about the skills of one half; all skills are to be found in."""
    asked = [skill for skill in skills if skill.is_reported == reported]
    keys = {skill.uri: f"skill:{number}" for number, skill in enumerate(skills)}
    for name, language, document, question in TASKS:
        documents = {skill.uri: document(skill, keys[skill.uri]) for skill in skills}
        there = {uri: document for uri, document in documents.items() if document.title}
        questions = [(words, keys[skill.uri]) for skill in asked if skill.uri in there and (words := question(skill))]
        some = random.Random(name).sample(questions, min(most, len(questions)))
        yield Task(name, language, list(there.values()), some)


def _rows(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    path = next(found for found in archive.namelist() if found.endswith(name))
    with archive.open(path) as file:
        yield from csv.DictReader(io.TextIOWrapper(file, "utf-8-sig", newline=""))


def _unlike(lines: str, label: str) -> list[str]:
    """The names in these lines that are no more than once the same, whatever their case and accents."""
    names = {fold(name.strip()): name.strip() for name in lines.split("\n") if name.strip()}
    names.pop(fold(label), None)
    return list(names.values())


def _drawn(uri: str, what: str) -> random.Random:
    return random.Random(blake2b(f"{what} {uri}".encode(), digest_size=8).digest())


def _held_out(skill: Skill, others: list[str]) -> str:
    """One of the other names, kept out of the documents."""
    return _drawn(skill.uri, "other").choice(others) if others else ""


def _but(others: list[str], one: str, language: str) -> tuple[tuple[str, str], ...]:
    return tuple((language, other) for other in others if other != one)


def _english(skill: Skill, key: str) -> Document:
    names = _but(skill.english_others, _held_out(skill, skill.english_others), "en")
    return Document(key, 1, "en", skill.english, names, skill.description)


def _spanish(skill: Skill, key: str) -> Document:
    names = _but(skill.spanish_others, _held_out(skill, skill.spanish_others), "es")
    return Document(key, 1, "es", skill.spanish, names)


def _names_only(skill: Skill, key: str) -> Document:
    return replace(_english(skill, key), practice="")


def _spanish_named_in_english(skill: Skill, key: str) -> Document:
    document = _spanish(skill, key)
    return replace(document, names=(*document.names, ("en", skill.english)))


def _english_named_in_spanish(skill: Skill, key: str) -> Document:
    document = _english(skill, key)
    spanish = (("es", skill.spanish),) if skill.spanish else ()
    return replace(document, names=document.names + spanish)


def _another_english_name(skill: Skill) -> str:
    return _typed(_held_out(skill, skill.english_others))


def _another_spanish_name(skill: Skill) -> str:
    return _typed(_held_out(skill, skill.spanish_others))


def _its_description(skill: Skill) -> str:
    return _typed(skill.description)


def _typed(text: str) -> str:
    """As much of a text as the search box takes: its words, without the signs between them."""
    words = [word.written for word in words_of(text)][: limits.QUERY_TERMS]
    while len(" ".join(words)) > limits.QUERY:
        words.pop()
    return " ".join(words)


def _mistyped(name: Callable[[Skill], str]) -> Callable[[Skill], str]:
    """The name with one letter left out, added, changed or swapped with the next, in one of its longer words."""

    def question(skill: Skill) -> str:
        words, draw = _typed(name(skill)).split(), _drawn(skill.uri, "mistake")
        long = [number for number, word in enumerate(words) if len(word) >= MISTAKEN_FROM]
        if not long:
            return ""
        number = draw.choice(long)
        words[number] = _with_a_mistake(words[number], draw)
        return " ".join(words)

    return question


def _with_a_mistake(word: str, draw: random.Random) -> str:
    at, letter = draw.randrange(len(word) - 1), draw.choice(LETTERS)
    made = (
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    )
    return draw.choice([mistaken for mistaken in made if mistaken != word])


TASKS: tuple[tuple[str, str, Callable[[Skill, str], Document], Callable[[Skill], str]], ...] = (
    ("another name, English", "en", _english, _another_english_name),
    ("another name, Spanish", "es", _spanish, _another_spanish_name),
    ("description", "en", _names_only, _its_description),
    ("English query, Spanish document", "es", _spanish_named_in_english, _another_english_name),
    ("Spanish query, English document", "en", _english_named_in_spanish, _another_spanish_name),
    ("one typing mistake, English", "en", _english, _mistyped(lambda skill: skill.english)),
    ("one typing mistake, Spanish", "es", _spanish, _mistyped(lambda skill: skill.spanish)),
)
