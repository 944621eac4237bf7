"""What people typed: handles and names of skills, looked up. Who cannot be seen is not there, whatever the reason."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from flask import g
from flask_babel import gettext as _

from skillshare import i18n, limits
from skillshare.db import db
from skillshare.errors import RuleBroken
from skillshare.models import lists
from skillshare.models.members import Member
from skillshare.models.skills import Skill, folded
from skillshare.models.visibility import visible_members


def members_called(handles: Iterable[str], field: str) -> list[Member]:
    """The members of these handles, in their order. Raises `RuleBroken` on `field` for one the reader may not see."""
    wanted = list(dict.fromkeys(handles))[: limits.LOG_PEOPLE]
    rows = db.session.scalars(sa.select(Member).where(Member.handle.in_(wanted), visible_members(g.viewer)))
    found = {member.handle: member for member in rows}
    for handle in wanted:
        if handle not in found:
            raise RuleBroken(_("Nobody here is called “%(handle)s”.", handle=handle[: limits.HANDLE_MAX]), field)
    return [found[handle] for handle in wanted]


def skills_named(names: Mapping[str, str]) -> dict[str, Skill]:
    """The skills of these names, in any language, by field. Raises `RuleBroken` on its field for one we do not know."""
    known = lists.named(names.values())
    for field, name in names.items():
        if folded(name) not in known:
            raise RuleBroken(_unknown(name), field)
    return {field: known[folded(name)] for field, name in names.items()}


def _unknown(name: str) -> str:
    near = ", ".join(skill.name(i18n.current_locale()) for skill in lists.near(name))
    if near:
        return _("We do not know “%(name)s”. Did you mean: %(near)s?", name=name, near=near)
    return _("We do not know “%(name)s” yet. Add a page for the skill first.", name=name)
