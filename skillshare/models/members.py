"""Members: one kind of account. No teacher, no student; what a person shows and learns comes from the log."""

import enum
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column, relationship

from skillshare import clock, limits
from skillshare.db import Base, Versioned, choice, db
from skillshare.errors import EditConflict, RuleBroken

from .outbox import Searchable
from .places import Area

HANDLE = re.compile(r"[a-z0-9_]{3,30}")
RESERVED_HANDLES = frozenset(
    "admin administrator moderator moderation support steward stewards help teachback root system staff me you "
    "new edit about rules settings security postmaster webmaster".split()
)
# Digits and letters that look alike in common fonts; a handle must not be another's twin.
LOOKALIKES = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "_": None})


class MemberState(enum.StrEnum):
    """Where an account stands."""

    UNCONFIRMED = "unconfirmed"
    ACTIVE = "active"
    CLOSED = "closed"


class SeenAs(enum.StrEnum):
    """How far the member's own page reaches."""

    HIDDEN = "hidden"
    COMMUNITY = "community"
    PUBLIC = "public"


class NameSeenBy(enum.StrEnum):
    """Who reads the name beside the handle."""

    PARTNERS = "partners"
    MEMBERS = "members"


class Member(Versioned, Searchable, Base):
    """A person with an account, known to the others by a handle of their choice."""

    __tablename__ = "member"
    __table_args__ = (
        sa.CheckConstraint("handle = lower(handle)", name="handle_is_lower"),
        sa.CheckConstraint("email_key = lower(email_key)", name="email_key_is_lower"),
        sa.Index("ix_member_state_seen_as", "state", "seen_as"),
    )

    handle: Mapped[str] = mapped_column(sa.String(limits.HANDLE_MAX), unique=True)
    handle_twin: Mapped[str] = mapped_column(sa.String(limits.HANDLE_MAX), unique=True)
    name: Mapped[str] = mapped_column(sa.String(limits.NAME))
    pronouns: Mapped[str] = mapped_column(sa.String(limits.PRONOUNS), default="")
    email: Mapped[str] = mapped_column(sa.String(limits.EMAIL))
    email_key: Mapped[str] = mapped_column(sa.String(limits.EMAIL), unique=True)
    email_verified_at: Mapped[datetime | None]
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    about: Mapped[str] = mapped_column(sa.Text, default="")
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"), index=True)
    zone: Mapped[str] = mapped_column(sa.String(64))
    locale: Mapped[str] = mapped_column(sa.String(10))
    access_needs: Mapped[str] = mapped_column(sa.String(limits.NOTE), default="")
    seen_as: Mapped[SeenAs] = mapped_column(choice(SeenAs), default=SeenAs.COMMUNITY)
    name_seen_by: Mapped[NameSeenBy] = mapped_column(choice(NameSeenBy), default=NameSeenBy.PARTNERS)
    state: Mapped[MemberState] = mapped_column(choice(MemberState), default=MemberState.UNCONFIRMED)
    is_adult_said_at: Mapped[datetime]
    rules_agreed_at: Mapped[datetime]
    lists_made_at: Mapped[datetime | None]

    area: Mapped[Area | None] = relationship()
    languages: Mapped[list["MemberLanguage"]] = relationship(lazy="raise", cascade="all, delete-orphan")

    @classmethod
    def join(
        cls, *, handle: str, name: str, email: str, locale: str, zone: str, password_hash: str | None = None
    ) -> "Member":
        """A new member who has ticked that they are an adult and keep the house rules; active once confirmed.

        Raises `RuleBroken` on `handle` when it is taken, reserved or a twin of another's.
        """
        check_handle(handle)
        now = clock.now()
        member = cls(
            handle=handle,
            handle_twin=twin(handle),
            name=name,
            email=email,
            email_key=email_key(email),
            locale=locale,
            zone=zone,
            password_hash=password_hash,
            is_adult_said_at=now,
            rules_agreed_at=now,
            state=MemberState.UNCONFIRMED,
            seen_as=SeenAs.COMMUNITY,
            name_seen_by=NameSeenBy.PARTNERS,
        )
        db.session.add(member)
        return member

    def join_again(self, *, handle: str, name: str, locale: str, zone: str, password_hash: str | None) -> None:
        """Before the address is confirmed, whoever filled in the form last says what the account is like."""
        check_handle(handle, but=self)
        self.handle, self.handle_twin = handle, twin(handle)
        self.name, self.locale, self.zone = name, locale, zone
        self.password_hash = password_hash
        self.is_adult_said_at = self.rules_agreed_at = clock.now()

    def edit(
        self,
        *,
        version: int,
        name: str,
        pronouns: str,
        about: str,
        area: Area | None,
        locale: str,
        zone: str,
        seen_as: SeenAs,
        name_seen_by: NameSeenBy,
        languages: Iterable[str],
    ) -> None:
        """Change what the member says of themselves, and who sees it. Raises `EditConflict` on an old `version`."""
        if version != self.version:
            raise EditConflict(_("You saved this in another window meanwhile. Nothing is lost: both texts are below."))
        self.name, self.pronouns, self.about, self.area = name, pronouns, about, area
        self.locale, self.zone = locale, zone
        self.seen_as, self.name_seen_by = seen_as, name_seen_by
        self._speak(languages)
        self.version += 1

    def _speak(self, codes: Iterable[str]) -> None:
        wanted = list(dict.fromkeys(codes))
        for row in [row for row in self.languages if row.code not in wanted]:
            self.languages.remove(row)
        spoken = {row.code for row in self.languages}
        self.languages.extend(MemberLanguage(code=code) for code in wanted if code not in spoken)

    def confirm(self) -> None:
        """The e-mail address is theirs: the account is open. Saying so twice is harmless."""
        if self.state is MemberState.UNCONFIRMED:
            self.state = MemberState.ACTIVE
        if self.email_verified_at is None:
            self.email_verified_at = clock.now()

    @property
    def is_active(self) -> bool:
        """Whether this account may act."""
        return self.state is MemberState.ACTIVE

    @classmethod
    def by_email(cls, email: str) -> "Member | None":
        """The member behind an address, ignoring case; None for an address nobody has."""
        return db.session.scalar(sa.select(cls).where(cls.email_key == email_key(email)))

    @classmethod
    def by_address_or_handle(cls, said: str) -> "Member | None":
        """The member behind what somebody types to sign in."""
        if "@" in said:
            return cls.by_email(said)
        return db.session.scalar(sa.select(cls).where(cls.handle == said.strip().lower()))

    @property
    def search_keys(self) -> tuple[str, ...]:
        """What they offer, ask for and host: others find it as far as their page reaches, while they are active."""
        return (f"member:{self.id}",)

    def __str__(self) -> str:
        return self.handle


