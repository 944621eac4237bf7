"""Skills: names that belong to one page, care, links without loops, edits that lose nothing."""

import pytest
import sqlalchemy as sa

from skillshare.errors import EditConflict, NotAllowed, RuleBroken
from skillshare.models import browse
from skillshare.models.knowhow import MemberSkill
from skillshare.models.outbox import Outbox
from skillshare.models.skills import Care, Skill, SkillRevision, SkillState, SkillText
from skillshare.models.visibility import Viewer
from tests.conftest import make_skill

WORDS = {"summary": "A loaf.", "practice": "Mix and bake.", "theory": "Yeast makes gas."}


def whole(db, skill):
    """The skill as a page loads it."""
    db.session.flush()
    query = Skill.whole().where(Skill.id == skill.id)
    return db.session.scalar(query.execution_options(populate_existing=True))


def edit(skill, by, **changes):
    words = {"locale": "en", "name": "Sourdough bread", "version": skill.version, **WORDS}
    return skill.edit(by=by, **{**words, **changes})


def test_a_name_belongs_to_one_skill_in_a_language(bread, topic):
    with pytest.raises(RuleBroken) as refusal:
        make_skill(topic, "  SOURDOUGH   bread ")

    assert refusal.value.field == "name"


def test_an_other_name_belongs_to_one_skill_too(bread, topic):
    with pytest.raises(RuleBroken) as refusal:
        make_skill(topic, "Rye bread", other_names=["baking Bread"])

    assert refusal.value.field == "other_names"


def test_a_name_may_mean_something_else_in_another_language(bread, topic):
    assert make_skill(topic, "Sourdough bread", locale="es").slug == "sourdough-bread-2"


def test_an_address_does_not_hide_a_page_of_ours(topic):
    assert make_skill(topic, "New").slug == "new-2"


def test_a_hazard_needs_its_safety_text(topic):
    with pytest.raises(RuleBroken) as refusal:
        make_skill(topic, "Felling trees", care=Care.HAZARD, safety=" ")

    assert refusal.value.field == "safety"


def test_an_edit_keeps_what_stood_there(db, ana, bread):
    edit(whole(db, bread), ana, theory="Wild yeasts make gas.", note="Said which.")
    db.session.flush()

    kept = db.session.scalars(SkillRevision.of(bread)).one()
    assert (kept.before["theory"], kept.note, kept.editor) == ("Why Sourdough bread works.", "Said which.", ana)


def test_an_edit_over_a_newer_version_is_refused(db, ana, ben, bread):
    edit(whole(db, bread), ana)

    with pytest.raises(EditConflict):
        edit(bread, ben, version=bread.version - 1)


def test_nobody_edits_before_their_account_is_open(db, ana, bread):
    ana.state = "closed"

    with pytest.raises(NotAllowed):
        edit(bread, ana)


def test_a_page_is_written_in_a_second_language(db, ana, bread):
    edit(whole(db, bread), ana, locale="es", name="Pan de masa madre", other_names=["pan"])

    skill = whole(db, bread)
    assert (skill.name("es"), skill.name("en")) == ("Pan de masa madre", "Sourdough bread")
    assert skill.other_names("es") == ["pan"]
    assert db.session.scalars(SkillRevision.of(bread)).all() == []


def test_an_undo_puts_the_words_back_and_can_be_undone(db, ana, bread):
    edit(whole(db, bread), ana, name="Bread", other_names=["Baking bread", "Loaves"])
    db.session.flush()
    first = db.session.scalars(SkillRevision.of(bread)).one()
    skill = whole(db, bread)
    skill.undo(first, by=ana)
    db.session.flush()
    second = db.session.scalars(SkillRevision.of(bread)).first()

    assert skill.name("en") == "Sourdough bread"
    assert second.before["name"] == "Bread"


