"""A list of skills of an instance's own: what is taken of it, and what is said of rows that will not do."""

import csv

import pytest
import sqlalchemy as sa

from skillshare import catalogue
from skillshare.catalogue.rows import NotACatalogue
from skillshare.models.outbox import Outbox
from skillshare.models.skills import Care, Skill
from tests.conftest import make_skill

COLUMNS = "slug topic care refresh_days first_learn locale name other_names summary practice theory safety".split()
BREAD = {
    "slug": "bread",
    "topic": "Baking",
    "care": "none",
    "locale": "en",
    "name": "Bread",
    "other_names": "loaf | sourdough",
    "summary": "A loaf.",
    "practice": "Mix, and\nbake.",
    "theory": "Yeast makes gas.",
}


@pytest.fixture
def write(tmp_path):
    """`write(row, …)` makes a list of these rows and returns where it is."""

    def write_(*rows, columns=COLUMNS):
        path = tmp_path / "ours.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write_


def whole(db, slug):
    return db.session.scalar(Skill.whole().where(Skill.slug == slug))


def test_a_list_of_ones_own(db, write):
    spanish = {**BREAD, "locale": "es", "name": "Pan", "other_names": "hogaza"}

    report = catalogue.starter(write(BREAD, spanish))

    skill = whole(db, "bread")
    assert (report.skills, report.texts, report.bad) == (1, 2, [])
    assert (skill.name("en"), skill.name("es"), skill.topic.name("en")) == ("Bread", "Pan", "Baking")
    assert skill.other_names("en") == ["loaf", "sourdough"]
    assert skill.text("en").practice == "Mix, and\nbake."


def test_columns_may_stand_in_any_order(db, write):
    assert catalogue.starter(write(BREAD, columns=[*reversed(COLUMNS), "remark"])).skills == 1


def test_the_index_hears_of_what_is_new(db, write):
    catalogue.starter(write(BREAD))

    assert db.session.scalars(sa.select(Outbox.key)).all() == [f"index:skill:{whole(db, 'bread').id}"]


def test_a_second_language_comes_later(db, write):
    catalogue.starter(write(BREAD))
    spanish = {**BREAD, "locale": "es", "name": "Pan", "other_names": ""}

    report = catalogue.starter(write(BREAD, spanish))

    assert (report.skills, report.texts, report.there) == (0, 1, 1)


def test_what_members_wrote_is_never_overwritten(db, write, ana):
    catalogue.starter(write(BREAD))
    skill = whole(db, "bread")
    words = {"summary": "Ours.", "practice": "Ours.", "theory": "Ours."}
    skill.edit(by=ana, version=1, locale="en", name="Bread", other_names=[], **words)
    db.session.commit()

    catalogue.starter(write(BREAD))
    db.session.expire_all()

    assert whole(db, "bread").text("en").theory == "Ours."


def test_a_skill_that_has_a_page_already_gets_no_second(db, write, topic):
    make_skill(topic, "Loaves", other_names=["BREAD"])

    report = catalogue.starter(write(BREAD))

    assert (report.skills, report.taken) == (0, ["Bread (en)"])


def test_other_names_that_are_taken_are_left_out(db, write, topic):
    make_skill(topic, "Loaf")

    report = catalogue.starter(write(BREAD))

    assert report.other_names_taken == 1
    assert whole(db, "bread").other_names("en") == ["sourdough"]


def test_a_first_name_comes_before_an_other_name(db, write):
    cakes = {**BREAD, "slug": "cakes", "name": "Cakes", "other_names": "bread"}

    report = catalogue.starter(write(cakes, BREAD))

    assert (report.skills, report.other_names_taken) == (2, 1)


def test_what_comes_first_is_linked_and_loops_are_left_out(db, write):
    oven = {**BREAD, "slug": "oven", "name": "Oven", "other_names": "", "first_learn": "bread|nothing"}
    bread = {**BREAD, "first_learn": "oven|bread"}

    report = catalogue.starter(write(oven, bread))

    assert (report.links, report.loops) == (1, 2)
    assert [first.slug for first in whole(db, "oven").first_learn] == ["bread"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"slug": "Bread!"}, "slug"),
        ({"slug": ""}, "slug"),
        ({"care": "deadly"}, "care"),
        ({"care": "hazard"}, "safety"),
        ({"topic": " "}, "topic"),
        ({"locale": "English"}, "locale"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"practice": ""}, "practice"),
        ({"theory": " "}, "theory"),
        ({"other_names": "x" * 101}, "other names"),
        ({"refresh_days": "soon"}, "refresh_days"),
        ({"refresh_days": "²"}, "refresh_days"),
        ({"summary": "\ufffd"}, "UTF-8"),
    ],
)
def test_a_bad_row_is_skipped_and_said_with_its_line(db, write, change, why):
    path = write({**BREAD, "slug": "good", "name": "Good", "other_names": ""}, {**BREAD, **change})

    report = catalogue.starter(path)

    assert report.skills == 1
    assert [(bad.file, bad.line) for bad in report.bad] == [("ours.csv", 4)]  # the first row has a line break in it
    assert why in report.bad[0].why


def test_the_same_skill_twice_is_a_bad_row(db, write):
    report = catalogue.starter(write(BREAD, BREAD))

    assert (report.skills, len(report.bad)) == (1, 1)


def test_a_row_with_too_many_cells_is_a_bad_row(db, write):
    path = write(BREAD)
    path.write_bytes(path.read_bytes() + b"a,b,c,d,e,f,g,h,i,j,k,l,m\r\n")

    assert [bad.line for bad in catalogue.starter(path).bad] == [4]


def test_bytes_that_are_not_text_are_a_bad_row(db, write):
    path = write(BREAD)
    path.write_bytes(path.read_bytes() + "pan,Baking,none,,,es,Panadería,,a,b,c,\r\n".encode("latin-1"))

    assert [bad.why for bad in catalogue.starter(path).bad] == ["not in UTF-8"]


def test_a_hazard_keeps_its_care(db, write):
    catalogue.starter(write({**BREAD, "care": "hazard", "safety": "Hot!", "refresh_days": "90"}))

    skill = whole(db, "bread")
    assert (skill.care, skill.refresh_days, skill.text("en").safety) == (Care.HAZARD, 90, "Hot!")


@pytest.mark.parametrize(("name", "content"), [("a.csv", b""), ("a.csv", b"x,y\r\n1,2\r\n"), ("a.txt", b"Bread")])
def test_a_file_of_something_else_is_refused(db, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(NotACatalogue):
        catalogue.bring_in(path, ["en"])