class MemberLanguage(Base):
    """A language a member speaks, and how easily."""

    __tablename__ = "member_language"
    __table_args__ = (sa.UniqueConstraint("member_id", "code"),)

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(sa.String(10))
    ease: Mapped[str] = mapped_column(sa.String(10), default="easy")


def email_key(email: str) -> str:
    """The form of an address that must be unique: composed, without case or surrounding space."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def check_handle(handle: str, but: Member | None = None) -> None:
    """Raise `RuleBroken` on `handle` unless it is well formed, free, and nobody's twin (except that of `but`)."""
    if not HANDLE.fullmatch(handle):
        raise RuleBroken(_("Use 3 to 30 small letters a to z, digits or _."), field="handle")
    if twin(handle) in {twin(word) for word in RESERVED_HANDLES}:
        raise RuleBroken(_("This handle is kept free. Please choose another."), field="handle")
    taken = sa.exists().where(Member.handle_twin == twin(handle), Member.id != (but.id if but else 0))
    if db.session.scalar(sa.select(taken)):
        raise RuleBroken(
            _("Somebody has this handle or one that looks like it. Please choose another."), field="handle"
        )


def twin(handle: str) -> str:
    """What a handle looks like at a glance: two with the same look are one too many."""
    return handle.translate(LOOKALIKES)
