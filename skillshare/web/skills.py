"""Skills: the catalogue by topic, a skill's shared page, writing and mending it, and saying what one can show or wants.

Not here: finding one by the words of its texts (`find.py`).
"""

from typing import Any

from flask import Blueprint, Response, abort, g, jsonify, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from skillshare import i18n, limits
from skillshare.db import db
from skillshare.errors import RuleBroken
from skillshare.forms.base import one_line
from skillshare.forms.skills import EditSkillForm, NewSkillForm, SkillForm
from skillshare.models import browse, lists
from skillshare.models.knowhow import MemberSkill
from skillshare.models.listings import Offer, Want
from skillshare.models.members import Member
from skillshare.models.sessions import SkillSession
from skillshare.models.skills import TEXT_FIELDS, Skill, SkillRevision, SkillState, SkillText, Topic, folded

from . import access
from .answers import Answer, done, let_go, render_form
from .paging import page_of

bp = Blueprint("skills", __name__, url_prefix="/skills")

NEXT_SESSIONS, LISTINGS = 5, 6
FIELD_WORDS = {
    "name": _l("Name"),
    "summary": _l("In one sentence"),
    "practice": _l("What you do"),
    "theory": _l("Why it works"),
    "safety": _l("How to stay safe"),
}
ANSWERS = {"yes": True, "no": False}


@bp.get("")
@access.catalogue
def index() -> Answer:
    """All skills, or those of one topic, by name."""
    topics = db.session.scalars(Topic.listed()).all()
    slug = request.args.get("topic")
    topic = next((topic for topic in topics if topic.slug == slug), None)
    if slug and topic is None:
        abort(404)
    page = page_of(browse.by_name(i18n.current_locale(), topic.slug if topic else None))
    return render_template("skills/index.html", topics=topics, topic=topic, page=page)


@bp.get("/suggest")
@access.catalogue
def suggest() -> Response:
    """Skills whose names begin with what somebody types, or have it in them."""
    typed = one_line(request.args.get("q"))[: limits.SKILL_NAME]
    found = browse.suggestions(typed, i18n.current_locale())
    return jsonify([_suggestion(suggestion) for suggestion in found])


@bp.route("/new", methods=["GET", "POST"])
@access.login_required
def new() -> Answer:
    """Begin a page for a skill that has none."""
    name = one_line(request.args.get("name"))[: limits.SKILL_NAME]
    form = NewSkillForm(data={"name": name, "language": i18n.current_locale()}, topics=_topics())
    if form.submit_to(_make, by=g.member, sure="sure" in request.form):
        return done(url_for("skills.show", slug=form.result.slug), _("The page is there. Everybody can improve it."))
    return render_form("skills/new.html", form, **_same_and_near(form))


@bp.get("/<slug>")
@access.catalogue
def show(slug: str) -> Answer:
    """A skill's own page."""
    page = browse.skill_page(slug, g.viewer) or abort(404)
    skill = page.skill
    next_sessions = SkillSession.upcoming(g.viewer).where(SkillSession.skills.any(Skill.id == skill.id))
    return render_template(
        "skills/show.html",
        skill=skill,
        text=skill.text(i18n.current_locale()),
        told=skill.told(i18n.current_locale()),
        mine=page.mine,
        waiting=page.waiting,
        next_sessions=db.session.scalars(next_sessions.limit(NEXT_SESSIONS)).all(),
        offers=db.session.scalars(Offer.open_for(skill, g.viewer).limit(LISTINGS)).all(),
        wants=db.session.scalars(Want.open_for(skill, g.viewer).limit(LISTINGS)).all(),
        **_people(skill),
    )


@bp.route("/<slug>/edit", methods=["GET", "POST"])
@access.login_required
def edit(slug: str) -> Answer:
    """Write the page anew in one language, or for the first time in that language."""
    skill = _find(slug)
    locale = request.args.get("language") or i18n.current_locale()
    if locale not in i18n.locales() or not skill.can_edit(g.member):
        abort(404)
    data = {**SkillForm.said_of(skill, locale), "version": skill.version}
    form = EditSkillForm(data=data, topics=_topics())
    there = _there(skill, locale)
    if form.submit_to(_edit, skill, by=g.member, locale=locale):
        return done(url_for("skills.show", slug=slug), _("Saved. What stood there before is in the history."))
    if form.conflict:
        form.go_on_from(there["version"])
    same = _same_and_near(form, skill.id)["same"] if request.method == "POST" else []
    return render_form("skills/edit.html", form, there=there, locale=locale, same=same)


@bp.get("/<slug>/history")
@access.catalogue
def history(slug: str) -> Answer:
    """Who changed what on a page, newest first."""
    skill = _find(slug)
    page = page_of(SkillRevision.of(skill))
    after = SkillRevision.after(page.rows)
    changes = [(revision, _changed(revision.before, after[revision.id])) for revision in page.rows]
    return render_template("skills/history.html", skill=skill, changes=changes, page=page)


@bp.post("/<slug>/undo")
@access.login_required
def undo(slug: str) -> Answer:
    """Put back what stood there before one change."""
    skill = _find(slug)
    number = request.form.get("revision", "")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        abort(404)
    revision = db.session.scalar(SkillRevision.of(skill).where(SkillRevision.id == int(number))) or abort(404)
    skill.undo(revision, by=g.member)
    return done(url_for("skills.history", slug=slug), _("Put back. The undone words stand in the history."))


