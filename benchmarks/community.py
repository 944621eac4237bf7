"""The community that is measured: `community.py make MEMBERS` fills DATA_DIR, `community.py know COUNT` tells of it.

What `know` prints as JSON is all that the driver needs: addresses to ask for, and members with their cookies.
"""

import json
import random
import sys
from typing import Any

import sqlalchemy as sa
from flask import Flask, session
from flask_wtf.csrf import generate_csrf

from skillshare import clock, create_app
from skillshare.cli.demo import fill_large
from skillshare.cli.instance import prepare
from skillshare.db import db
from skillshare.models.listings import Offer
from skillshare.models.members import Member, MemberState
from skillshare.models.seats import Registration
from skillshare.models.sessions import SessionState, SkillSession
from skillshare.models.skills import Skill, SkillText
from skillshare.web import signed_in

SEED = 7


def main(what: str, count: int) -> None:
    """Do `what`, and print what came of it."""
    app = create_app()
    if what == "make":
        make(app, count)
    else:
        print(json.dumps(know(app, count)))


def make(app: Flask, members: int) -> None:
    """Tables, starter skills, `members` members, and the search index where there is one."""
    with app.app_context():
        prepare()
        fill_large(members)
    if "search" in app.cli.commands:
        app.test_cli_runner().invoke(args=["search", "rebuild"], catch_exceptions=False)


def know(app: Flask, count: int) -> dict[str, Any]:
    """Up to `count` of everything, drawn from all over the community; members are signed in."""
    with app.app_context():
        members = _some(sa.select(Member).where(Member.state == MemberState.ACTIVE), Member, count)
        on = (
            sa.select(SkillSession.public_id)
            .where(SkillSession.state == SessionState.SCHEDULED, SkillSession.starts_at > clock.now())
            .order_by(SkillSession.id)
        )
        told = {
            "slugs": list(db.session.scalars(sa.select(Skill.slug).order_by(Skill.id))),
            "words": list(db.session.scalars(sa.select(SkillText.name).order_by(SkillText.id))),
            "sessions": _mixed(list(db.session.scalars(on)))[:count],
            "offers": _offers(count),
            "joins": _joins(members),
        }
        ids = [member.id for member in members]
    told["signed_in"] = [_ticket(app, id_) for id_ in ids]
    return told


def _some(query: sa.Select[Any], model: Any, count: int) -> list[Any]:
    ids = _mixed(list(db.session.scalars(query.with_only_columns(model.id).order_by(model.id))))[:count]
    rows = {row.id: row for row in db.session.scalars(query.where(model.id.in_(ids)))}
    return [rows[id_] for id_ in ids]


def _offers(count: int) -> list[int]:
    most = db.session.scalar(sa.select(sa.func.max(Offer.id))) or 0
    return [random.Random(SEED + n).randrange(max(1, most - 20)) for n in range(count)]


def _joins(members: list[Member]) -> list[str | None]:
    """For each member, a session of which they are no part yet: every member another one."""
    sessions = _mixed(
        list(
            db.session.execute(
                sa.select(SkillSession.id, SkillSession.public_id, SkillSession.host_id)
                .where(SkillSession.state == SessionState.SCHEDULED, SkillSession.starts_at > clock.now())
                .order_by(SkillSession.id)
            )
        )
    )
    there = {
        (id_, who) for id_, who in db.session.execute(sa.select(Registration.skill_session_id, Registration.member_id))
    }
    joins: list[str | None] = []
    for member, (id_, public_id, host_id) in zip(members, sessions, strict=False):
        joins.append(None if host_id == member.id or (id_, member.id) in there else public_id)
    return joins


def _ticket(app: Flask, member_id: int) -> dict[str, str]:
    """The cookie of a new sign-in of a member, and the token its forms carry."""
    with app.test_request_context("/", base_url="http://127.0.0.1", method="POST"):
        signed_in.sign_in(db.session.get_one(Member, member_id))
        db.session.commit()
        token = generate_csrf()
        response = app.response_class()
        app.session_interface.save_session(app, session._get_current_object(), response)  # type: ignore[attr-defined]
    return {"cookie": response.headers["Set-Cookie"].partition(";")[0], "token": token}


def _mixed(rows: list[Any]) -> list[Any]:
    random.Random(SEED).shuffle(rows)
    return rows


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
