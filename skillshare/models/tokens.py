"""Hashed, expiring secrets: what a sign-in cookie holds, and what a link in a mail holds.

Only the SHA-256 of 256 random bits is kept. The secret itself is seen once, by the one it is for.
"""

import enum
import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from skillshare import clock, limits
from skillshare.db import Base, Public, choice, db

from .members import Member


class Purpose(enum.StrEnum):
    """What a mailed link is for; a link for one thing opens no other."""

    CONFIRM = "confirm"
    SIGN_IN = "sign_in"
    RESET = "reset"


LASTS = {
    Purpose.CONFIRM: limits.CONFIRM_LASTS,
    Purpose.SIGN_IN: limits.SIGN_IN_LINK_LASTS,
    Purpose.RESET: limits.RESET_LASTS,
}


class Token(Base):
    """A link in a mail, good once and for a while; a newer one of the same purpose ends the older."""

    __tablename__ = "token"
    __table_args__ = (sa.UniqueConstraint("member_id", "purpose"),)

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"))
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose))
    hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    expires_at: Mapped[datetime]

    member: Mapped[Member] = relationship(lazy="raise")

    @classmethod
    def issue(cls, member: Member, purpose: Purpose, lasts: timedelta | None = None) -> str:
        """A new secret for `member`, and the end of any older one of this purpose."""
        cls.end(member, purpose)
        secret = new_secret()
        expires_at = clock.now() + (lasts or LASTS[purpose])
        db.session.add(cls(member_id=member.id, purpose=purpose, hash=hash_of(secret), expires_at=expires_at))
        return secret

    @classmethod
    def find(cls, secret: str, purpose: Purpose) -> "Token | None":
        """The living token behind `secret`, with its member; None when wrong, used, ended or too old."""
        return db.session.scalar(
            sa.select(cls)
            .where(cls.hash == hash_of(secret), cls.purpose == purpose, cls.expires_at > clock.now())
            .options(joinedload(cls.member))
            .with_for_update(of=cls)
        )

    def use(self) -> Member:
        """Whose it is; from now on it opens nothing."""
        member = self.member
        db.session.delete(self)
        return member

    @classmethod
    def end(cls, member: Member, *purposes: Purpose) -> None:
        """End the living tokens of `member` for these purposes (all when none is named)."""
        wanted = purposes or tuple(Purpose)
        db.session.execute(sa.delete(cls).where(cls.member_id == member.id, cls.purpose.in_(wanted)))


class SignIn(Public, Base):
    """One device on which a member is signed in. Ending the row signs it out at its next request."""

    __tablename__ = "sign_in"

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    device: Mapped[str] = mapped_column(sa.String(limits.UA), default="")
    proved_at: Mapped[datetime] = mapped_column(default=clock.now)

    member: Mapped[Member] = relationship(lazy="raise")

    @classmethod
    def start(cls, member: Member, device: str) -> tuple["SignIn", str]:
        """Sign `member` in on a device; with the secret for its cookie. The oldest beyond the limit ends."""
        secret = new_secret()
        started = cls(member=member, hash=hash_of(secret), device=device[: limits.UA])
        db.session.add(started)
        db.session.flush()
        kept = sa.select(cls.id).where(cls.member_id == member.id).order_by(cls.id.desc()).limit(limits.SIGN_INS)
        db.session.execute(sa.delete(cls).where(cls.member_id == member.id, cls.id.not_in(kept)))
        return started, secret

    @classmethod
    def find(cls, secret: str) -> "SignIn | None":
        """The living sign-in behind a cookie, with its member; None when ended, too old, or not active."""
        found = db.session.scalar(sa.select(cls).where(cls.hash == hash_of(secret)).options(joinedload(cls.member)))
        if found is None or not found.member.is_active:
            return None
        if not found.created_at - limits.SESSION_MIN <= clock.now() < found.created_at + limits.SIGN_IN_WHOLE:
            return None
        return found

    @classmethod
    def of(cls, member: Member) -> sa.Select["SignIn"]:
        """Where `member` is signed in, newest first."""
        return sa.select(cls).where(cls.member_id == member.id).order_by(cls.id.desc())

    @classmethod
    def end_all(cls, member: Member, but: "SignIn | None" = None) -> None:
        """Sign out everywhere, except on the device of `but`."""
        db.session.execute(sa.delete(cls).where(cls.member_id == member.id, cls.id != (but.id if but else 0)))


def new_secret() -> str:
    """256 random bits as URL-safe text."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
