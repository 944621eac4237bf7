"""Log it: write down what happened in a session or by chance; the others agree, or say what was different.

Nothing about anyone appears to others from an entry they have not agreed to; forms included.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from skillshare import clock, i18n, limits
from skillshare.db import db
from skillshare.errors import RuleBroken
from skillshare.forms.log import (
    BOTH_LEARNED,
    I_SHOWED,
    THEY_HELPED,
    THEY_SHOWED,
    ChanceForm,
    EditLogForm,
    NotRightForm,
    SessionLogForm,
)
from skillshare.models.log import Answer as Said_
from skillshare.models.log import LogEntry, Said, check_loggable, to_log, to_write_about
from skillshare.models.members import Member
from skillshare.models.sessions import PartKind, SkillSession
from skillshare.models.skills import Skill
from skillshare.models.teachbacks import may_show_back

from . import access
from .answers import Answer, done, render_form
from .typed import members_called, skills_named

bp = Blueprint("log", __name__)

RECENT_SESSIONS, RECENT_ENTRIES = 6, 5
ROUND_TO = 5  # minutes: nobody remembers them finer
# What they and I did, by what was chosen; None: nothing is said of me.
SIDES: dict[str, tuple[PartKind, PartKind | None]] = {
    THEY_SHOWED: (PartKind.SHOWS, PartKind.LEARNS),
    I_SHOWED: (PartKind.LEARNS, PartKind.SHOWS),
    BOTH_LEARNED: (PartKind.LEARNS, PartKind.LEARNS),
    THEY_HELPED: (PartKind.HELPS, None),
}


@dataclass(frozen=True)
class Row:
    """One person and one skill on the form of an entry. `key` stands for both and says nothing about either."""

    key: str
    member: Member
    skill: Skill
    did: str
    name: str
    skill_name: str

    @classmethod
    def of(cls, owner: str, member: Member, skill: Skill, did: str) -> "Row":
        """A row of the form of the session or entry with the public id `owner`."""
        key = sha256(f"{owner}:{member.id}:{skill.id}".encode()).hexdigest()[:20]
        name = _("You") if member.id == g.member.id else g.viewer.name_of(member)
        return cls(key, member, skill, did, name, skill.name(i18n.current_locale()))


@bp.get("/log")
@access.login_required
def start() -> Answer:
    """The door: recent sessions that wait for a word, or "we just met"."""
    return render_template(
        "log/start.html",
        sessions=db.session.scalars(to_log(g.member).limit(RECENT_SESSIONS)).all(),
        entries=db.session.scalars(LogEntry.in_it(g.member).limit(RECENT_ENTRIES)).all(),
        Said=Said_,
    )


@bp.route("/sessions/<public_id>/log", methods=["GET", "POST"])
@access.login_required
def session(public_id: str) -> Answer:
    """Log a session: everybody who had a part stands there already."""
    skill_session = _attended(public_id)
    if request.method == "GET":
        entry_id = _entry_of(skill_session)
        if entry_id:
            return redirect(url_for("log.show", public_id=entry_id), code=303)
        check_loggable(skill_session)
    parts = [part for part in skill_session.parts if part.member.is_active]
    rows = [Row.of(public_id, part.member, part.skill, part.kind.value) for part in parts]
    practice, theory = _usual_minutes(skill_session)
    form = SessionLogForm(data={"practice_minutes": practice, "theory_minutes": theory, "lines": _chosen(rows)})
    page = {
        "rows": _by_key(rows),
        "several": len({row.skill.id for row in rows}) > 1,
        **{name: getattr(skill_session, name) for name in ("public_id", "title", "starts_at", "zone")},
    }
    day = skill_session.starts_at.astimezone(ZoneInfo(skill_session.zone)).date()
    if form.submit_to(_write_session, rows, skill_session, by=g.member, happened_on=day):
        return _asked(form.result)
    return render_form("log/session.html", form, **page)


@bp.route("/log/new", methods=["GET", "POST"])
@access.login_required
def new() -> Answer:
    """Log a chance meeting."""
    form = ChanceForm(data={"happened_on": clock.today(g.member.zone), **_met_at_address()})
    if form.wants_more:
        form.add_line()
        return render_template("log/new.html", form=form)
    if form.submit_to(_write_chance, by=g.member):
        return _asked(form.result)
    return render_form("log/new.html", form)


@bp.get("/log/<public_id>")
@access.login_required
def show(public_id: str) -> Answer:
    """An entry, told as the story of an agreement."""
    return _page(_find(public_id), NotRightForm())


@bp.post("/log/<public_id>/agree")
@access.login_required
def agree(public_id: str) -> Answer:
    """Yes, that is what happened."""
    _find(public_id).agree(by=g.member, version=_version())
    return done(url_for("log.show", public_id=public_id), _("Thank you. You agreed."))


@bp.post("/log/<public_id>/not-right")
@access.login_required
def not_right(public_id: str) -> Answer:
    """It was different: say what."""
    entry = _find(public_id)
    form = NotRightForm()
    if form.submit_to(entry.not_right, by=g.member):
        return done(url_for("log.show", public_id=public_id), _("We told the person who wrote it. They can change it."))
    db.session.rollback()
    return _page(_find(public_id), form)


@bp.post("/log/<public_id>/was-not-there")
@access.login_required
def was_not_there(public_id: str) -> Answer:
    """Strike what it says of me."""
    _find(public_id).was_not_there(by=g.member)
    return done(url_for("log.start"), _("What it said of you is struck out. Nobody sees it."))


@bp.route("/log/<public_id>/edit", methods=["GET", "POST"])
@access.login_required
def edit(public_id: str) -> Answer:
    """The writer puts an entry right."""
    entry = _find(public_id)
    if not entry.can_edit(g.member):
        abort(404)
    rows = _rows_of(entry)
    form = EditLogForm(data=_said_of(entry, rows))
    if entry.skill_session_id:
        del form.happened_on
    if form.submit_to(_edit, rows, entry, by=g.member):
        return done(url_for("log.show", public_id=public_id), _("Saved. Whoever it concerns is asked again."))
    several, rows_by_key = len({row.skill.id for row in rows}) > 1, _by_key(rows)
    status = 200
    if request.method == "POST":
        db.session.rollback()
        entry = _find(public_id)
        status = 409 if form.conflict else 422
    if form.conflict:
        form.go_on_from(entry.version)
    return render_template("log/edit.html", form=form, entry=entry, rows=rows_by_key, several=several), status


def _find(public_id: str) -> LogEntry:
    query = LogEntry.in_it(g.member).where(LogEntry.public_id == public_id)
    return db.session.scalar(query.execution_options(populate_existing=True)) or abort(404)


def _attended(public_id: str) -> SkillSession:
    query = to_write_about(g.member).where(SkillSession.public_id == public_id)
    return db.session.scalar(query) or abort(404)


def _entry_of(skill_session: SkillSession) -> str | None:
    """The public id of the session's entry, where the reader is in it."""
    in_it = LogEntry.in_it(g.member).where(LogEntry.skill_session_id == skill_session.id).subquery()
    return db.session.scalar(db.select(in_it.c.public_id))


