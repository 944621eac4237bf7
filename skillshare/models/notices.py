"""Telling a member something: one line for the outbox, which becomes a mail in their language. And how they want it.

Whether they may still see its subject, and still want to hear of it, is asked again at sending. Not here: the words
(`templates/mail/`).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from skillshare import clock
from skillshare.db import Base, choice, db, insert
from skillshare.errors import RuleBroken

from .members import Member
from .outbox import Outbox


class Channel(enum.StrEnum):
    """When somebody wants to hear of something."""

    NOW = "now"
    DAILY = "daily"
    WEEKLY = "weekly"
    OFF = "off"


@dataclass(frozen=True)
class Kind:
    """A kind of notice that its reader may switch off: what may be chosen, and what holds until they choose."""

    channels: tuple[Channel, ...] = (Channel.NOW, Channel.OFF)
    default: Channel = Channel.NOW


FINDS = "finds"
KINDS: Mapping[str, Kind] = {
    FINDS: Kind(tuple(Channel), Channel.DAILY),
    "me_too": Kind(),
    "asked_to_witness": Kind(),
    "log_confirmed": Kind(),
    "teach_backs": Kind(),
}
"""What may be chosen. All other notices are needed while something is going on, and cannot be switched off."""

KIND_OF_MAIL: Mapping[str, str] = {
    FINDS: FINDS,
    "me_too": "me_too",
    "asked_to_witness": "asked_to_witness",
    "log_confirmed": "log_confirmed",
    "teach_back_clear": "teach_backs",
    "teach_back_open_again": "teach_backs",
    "more_practice": "teach_backs",
}
"""The kind of notice that each mail is, where it may be switched off."""


class NoticeChoice(Base):
    """How a member wants to hear of one kind of thing. No row: as `KINDS` says."""

    __tablename__ = "notice_choice"
    __table_args__ = (sa.UniqueConstraint("member_id", "kind"),)

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(sa.String(30))
    channel: Mapped[Channel] = mapped_column(choice(Channel))

    @classmethod
    def of(cls, member: Member) -> dict[str, Channel]:
        """What `member` chose for each kind, or what holds until they choose."""
        chosen = {row.kind: row.channel for row in db.session.scalars(sa.select(cls).where(cls.member_id == member.id))}
        return {name: chosen.get(name, kind.default) for name, kind in KINDS.items()}

    @classmethod
    def choose(cls, kind: str, channel: Channel, *, by: Member) -> None:
        """From now on `by` hears of `kind` this way. Raises `RuleBroken` for a way that this kind does not have."""
        if kind not in KINDS or channel not in KINDS[kind].channels:
            raise RuleBroken(_("This cannot be chosen."), field=kind)
        said = insert(cls).values(member_id=by.id, kind=kind, channel=channel)
        db.session.execute(
            said.on_conflict_do_update(
                index_elements=["member_id", "kind"], set_={"channel": channel, "updated_at": clock.now()}
            )
        )


def notify(member: Member, kind: str, subject: Base, again: str = "") -> None:
    """Tell `member` about `subject`, once for each (kind, subject, `again`). Sent after the commit."""
    about = f"{subject.__tablename__}:{subject.id}"
    Outbox.put(
        "mail",
        f"{kind}:{about}:{member.id}:{again}",
        {"kind": kind, "member_id": member.id, "about": about},
    )


def mail_secret(member: Member, kind: str, secret: str) -> None:
    """Mail a link that holds `secret` to `member`; a newer one of the same kind replaces one still waiting."""
    Outbox.put("mail", f"{kind}:{member.id}", {"kind": kind, "member_id": member.id, "secret": secret})