def test_the_history_knows_what_each_change_put_there(db, ana, bread):
    for name in ("Bread", "Good bread", "Best bread"):
        edit(whole(db, bread), ana, name=name)
        db.session.flush()
    revisions = db.session.scalars(SkillRevision.of(bread)).all()

    after = SkillRevision.after(revisions[1:])
    assert [after[revision.id]["name"] for revision in revisions[1:]] == ["Good bread", "Bread"]
    assert SkillRevision.after(revisions)[revisions[0].id]["name"] == "Best bread"


def test_skills_never_come_before_themselves(db, topic, bread, brakes, welding):
    bread, brakes, welding = (whole(db, skill) for skill in (bread, brakes, welding))
    bread.set_first_learn([brakes])
    brakes.set_first_learn([welding])
    db.session.flush()

    with pytest.raises(RuleBroken):
        welding.set_first_learn([bread])
    with pytest.raises(RuleBroken):
        bread.set_first_learn([bread])


def test_what_comes_first_can_be_changed(db, bread, brakes, welding):
    whole(db, bread).set_first_learn([brakes, welding])
    skill = whole(db, bread)
    skill.set_first_learn([welding])

    assert [first.name("en") for first in whole(db, bread).first_learn] == ["Welding"]


def test_a_page_with_a_name_only_is_told_in_the_original_language(db, bread):
    bread.texts.append(SkillText(locale="es", name="Pan", summary="", practice="", theory=""))

    assert (bread.text("es").name, bread.told("es").locale) == ("Pan", "en")


def test_a_new_page_is_no_longer_new_once_its_why_is_written(db, ana, bread):
    bread.state = SkillState.NEW
    edit(whole(db, bread), ana)

    assert bread.state is SkillState.ACTIVE


def test_every_change_is_told_to_the_index(db, ana, bread):
    db.session.execute(sa.delete(Outbox))
    edit(whole(db, bread), ana, name="Bread")
    db.session.flush()

    assert f"index:skill:{bread.id}" in db.session.scalars(sa.select(Outbox.key)).all()


def test_suggestions_begin_so_before_they_contain_it(db, topic, bread):
    make_skill(topic, "Bread oven")
    make_skill(topic, "Pan", locale="es", other_names=["bread"])

    found = browse.suggestions(" BREAD ", "en")

    assert [(s.name, s.matched) for s in found] == [
        ("Bread oven", "Bread oven"),
        ("Sourdough bread", "Baking bread"),
    ]


@pytest.mark.parametrize("typed", ["%", "_", "\\", "", " ", "*", "'", "bre%"])
def test_what_is_typed_is_never_a_pattern(db, bread, typed):
    assert browse.suggestions(typed, "en") == []


def test_suggestions_end(db, topic):
    for number in range(12):
        make_skill(topic, f"Knot {number}", other_names=[f"Knots {number}", f"Knotting {number}"])

    assert len(browse.suggestions("knot", "en")) == 8


def test_skills_are_listed_by_their_name_for_the_reader(db, topic, bread, brakes):
    bread.texts.append(SkillText(locale="es", name="Amasar", **WORDS))
    db.session.flush()

    assert db.session.scalars(browse.by_name("es")).all() == [bread, brakes]
    assert db.session.scalars(browse.by_name("en", "food")).all() == [brakes, bread]
    assert db.session.scalars(browse.by_name("en", "other")).all() == []


def test_the_number_waiting_leaves_out_who_does_not_exist_for_the_viewer(db, ana, ben, cleo, bread):
    for member in (ben, cleo):
        MemberSkill.say(member, bread, wants=True)
    cleo.seen_as = "hidden"
    db.session.flush()

    assert browse.skill_page(bread.slug, Viewer(None)).waiting == 1
    assert browse.skill_page(bread.slug, Viewer(ana)).waiting == 1
    assert browse.skill_page(bread.slug, Viewer(ben)).mine.wants


def test_no_page_for_an_archived_skill(db, bread):
    bread.state = SkillState.ARCHIVED
    db.session.flush()

    assert browse.skill_page(bread.slug, Viewer(None)) is None