def _page(entry: LogEntry, form: NotRightForm) -> Answer:
    learned = [p.skill_id for p in entry.parts if p.member_id == g.member.id and p.kind is PartKind.LEARNS]
    agreed = entry.is_confirmed and entry.answer_of(g.member) is Said_.AGREE
    backs = may_show_back(g.member, learned) if agreed and learned else set()
    page = render_template(
        "log/show.html",
        entry=entry,
        form=form,
        parts=entry.parts_shown_to(g.member),
        mine=entry.answer_of(g.member),
        answers=_answers_shown(entry),
        to_show_back=next((p.skill for p in entry.parts if p.skill_id in backs), None),
        Said=Said_,
    )
    return page, 422 if form.errors else 200


def _answers_shown(entry: LogEntry) -> list[Any]:
    """To the writer every answer; to others who agreed, and their own. The writer's stands at the top of the page."""
    others = [a for a in entry.answers if a.member_id != entry.written_by_id]
    if g.member.id != entry.written_by_id:
        others = [a for a in others if a.answer is Said_.AGREE or a.member_id == g.member.id]
    return sorted(others, key=lambda a: (a.at is None, a.at or a.created_at))


def _asked(entry: LogEntry) -> Answer:
    words = _("Logged. We have asked the others to agree.")
    return done(url_for("log.show", public_id=entry.public_id), words)


