"""Learn something: one box over skills, offers, wants and sessions. Reads only; works without JavaScript."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, g, jsonify, render_template, request, url_for
from flask_babel import gettext as _

from skillshare import limits
from skillshare.db import db
from skillshare.forms.base import one_line
from skillshare.models.listings import Want
from skillshare.models.sessions import SkillSession
from skillshare.search import nearby, results, words
from skillshare.search.asking import BOXES, COUNTED, NEAR, Asked, Reader, known_values
from skillshare.search.engine import TooDeep
from skillshare.search.results import Answer
from skillshare.search.shown import Result

from . import access, gaps, rates
from . import answers as web_answers
from .reader import engine, reader

bp = Blueprint("find", __name__, url_prefix="/find")

COUNTED_TO = 200
"""Counts are exact up to here; beyond it only "200+" is said."""
BOXES_SHOWN = 12
"""Boxes of a long group that are shown: the ticked ones and those with most behind them."""
UNFOLDED = ("kind", "when", "half")
WELCOME = 6
"""Sessions and wants on the page before anything is asked."""
TEXT_KEPT = 1_000
"""Characters of a text too long to search for that are shown again."""

Option = tuple[str, str, str | None, bool]


@bp.get("")
@access.catalogue
@rates.searching
def show() -> web_answers.Answer:
    """What was asked, or an invitation to ask."""
    typed, who = request.args.get("q", ""), reader()
    if len(typed) > limits.QUERY or len(typed.split()) > limits.QUERY_TERMS:
        return render_template("find/too_long.html", q=typed[:TEXT_KEPT], topics=who.shelves.topics), 422
    asked = asked_here(who)
    if not asked:
        return _welcome(who)
    try:
        answer = results.find(engine(), asked, who)
    except TooDeep:
        abort(404)
    if asked.page > 1 and not answer.results:
        abort(404)
    gaps.note(asked, answer, who)
    return render_template(
        "find/show.html",
        asked=asked,
        answer=answer,
        found=_counted(answer.total),
        groups=_groups(asked, answer, who),
        active=_active(asked, who),
        nearby=_nearby(asked, answer, who) if answer.is_thin else None,
        topics=who.shelves.topics,
        address=lambda **changes: address(replace(asked, **changes)),
        save_address=address(Asked(answer.correction or asked.q, asked.ticked), "searches.save"),
    )


def _nearby(asked: Asked, answer: Answer, who: Reader) -> nearby.Nearby:
    """What stands near what was looked for: as it was set right, where it was."""
    return nearby.nearby(engine(), replace(asked, q=answer.correction or asked.q), who, answer.results)


@bp.get("/suggest")
@access.catalogue
@rates.searching
def suggest() -> Response:
    """What the letters typed so far could become, for the box."""
    typed = one_line(request.args.get("q"))
    if not typed or len(typed) > limits.QUERY:
        return jsonify([])
    return jsonify([_suggestion(found) for found in nearby.suggest(engine(), typed, reader(shelves=False))])


def _welcome(who: Reader) -> str:
    sessions = db.session.scalars(SkillSession.upcoming(g.viewer).limit(WELCOME)).all()
    wants = db.session.scalars(Want.open_to(g.viewer).limit(WELCOME)).all()
    return render_template("find/welcome.html", topics=who.shelves.topics, sessions=sessions, wants=wants)


def asked_here(who: Reader) -> Asked:
    """What the address asks for; values that there are not are ignored, a page that there is not is a 404."""
    ticked = {
        group: chosen
        for group, known in known_values(who).items()
        if (chosen := frozenset(known) & set(request.args.getlist(group)))
    }
    return Asked(
        q=one_line(request.args.get("q")),
        ticked=ticked,
        soonest=request.args.get("sort") == "soonest",
        exact="exact" in request.args,
        page=_page_number(),
    )


def _page_number() -> int:
    asked = request.args.get("page", "1")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 3 and int(asked) >= 1):
        abort(404)
    return int(asked)


def address(asked: Asked, endpoint: str = "find.show") -> str:
    """The address of a search, or of what else can be done with it."""
    ticked: dict[str, Any] = {group: sorted(asked.box(group)) for group in BOXES}
    return url_for(
        endpoint,
        q=asked.q or None,
        **ticked,
        sort="soonest" if asked.soonest else None,
        exact=1 if asked.exact else None,
        page=asked.page if asked.page > 1 else None,
    )


def _active(asked: Asked, who: Reader) -> list[tuple[str, str]]:
    """The ticked boxes in words, each with the address without it."""
    said = words.of_boxes(who)
    active = []
    for group in BOXES:
        for value in (value for value in said[group] if value in asked.box(group)):
            rest = {**asked.ticked, group: asked.box(group) - {value}}
            without = replace(asked, ticked={name: left for name, left in rest.items() if left}, page=1)
            active.append((said[group][value], address(without) if without else url_for(".show")))
    return active


def _groups(asked: Asked, answer: Answer, who: Reader) -> list[tuple[str, str, list[Option], bool]]:
    """The groups of boxes: (title, name, options, whether unfolded)."""
    titles = {
        "kind": _("What"),
        "when": _("When"),
        "left": _("Places"),
        "where": _("In person or online"),
        "area": _("Area"),
        "half": _("Look in"),
        "topic": _("Topic"),
        "language": _("Language"),
    }
    said = {**words.of_boxes(who), "half": {"practice": _("What you do"), "theory": _("Why it works")}}
    groups = []
    for group, values in known_values(who).items():
        counts = _counts(group, answer, who)
        named = {value: said[group][value] for value in values}
        options = _options(named, asked.box(group), counts, keep_all=group not in ("area", "topic"))
        if len(options) > 1 or group == "left":
            groups.append((titles[group], group, options, group in UNFOLDED or bool(asked.box(group))))
    return groups


def _counts(group: str, answer: Answer, who: Reader) -> Mapping[str, int] | None:
    """How many there are behind each box of a group; None where that is not said."""
    if answer.counts is None or group not in COUNTED:
        return None
    counts = answer.counts.get(group, {})
    if group != "area":
        return counts
    return {**counts, NEAR: sum(counts.get(area, 0) for area in who.shelves.near)}  # nothing is in two areas


def _options(
    said: dict[str, str], ticked: frozenset[str], counts: Mapping[str, int] | None, *, keep_all: bool
) -> list[Option]:
    shown: Iterable[str] = said
    if counts is not None and not keep_all:
        shown = sorted(
            (v for v in said if v in ticked or counts.get(v)), key=lambda v: (v not in ticked, -counts.get(v, 0))
        )
        kept = set(list(shown)[:BOXES_SHOWN])
        shown = [value for value in said if value in kept]
    elif not keep_all:
        shown = [*(v for v in said if v in ticked), *(v for v in said if v not in ticked)][:BOXES_SHOWN]
    return [
        (value, said[value], None if counts is None else _counted(counts.get(value, 0)), value in ticked)
        for value in shown
    ]


def _counted(number: int) -> str:
    return str(number) if number <= COUNTED_TO else f"{COUNTED_TO}+"


def _suggestion(found: Result) -> dict[str, str]:
    hints = {"skill": _("Skill"), "offer": _("Can show"), "session": _("Session"), "want": _("Wants to learn")}
    hint = hints[found.kind]
    if found.also:
        hint = _("%(kind)s: %(name)s", kind=hint, name=found.also.unescape())
    label = found.skill if found.kind == "skill" else found.row.title
    return {"value": label, "label": label, "hint": hint, "url": address_of(found)}


def address_of(found: Result) -> str:
    """The page of what was found."""
    if found.kind == "skill":
        return url_for("skills.show", slug=found.row.slug)
    return url_for(f"{found.kind}s.show", public_id=found.row.public_id)


bp.add_app_template_filter(address_of, "found_address")
