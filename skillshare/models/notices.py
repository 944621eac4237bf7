"""Telling a member something: one line for the outbox, which becomes a mail in their language.

Whether they may still see its subject is asked again at sending. Not here: the words (`templates/mail/`).
"""

from skillshare.db import Base

from .members import Member
from .outbox import Outbox


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