def _version() -> int | None:
    sent = request.form.get("version", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 7 else None


def _usual_minutes(skill_session: SkillSession) -> tuple[int, int]:
    """Two thirds of its length with the hands, one third on why; both to the nearest five minutes."""
    length = (skill_session.ends_at - skill_session.starts_at).total_seconds() / 60
    practice, theory = (ROUND_TO * round(length * share / 3 / ROUND_TO) for share in (2, 1))
    return min(max(practice, ROUND_TO), limits.MINUTES_MAX), min(theory, limits.MINUTES_MAX)


def _chosen(rows: list[Row]) -> list[dict[str, str]]:
    return [{"key": row.key, "did": row.did} for row in rows]


def _by_key(rows: list[Row]) -> dict[str, Row]:
    return {row.key: row for row in rows}


def _rows_of(entry: LogEntry) -> list[Row]:
    """Everybody in the entry who did not leave it, each with each skill that it says something of."""
    gone = {a.member_id for a in entry.answers if a.answer is Said_.WAS_NOT_THERE}
    rows = [(p.member, p.skill, p.kind.value) for p in entry.parts if p.member_id not in gone]
    return [Row.of(entry.public_id, *row) for row in rows]


def _said_of(entry: LogEntry, rows: list[Row]) -> dict[str, Any]:
    names = ("practice_minutes", "theory_minutes", "line", "happened_on", "version")
    return {**{name: getattr(entry, name) for name in names}, "lines": _chosen(rows)}


def _met_at_address() -> dict[str, Any]:
    """A first line from the address: `?with=ana&skill=Bread`."""
    handle, skill = request.args.get("with", ""), request.args.get("skill", "")
    return {"met": [{"handle": handle[: limits.HANDLE_MAX], "skill": skill[: limits.SKILL_NAME]}]}


def _said(
    rows: list[Row], lines: dict[str, PartKind], also: dict[int, tuple[str, str, PartKind]]
) -> tuple[list[Said], set[int]]:
    """What the rows and the additional lines say, and who is in it. `RuleBroken` beside what we do not know."""
    known = _by_key(rows)
    if lines.keys() - known.keys():
        raise RuleBroken(_("This page is not up to date any more. Please load it again."))
    said = [Said(known[key].member, known[key].skill, kind) for key, kind in lines.items()]
    named = skills_named({f"also-{number}-skill": skill for number, (_h, skill, _k) in also.items() if skill})
    usual = list(dict.fromkeys(row.skill for row in rows))
    for number, (handle, _skill, kind) in also.items():
        [member] = members_called([handle], f"also-{number}-handle")
        skill = named.get(f"also-{number}-skill")
        said += [Said(member, each, kind) for each in ([skill] if skill else usual)]
    return said, {each.member.id for each in said}


def _write_session(
    rows: list[Row],
    skill_session: SkillSession,
    *,
    by: Member,
    happened_on: date,
    lines: dict[str, PartKind],
    also: dict[int, tuple[str, str, PartKind]],
    **what: Any,
) -> LogEntry:
    said, people = _said(rows, lines, also)
    if by.id not in people:
        raise RuleBroken(_("You were there too: keep a line for yourself."))
    return LogEntry.write(by=by, happened_on=happened_on, said=said, skill_session=skill_session, **what)


def _write_chance(*, by: Member, met: dict[int, tuple[list[str], str, str]], **what: Any) -> LogEntry:
    if not (met[0][0] and met[0][1]):
        missing = "met-0-skill" if met[0][0] else "met-0-handle"
        raise RuleBroken(_("Please fill this in."), missing)
    skills = skills_named({f"met-{number}-skill": skill for number, (_h, skill, _how) in met.items() if skill})
    said: list[Said] = []
    people, skill = [by], skills["met-0-skill"]
    for number, (handles, _skill, how) in met.items():
        people = members_called(handles, f"met-{number}-handle") if handles else people
        skill = skills.get(f"met-{number}-skill", skill)
        if by.id in {member.id for member in people}:
            raise RuleBroken(_("Name somebody else: you are in it anyway."), f"met-{number}-handle")
        theirs, mine = SIDES[how]
        said += [Said(member, skill, theirs) for member in people]
        said += [Said(by, skill, mine)] if mine else []
    if by.id not in {each.member.id for each in said}:
        raise RuleBroken(_("Say what you did too: somebody showed it and somebody learned it."))
    return LogEntry.write(by=by, said=said, **what)


def _edit(
    rows: list[Row],
    entry: LogEntry,
    *,
    by: Member,
    lines: dict[str, PartKind],
    also: dict[int, tuple[str, str, PartKind]],
    happened_on: date | None,
    **what: Any,
) -> None:
    said, _people = _said(rows, lines, also)
    entry.edit(by=by, said=said, happened_on=happened_on or entry.happened_on, **what)