@bp.post("/<slug>/say")
@access.login_required
def say(slug: str) -> Answer:
    """Say that one can show a skill, or wants to learn it, or no longer."""
    skill = _find(slug)
    said = {kind: ANSWERS.get(request.form[kind]) for kind in ("shows", "wants") if kind in request.form}
    if not said or None in said.values():
        abort(400)
    MemberSkill.say(g.member, skill, **said)
    return done(
        url_for("skills.show", slug=slug), " ".join(_said(skill, kind, answer) for kind, answer in said.items())
    )


def _find(slug: str) -> Skill:
    """The skill of an address, whole; else 404. Locked where it will change, so that versions can be compared."""
    query = Skill.whole().where(Skill.slug == slug, Skill.state != SkillState.ARCHIVED)
    if request.method == "POST":
        query = query.with_for_update(of=Skill)
    return db.session.scalar(query) or abort(404)


def _topics() -> list[tuple[str, str]]:
    locale = i18n.current_locale()
    return [(topic.slug, topic.name(locale)) for topic in db.session.scalars(Topic.listed())]


def _topic(slug: str) -> Topic:
    return db.session.scalars(Topic.listed().where(Topic.slug == slug)).one()


def _make(*, by: Member, sure: bool, topic: str, first_learn: list[str], **words: Any) -> Skill:
    first, near = _named(first_learn), lists.near(words["name"])
    skill = Skill.make(by=by, topic=_topic(topic), **words)
    if near and not sure:
        raise RuleBroken(_("Some pages have names like this. Please look whether it is one of them."))
    db.session.flush()
    skill.set_first_learn(first)
    return skill


def _edit(skill: Skill, *, by: Member, topic: str, first_learn: list[str], **words: Any) -> SkillText:
    first = _named(first_learn)
    text = skill.edit(by=by, topic=_topic(topic), **words)
    skill.set_first_learn(first)
    return text


def _named(names: list[str]) -> list[Skill]:
    """The skills of these names. Raises `RuleBroken` on the first name that no skill has."""
    known = lists.named(names)
    for name in names:
        if folded(name) not in known:
            raise RuleBroken(_("There is no skill called “%(name)s” here yet.", name=name), field="first_learn")
    return [known[folded(name)] for name in names]


def _same_and_near(form: SkillForm, own_id: int | None = None) -> dict[str, list[tuple[str, str]]]:
    """Skills that have one of the names on the form, and skills with names like its own: (slug, name) each."""
    if request.method == "POST":
        let_go()
    locale = i18n.current_locale()
    names = [form.name.data or "", *form.lines("other_names")]
    same = {skill.id: skill for skill in lists.named(names).values() if skill.id != own_id}
    near = [skill for skill in lists.near(form.name.data or "") if skill.id not in same]
    return {
        "same": [(skill.slug, skill.name(locale)) for skill in same.values()],
        "near": [(skill.slug, skill.name(locale)) for skill in near],
    }


def _there(skill: Skill, locale: str) -> dict[str, Any]:
    """What stands on the page now, as plain values: they outlive the end of the transaction."""
    text = next((text for text in skill.texts if text.locale == locale), None)
    first = skill.told(locale)
    return {
        "slug": skill.slug,
        "name": skill.name(i18n.current_locale()),
        "version": skill.version,
        "words": {field: getattr(text, field) for field in TEXT_FIELDS} if text else {},
        "first": {field: getattr(first, field) for field in TEXT_FIELDS} if first.locale != locale else {},
        "first_locale": first.locale,
        "other_names": skill.other_names(locale) if text else [],
    }


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[Any, str, str]]:
    """The fields that differ, each with what stood there and what was put there."""
    return [
        (words, str(before.get(field, "")), str(after.get(field, "")))
        for field, words in FIELD_WORDS.items()
        if before.get(field, "") != after.get(field, "")
    ]


def _people(skill: Skill) -> dict[str, Any]:
    """Who can show it and who waits to learn it; visitors are told of nobody."""
    if not g.member:
        return {"showing": [], "wanting": []}
    return {
        "showing": db.session.scalars(MemberSkill.showing(skill, g.viewer).limit(limits.SKILL_PEOPLE)).all(),
        "wanting": db.session.scalars(MemberSkill.wanting(skill, g.viewer).limit(limits.SKILL_PEOPLE)).all(),
    }


def _said(skill: Skill, kind: str, answer: bool | None) -> str:
    name = skill.name(i18n.current_locale())
    if kind == "shows":
        if answer:
            return _("Your page says now that you can show “%(skill)s”.", skill=name)
        return _("Your page no longer says that you can show “%(skill)s”.", skill=name)
    if answer:
        return _("Your list says now that you want to learn “%(skill)s”.", skill=name)
    return _("“%(skill)s” is no longer on the list of what you want to learn.", skill=name)


def _suggestion(found: browse.Suggestion) -> dict[str, str]:
    hint = found.topic if folded(found.matched) == folded(found.name) else found.matched
    return {"value": found.name, "label": found.name, "hint": hint}
