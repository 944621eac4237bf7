"""Importing ESCO from a small zip in the official format that this test writes itself."""

import csv
import io
import zipfile

import pytest
import sqlalchemy as sa

from skillshare import catalogue
from skillshare.models.skills import Skill, SkillState, SkillText
from tests.conftest import make_skill

URI = "http://data.europa.eu/esco/skill/"
EN = ["conceptType", "conceptUri", "skillType", "preferredLabel", "altLabels", "status", "description"]
ES = ["conceptType", "conceptUri", "skillType", "preferredLabel", "altLabels", "description"]
RELATIONS = ["originalSkillUri", "originalSkillType", "relationType", "relatedSkillType", "relatedSkillUri"]
BROADER = ["conceptType", "conceptUri", "broaderType", "broaderUri"]
HIERARCHY = ["Level 0 URI", "Level 0 preferred term", "Level 1 URI", "Level 0 code"]


def concept(key, label, **changes):
    return {
        "conceptType": "KnowledgeSkillCompetence",
        "conceptUri": URI + key,
        "skillType": "skill/competence",
        "preferredLabel": label,
        "altLabels": "",
        "status": "released",
        "description": f"How to {label}.",
        **changes,
    }


def essential(skill, first):
    return {"originalSkillUri": URI + skill, "relationType": "essential", "relatedSkillUri": URI + first}


WELD = concept("weld", "weld metal", altLabels="welding\nweld metal\njoin metal, hot")
CLEAN = concept("clean", "clean metal")
LAW = concept("law", "labour law", skillType="knowledge")
SOLDAR = concept("weld", "soldar metal", altLabels="soldadura", description="")


@pytest.fixture
def pack(tmp_path):
    """`pack(skills_en=[…], …)` makes a zip of these files and returns where it is."""

    def pack_(**tables):
        columns = {"Hierarchy_en": HIERARCHY, "Relations": RELATIONS, "Pillar": BROADER, "en": EN, "es": ES}
        path = tmp_path / "esco.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, rows in tables.items():
                text = io.StringIO(newline="")
                header = next(fields for end, fields in columns.items() if name.endswith(end))
                writer = csv.DictWriter(text, header, extrasaction="ignore", restval="")
                writer.writeheader()
                writer.writerows(rows)
                archive.writestr(f"ESCO dataset/{name}.csv", "\ufeff" + text.getvalue())
        return path

    return pack_


@pytest.fixture
def bring_in(pack):
    """`bring_in(skills_en=[…], …)` imports such a zip."""
    return lambda languages=("en", "es"), **tables: catalogue.bring_in(pack(**tables), languages)


def by_key(db, key):
    return db.session.scalar(Skill.whole().where(Skill.uri == URI + key))


def test_a_skill_comes_with_its_names_in_both_languages(db, bring_in):
    report = bring_in(skills_en=[WELD], skills_es=[SOLDAR])

    skill = by_key(db, "weld")
    assert (report.skills, report.texts) == (1, 2)
    assert (skill.slug, skill.name("en"), skill.name("es")) == ("weld-metal", "weld metal", "soldar metal")
    assert skill.other_names("en") == ["welding", "join metal, hot"]
    assert Skill.named("SOLDADURA", "es") is skill


def test_its_page_is_honest_about_what_nobody_wrote(db, bring_in):
    bring_in(skills_en=[WELD], skills_es=[SOLDAR])

    skill = by_key(db, "weld")
    assert (skill.state, skill.locale) == (SkillState.NEW, "en")
    assert (skill.text("en").practice, skill.text("en").theory) == ("How to weld metal.", "")
    assert skill.told("es").locale == "en"


def test_a_long_description_is_cut_at_a_word(db, bring_in):
    bring_in(skills_en=[{**WELD, "description": "word " * 1000}])

    text = by_key(db, "weld").text("en")
    assert len(text.summary) <= 300
    assert text.summary.endswith("word…")
    assert len(text.practice) <= 2000


def test_a_long_name_is_cut_and_long_other_names_are_left_out(db, bring_in):
    bring_in(skills_en=[{**WELD, "preferredLabel": "weld " * 30, "altLabels": "x" * 101}])

    skill = by_key(db, "weld")
    assert len(skill.name("en")) <= 100
    assert skill.other_names("en") == []


def test_only_the_languages_asked_for_are_taken(db, bring_in):
    report = bring_in(languages=["es"], skills_en=[WELD], skills_es=[SOLDAR])

    assert (report.texts, by_key(db, "weld").locale) == (1, "es")


def test_another_language_can_be_added_later(db, bring_in):
    bring_in(languages=["en"], skills_en=[WELD])

    report = bring_in(skills_en=[WELD], skills_es=[SOLDAR])

    assert (report.skills, report.texts, report.there) == (0, 1, 1)


def test_a_second_time_changes_nothing(db, bring_in):
    tables = {"skills_en": [WELD, CLEAN], "skills_es": [SOLDAR], "skillSkillRelations": [essential("weld", "clean")]}
    bring_in(**tables)
    db.session.commit()

    again = bring_in(**tables)

    assert (again.skills, again.texts, again.links, again.there) == (0, 0, 0, 3)


def test_what_is_essential_is_learned_first_where_both_are_there(db, bring_in):
    relations = [
        essential("weld", "clean"),
        essential("clean", "weld"),
        essential("weld", "nowhere"),
        essential("nowhere", "weld"),
        {**essential("law", "weld"), "relationType": "optional"},
    ]

    report = bring_in(skills_en=[WELD, CLEAN, LAW], skillSkillRelations=relations)

    assert (report.links, report.loops) == (1, 1)
    assert [first.slug for first in by_key(db, "weld").first_learn] == ["clean-metal"]


