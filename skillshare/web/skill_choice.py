"""A skill chosen by its name on a form: found in any language, and near ones when there is none of that name."""

from collections.abc import Sequence
from typing import TypeVar

from flask import g, request

from skillshare import limits
from skillshare.db import db
from skillshare.forms.base import one_line
from skillshare.forms.listings import AboutSkill, OfferForm, WantForm
from skillshare.i18n import current_locale
from skillshare.models import lists
from skillshare.models.places import Area
from skillshare.models.skills import Skill, folded

F = TypeVar("F", OfferForm, WantForm)


def form_about_skill(kind: type[F]) -> F:
    """A new form of `kind` that knows its skill: what was written and sent, or what the address asks for."""
    form = kind(areas=areas())
    if form.is_submitted():
        form.find(skill_named(form.name_asked_for))
        return form
    form.find(_skill_of_address())
    form.skill.data = form.about.name(current_locale()) if form.about else _words_of_address()
    return form


def areas() -> Sequence[Area]:
    """The places to choose from."""
    return db.session.scalars(Area.listed()).all()


def skill_named(name: str) -> Skill | None:
    """The skill that has this name in any language, ready to be named."""
    return lists.named([name]).get(folded(name)) if name else None


def near_names(form: AboutSkill) -> list[str]:
    """At most five names to choose from, for a name that no skill has."""
    if form.about or not form.name_asked_for:
        return []
    return [skill.name(current_locale()) for skill in lists.near(form.name_asked_for)]


def _skill_of_address() -> Skill | None:
    slug = request.args.get("skill", "")
    if slug:
        return db.session.scalar(Skill.listed().where(Skill.slug == slug[: limits.SLUG]))
    return skill_named(_words_of_address())


def _words_of_address() -> str:
    return one_line(request.args.get("q"))[: limits.SKILL_NAME] if g.member else ""
