"""No money, no ratings, no ranks (SPEC I28, I1): not in a table, a form, a page or a mail."""

import re
from pathlib import Path

import pytest

from skillshare.db import db as database

ROOT = Path(__file__).parents[1]
MONEY_AND_MARKS = (
    "price|fee|fees|credit|credits|balance|balances|karma|star|stars|score|scores|rank|ranks|ranking|rating|ratings|"
    "level|levels|badge|badges|leaderboard|endorse|endorsement|streak|premium|verified_member"
)
FORBIDDEN = re.compile(rf"(?<![a-z])({MONEY_AND_MARKS})(?![a-z])", re.IGNORECASE)
ROLES = re.compile(r"(teacher|student|pupil|instructor|tutor|is_admin|role)")


def names_in_the_schema():
    """Every table and column, as `table.column`."""
    return [f"{table.name}.{column.name}" for table in database.metadata.sorted_tables for column in table.columns]


def texts_shown():
    """Each template and form with its text, comments left out."""
    for path in sorted([*ROOT.glob("templates/**/*.*"), *ROOT.glob("skillshare/forms/*.py")]):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        yield path.relative_to(ROOT), text


@pytest.mark.parametrize("name", names_in_the_schema())
def test_no_column_measures_a_person(name):
    assert not FORBIDDEN.search(name.replace("_", " ").replace(".", " "))


def test_no_template_or_form_speaks_of_money_or_marks():
    found = [(str(path), match.group()) for path, text in texts_shown() for match in FORBIDDEN.finditer(text)]

    assert found == []


def test_members_have_no_role():
    columns = database.metadata.tables["member"].columns.keys()

    assert [name for name in columns if ROLES.search(name)] == []


@pytest.mark.parametrize("word", ["price", "member_score", "star", "Level"])
def test_the_words_would_be_noticed(word):
    assert FORBIDDEN.search(word.replace("_", " "))