def test_a_skill_stands_under_its_top_group(db, bring_in):
    groups = [{"Level 0 URI": URI + "T", "Level 1 URI": URI + "T1", "Level 0 code": "T"}]
    broader = [
        {"conceptUri": URI + "weld", "broaderUri": URI + "clean"},
        {"conceptUri": URI + "clean", "broaderUri": URI + "T1"},
    ]

    tables = {"skillsHierarchy_en": groups, "broaderRelationsSkillPillar": broader}
    bring_in(skills_en=[WELD, CLEAN, LAW, concept("other", "other")], **tables)

    topics = {key: by_key(db, key).topic.slug for key in ("weld", "clean", "law", "other")}
    assert topics == {
        "weld": "esco-transversal",
        "clean": "esco-transversal",
        "law": "esco-knowledge",
        "other": "esco-skills",
    }


def test_broader_relations_in_a_circle_end(db, bring_in):
    broader = [
        {"conceptUri": URI + "weld", "broaderUri": URI + "clean"},
        {"conceptUri": URI + "clean", "broaderUri": URI + "weld"},
    ]

    assert bring_in(skills_en=[WELD, CLEAN], broaderRelationsSkillPillar=broader).skills == 2


def test_names_that_others_have_are_skipped_and_counted(db, bring_in, topic):
    make_skill(topic, "Clean metal")
    make_skill(topic, "Welding")

    report = bring_in(skills_en=[WELD, CLEAN])

    assert (report.skills, report.taken, report.other_names_taken) == (1, ["clean metal (en)"], 1)


def test_the_same_name_in_a_second_language_only_leaves_that_out(db, bring_in):
    again = {**SOLDAR, "conceptUri": URI + "clean"}

    report = bring_in(skills_en=[WELD, CLEAN], skills_es=[SOLDAR, again])

    assert (report.skills, report.texts, report.taken) == (2, 3, ["soldar metal (es)"])


@pytest.mark.parametrize(
    "change",
    [
        {"conceptUri": ""},
        {"conceptUri": "javascript:alert(1)"},
        {"conceptUri": URI + "x" * 300},
        {"preferredLabel": " "},
        {"preferredLabel": "br\ufffdken"},
        {"conceptUri": URI + "clean"},
    ],
)
def test_a_bad_row_is_skipped_and_said_with_its_line(db, bring_in, change):
    report = bring_in(skills_en=[CLEAN, {**WELD, **change}])

    assert report.skills == 1
    assert [(bad.file, bad.line) for bad in report.bad] == [("skills_en.csv", 3)]


def test_what_is_no_released_skill_is_passed_over(db, bring_in):
    rows = [{**WELD, "status": "obsolete"}, {**CLEAN, "conceptType": "SkillGroup"}]

    report = bring_in(skills_en=rows)

    assert (report.skills, report.bad) == (0, [])


def test_many_more_than_fit_into_one_statement(db, bring_in):
    report = bring_in(skills_en=[concept(f"s{n}", f"skill number {n}") for n in range(600)])

    assert report.skills == 600
    assert db.session.scalar(sa.select(sa.func.count(SkillText.id))) == 600


def test_the_sources_words_are_kept_to(db, bring_in):
    assert bring_in(skills_en=[WELD]).attribution == (
        "This service uses the ESCO classification of the European Commission."
    )


def test_it_works_on_both_databases(both_databases, db, bring_in):
    tables = {"skills_en": [WELD, CLEAN], "skills_es": [SOLDAR], "skillSkillRelations": [essential("weld", "clean")]}
    report = bring_in(**tables)
    db.session.commit()

    assert (report.skills, report.texts, report.links) == (2, 3, 1)


# The commands


def run(app, *arguments):
    return app.test_cli_runner().invoke(args=["catalogue", *map(str, arguments)])


def skills(app, db):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(Skill.id)))


def test_the_command_imports_and_says_what_it_did(app, db, pack):
    path = pack(skills_en=[WELD, {**CLEAN, "preferredLabel": ""}])
    db.session.rollback()

    done = run(app, "import", path)

    assert done.exit_code == 0
    assert "1 new skills" in done.output
    assert "skills_en.csv, line 5: there is no preferredLabel" in done.output
    assert "ESCO classification" in done.output
    assert skills(app, db) == 1


def test_a_dry_run_changes_nothing(app, db, pack):
    path = pack(skills_en=[WELD])
    db.session.rollback()

    done = run(app, "import", path, "--dry-run")

    assert "1 new skills" in done.output
    assert skills(app, db) == 0


def test_a_failure_on_the_way_leaves_nothing(app, db, pack, monkeypatch):
    path = pack(skills_en=[concept(f"s{n}", f"skill number {n}") for n in range(300)])
    db.session.rollback()

    def fail(*_args):
        raise OSError("the power went")

    monkeypatch.setattr("skillshare.catalogue.shelves._link", fail)
    assert run(app, "import", path).exit_code != 0
    assert skills(app, db) == 0


def test_the_command_refuses_what_it_cannot_read(app, db, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"not a zip")
    db.session.rollback()

    done = run(app, "import", path)

    assert done.exit_code == 1
    assert "Traceback" not in done.output


def test_the_starter_command(app, db):
    db.session.rollback()

    assert run(app, "starter").exit_code == 0
    assert skills(app, db) >= 200
