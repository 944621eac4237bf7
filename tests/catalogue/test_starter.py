"""The starter list as it is shipped: what a new instance is filled with."""

import csv
from collections import Counter, defaultdict
from graphlib import TopologicalSorter

import pytest
import sqlalchemy as sa

from skillshare import catalogue
from skillshare.catalogue import STARTER
from skillshare.models.outbox import Outbox
from skillshare.models.skills import Skill, SkillLink, SkillName, SkillText, Topic, folded


@pytest.fixture(scope="module")
def rows():
    """Every row of the lists."""
    found = []
    for path in sorted(STARTER.glob("skills_*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found += csv.DictReader(file)
    return found


@pytest.fixture(scope="module")
def topics():
    """Every row of the topics."""
    with (STARTER / "topics.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_are_two_hundred_skills_in_twelve_topics(rows, topics):
    assert len({row["slug"] for row in rows}) >= 200
    assert {row["topic"] for row in rows} == {topic["en"] for topic in topics}
    assert len(topics) == 12
    assert all(topic["es"] for topic in topics)


def test_every_skill_stands_in_both_languages(rows):
    languages = defaultdict(set)
    for row in rows:
        languages[row["slug"]].add(row["locale"])

    assert set(map(frozenset, languages.values())) == {frozenset(("en", "es"))}


def test_every_skill_has_its_practice_and_its_theory(rows):
    for row in rows:
        assert len(row["summary"]) > 15, row["slug"]
        assert len(row["practice"]) > 30, row["slug"]
        assert len(row["theory"]) > 30, row["slug"]


def test_what_can_go_wrong_has_a_safety_text(rows):
    for row in rows:
        assert bool(row["safety"]) == (row["care"] != "none"), row["slug"]


def test_no_name_belongs_to_two_skills(rows):
    owners = defaultdict(set)
    for row in rows:
        for name in (row["name"], *row["other_names"].split("|")):
            owners[folded(name), row["locale"]].add(row["slug"])

    assert [name for name, slugs in owners.items() if len(slugs) > 1] == []


def test_what_comes_first_exists_and_never_comes_after(rows):
    before = {row["slug"]: set(filter(None, row["first_learn"].split("|"))) for row in rows}

    assert set().union(*before.values()) <= before.keys()
    TopologicalSorter(before).prepare()  # raises on a loop


def test_both_languages_say_the_same_of_care(rows):
    said = defaultdict(set)
    for row in rows:
        said[row["slug"]].add((row["care"], row["refresh_days"], row["first_learn"], row["topic"]))

    assert Counter(map(len, said.values())).keys() == {1}


def test_all_of_it_goes_into_the_catalogue(db, rows):
    report = catalogue.starter()
    db.session.commit()

    def count(what):
        return db.session.scalar(sa.select(sa.func.count()).select_from(what))

    assert (report.skills, report.texts, report.bad, report.taken, report.other_names_taken, report.loops) == (
        len({row["slug"] for row in rows}),
        len(rows),
        [],
        [],
        0,
        0,
    )
    assert count(Topic) == 12
    assert count(Skill) == count(Outbox) == report.skills
    assert count(SkillText) == len(rows)
    assert count(SkillName) > 2 * len(rows)
    assert count(SkillLink) == report.links > 0


def test_a_second_time_changes_nothing(db, rows):
    catalogue.starter()
    db.session.commit()

    again = catalogue.starter()

    assert (again.skills, again.texts, again.links, again.there) == (0, 0, 0, len(rows))
    assert not db.session.new
