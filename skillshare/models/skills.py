"""Skills: shared pages about what people can do, with names in many languages, that every member may edit.

Each has its practice (what your hands do) and its theory (what is going on underneath).
Not here: who can show a skill (`knowhow.py`).
"""

import enum
import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship, selectinload

from skillshare import limits
from skillshare.db import Base, Public, Versioned, choice, db
from skillshare.errors import EditConflict, NotAllowed, RuleBroken

from .members import Member
from .outbox import Searchable

# What stands at the same place of an address as a skill: `/skills/new`.
RESERVED_SLUGS = frozenset(("new", "suggest"))
TEXT_FIELDS = ("name", "summary", "practice", "theory", "safety")


class Care(enum.StrEnum):
    """How much can go wrong with it."""

    NONE = "none"
    CAREFUL = "careful"
    HAZARD = "hazard"


class SkillState(enum.StrEnum):
    """Where a shared page stands."""

    NEW = "new"
    ACTIVE = "active"
    ARCHIVED = "archived"


class LinkKind(enum.StrEnum):
    """How one skill stands to another."""

    FIRST_LEARN = "first_learn"
    PART_OF = "part_of"
    GOES_WITH = "goes_with"


class Topic(Base):
    """A shelf of the catalogue, named in each of the instance's languages."""

    __tablename__ = "topic"

    slug: Mapped[str] = mapped_column(sa.String(limits.SLUG), unique=True)
    names: Mapped[dict[str, str]]
    position: Mapped[int] = mapped_column(default=0)

    @classmethod
    def listed(cls) -> sa.Select["Topic"]:
        """All topics in their order."""
        return sa.select(cls).order_by(cls.position, cls.id)

    def name(self, locale: str) -> str:
        """The topic's name for a reader of `locale`, else in English, else as it is known."""
        return self.names.get(locale) or self.names.get("en") or self.slug


class Skill(Public, Versioned, Searchable, Base):
    """One thing people can do. Its words stand in `texts`, one for each language somebody wrote it in."""

    __tablename__ = "skill"

    slug: Mapped[str] = mapped_column(sa.String(limits.SLUG), unique=True)
    locale: Mapped[str] = mapped_column(sa.String(10))
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"), index=True)
    care: Mapped[Care] = mapped_column(choice(Care), default=Care.NONE)
    refresh_days: Mapped[int | None]
    uri: Mapped[str | None] = mapped_column(sa.String(limits.URI), unique=True)
    state: Mapped[SkillState] = mapped_column(choice(SkillState), default=SkillState.ACTIVE)
    made_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("member.id", ondelete="SET NULL"), index=True)

    topic: Mapped[Topic] = relationship(lazy="raise")
    texts: Mapped[list["SkillText"]] = relationship(
        back_populates="skill", lazy="raise", cascade="all, delete-orphan", order_by="SkillText.id"
    )
    names: Mapped[list["SkillName"]] = relationship(
        back_populates="skill", lazy="raise", cascade="all, delete-orphan", order_by="SkillName.id"
    )
    links: Mapped[list["SkillLink"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", foreign_keys="SkillLink.from_skill_id"
    )

    @classmethod
    def make(
        cls,
        *,
        locale: str,
        topic: Topic,
        name: str,
        summary: str,
        practice: str,
        theory: str,
        safety: str = "",
        care: Care = Care.NONE,
        other_names: Iterable[str] = (),
        by: Member | None = None,
        slug: str | None = None,
    ) -> "Skill":
        """A new shared page, written in `locale` by `by` (None for the starter list).

        Raises `RuleBroken` on `name` when another skill has it, on `safety` when a hazard has no safety text.
        """
        taken = cls.named(name, locale)
        if taken is not None:
            raise RuleBroken(_("There is a page for this already: please use that one."), field="name")
        _check_safety(care, safety)
        skill = cls(
            slug=slug or free_slug(name), locale=locale, topic=topic, care=care, made_by_id=by.id if by else None
        )
        skill.texts, skill.names, skill.links = [], [], []
        skill.texts.append(
            SkillText(locale=locale, name=name, summary=summary, practice=practice, theory=theory, safety=safety)
        )
        db.session.add(skill)
        skill.set_names(locale, [name, *other_names])
        return skill

    @classmethod
    def named(cls, name: str, locale: str | None = None) -> "Skill | None":
        """The skill that has this name in `locale` (any language when None), ignoring case and spacing."""
        query = sa.select(cls).join(cls.names).where(SkillName.folded == folded(name))
        if locale is not None:
            query = query.where(SkillName.locale == locale)
        return db.session.scalar(query.order_by(cls.id).limit(1))

    @classmethod
    def listed(cls) -> sa.Select["Skill"]:
        """The skills of the catalogue with all that naming them needs."""
        return sa.select(cls).where(cls.state != SkillState.ARCHIVED).options(*cls.to_name())

    @classmethod
    def whole(cls) -> sa.Select["Skill"]:
        """Skills with all that their own page shows."""
        first = selectinload(cls.links).joinedload(SkillLink.to_skill).selectinload(Skill.texts)
        return sa.select(cls).options(selectinload(cls.texts), selectinload(cls.names), joinedload(cls.topic), first)

    @classmethod
    def to_name(cls) -> tuple[Any, ...]:
        """The loader options without which a skill cannot be called by its name."""
        return (selectinload(cls.texts),)

    def text(self, locale: str) -> "SkillText":
        """The words for a reader of `locale`: in their language, else the original (its `locale` says which)."""
        by_locale = {text.locale: text for text in self.texts}
        return by_locale.get(locale) or by_locale.get(self.locale) or self.texts[0]

    def told(self, locale: str) -> "SkillText":
        """The words that tell a reader of `locale` what it is about: `text`, unless nothing but a name stands there."""
        text = self.text(locale)
        return text if text.practice else self.text(self.locale)

    def name(self, locale: str) -> str:
        """The skill's name for a reader of `locale`."""
        return self.text(locale).name

    def other_names(self, locale: str) -> list[str]:
        """What else people call it in `locale`."""
        own = folded(self.name(locale))
        return [name.text for name in self.names if name.locale == locale and name.folded != own]

    def can_edit(self, member: Member | None) -> bool:
        """Every active member may improve the common stock."""
        return member is not None and member.is_active and self.state is not SkillState.ARCHIVED

    def edit(
        self,
        *,
        by: Member,
        version: int,
        locale: str,
        name: str,
        summary: str,
        practice: str,
        theory: str,
        safety: str = "",
        other_names: Iterable[str] = (),
        note: str = "",
        topic: Topic | None = None,
        care: Care | None = None,
    ) -> "SkillText":
        """Write the page anew in `locale`, or for the first time; what stood there is kept in the history.

        Raises `EditConflict` when somebody saved since `version`, `RuleBroken` on a taken name or missing safety.
        """
        if not self.can_edit(by):
            raise NotAllowed
        if version != self.version:
            raise EditConflict(_("Somebody else saved this page meanwhile. Nothing is lost: both texts are below."))
        _check_safety(care or self.care, safety)
        self._check_name(name, locale)

        text = next((t for t in self.texts if t.locale == locale), None)
        if text is None:
            text = SkillText(locale=locale)
            self.texts.append(text)
        else:
            SkillRevision.keep(text, by=by, note=note)
        text.name, text.summary, text.practice, text.theory, text.safety = name, summary, practice, theory, safety
        self.set_names(locale, [name, *other_names])
        self.topic = topic or self.topic
        self.care = care or self.care
        if self.state is SkillState.NEW and theory:
            self.state = SkillState.ACTIVE
        self.version += 1
        return text

    def undo(self, revision: "SkillRevision", *, by: Member) -> "SkillText":
        """Put back the words that `revision` kept. The undone words are kept in turn, so an undo can be undone."""
        text = revision.skill_text
        before = {field: str(revision.before.get(field, "")) for field in TEXT_FIELDS}
        names = self.other_names(text.locale)
        others = [n for n in names if folded(n) != folded(before["name"])]
        note = _("Undone")
        return self.edit(by=by, version=self.version, locale=text.locale, other_names=others, note=note, **before)  # type: ignore[arg-type]

    def set_names(self, locale: str, names: Iterable[str]) -> None:
        """Make `names` all the names of this skill in `locale`. Raises `RuleBroken` on one that another skill has."""
        wanted = {folded(name): name.strip() for name in names if name.strip()}
        for row in [row for row in self.names if row.locale == locale and row.folded not in wanted]:
            self.names.remove(row)
        for key, name in wanted.items():
            if not any(row.locale == locale and row.folded == key for row in self.names):
                self._check_name(name, locale, field="other_names")
                self.names.append(SkillName(locale=locale, text=name, folded=key))

    def learn_first(self, other: "Skill") -> None:
        """Say that `other` is worth learning before this. Twice is once. Raises `RuleBroken` on a loop."""
        if any(link.to_skill_id == other.id and link.kind is LinkKind.FIRST_LEARN for link in self.links):
            return
        if other.id == self.id or self.id in _reached_from(other.id, LinkKind.FIRST_LEARN):
            raise RuleBroken(_("These two would each have to come first."), field="first_learn")
        self.links.append(SkillLink(to_skill=other, kind=LinkKind.FIRST_LEARN))

    def set_first_learn(self, others: Iterable["Skill"]) -> None:
        """Make `others` all that is worth learning before this. Raises `RuleBroken` on a loop."""
        wanted = list(others)
        ids = {other.id for other in wanted}
        for link in [link for link in self.links if link.kind is LinkKind.FIRST_LEARN]:
            if link.to_skill_id not in ids:
                self.links.remove(link)
        db.session.flush()
        for other in wanted:
            self.learn_first(other)

    @property
    def first_learn(self) -> list["Skill"]:
        """What is worth learning before this."""
        return [link.to_skill for link in self.links if link.kind is LinkKind.FIRST_LEARN]

    def _check_name(self, name: str, locale: str, field: str = "name") -> None:
        other = Skill.named(name, locale)
        if other is not None and other.id != self.id:
            raise RuleBroken(_("Another skill is called “%(name)s” already.", name=name), field=field)

    @property
    def search_keys(self) -> tuple[str, ...]:
        """Its own document."""
        return (f"skill:{self.id}",)


class SkillText(Searchable, Base):
    """The words of a skill in one language."""

    __tablename__ = "skill_text"
    __table_args__ = (sa.UniqueConstraint("skill_id", "locale"),)

    skill_id: Mapped[int] = mapped_column(sa.ForeignKey("skill.id", ondelete="CASCADE"))
    locale: Mapped[str] = mapped_column(sa.String(10))
    name: Mapped[str] = mapped_column(sa.String(limits.SKILL_NAME))
    summary: Mapped[str] = mapped_column(sa.String(limits.SKILL_SUMMARY))
    practice: Mapped[str] = mapped_column(sa.Text)
    theory: Mapped[str] = mapped_column(sa.Text)
    safety: Mapped[str] = mapped_column(sa.Text, default="")

    skill: Mapped[Skill] = relationship(back_populates="texts", lazy="raise")

    @property
    def search_keys(self) -> tuple[str, ...]:
        """The skill's document."""
        return (f"skill:{self.skill_id}",)


class SkillName(Searchable, Base):
    """A name of a skill in a language: the synonym table, and the guard against two pages for one thing."""

    __tablename__ = "skill_name"
    __table_args__ = (sa.UniqueConstraint("folded", "locale"),)

    skill_id: Mapped[int] = mapped_column(sa.ForeignKey("skill.id", ondelete="CASCADE"), index=True)
    locale: Mapped[str] = mapped_column(sa.String(10))
    text: Mapped[str] = mapped_column(sa.String(limits.SKILL_NAME))
    folded: Mapped[str] = mapped_column(sa.String(limits.SKILL_NAME * 2))

    skill: Mapped[Skill] = relationship(back_populates="names", lazy="raise")

    @property
    def search_keys(self) -> tuple[str, ...]:
        """The skill's document."""
        return (f"skill:{self.skill_id}",)


class SkillLink(Base):
    """From a skill to another: learn that first, it is part of that, it goes with that."""

    __tablename__ = "skill_link"
    __table_args__ = (
        sa.UniqueConstraint("from_skill_id", "to_skill_id", "kind"),
        sa.CheckConstraint("from_skill_id <> to_skill_id", name="two_skills"),
    )

    from_skill_id: Mapped[int] = mapped_column(sa.ForeignKey("skill.id", ondelete="CASCADE"))
    to_skill_id: Mapped[int] = mapped_column(sa.ForeignKey("skill.id", ondelete="CASCADE"), index=True)
    kind: Mapped[LinkKind] = mapped_column(choice(LinkKind))

    to_skill: Mapped[Skill] = relationship(foreign_keys=to_skill_id, lazy="raise")


class SkillRevision(Base):
    """What stood on a page before somebody wrote it anew, with who and why."""

    __tablename__ = "skill_revision"

    skill_text_id: Mapped[int] = mapped_column(sa.ForeignKey("skill_text.id", ondelete="CASCADE"), index=True)
    editor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("member.id", ondelete="SET NULL"), index=True)
    before: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")

    skill_text: Mapped[SkillText] = relationship(lazy="raise")
    editor: Mapped[Member | None] = relationship(lazy="raise")

    @classmethod
    def keep(cls, text: SkillText, *, by: Member, note: str) -> None:
        """Keep the words of `text` as they are now, before `by` changes them."""
        before = {field: getattr(text, field) for field in TEXT_FIELDS}
        db.session.add(cls(skill_text_id=text.id, editor_id=by.id, before=before, note=note))

    @classmethod
    def of(cls, skill: Skill) -> sa.Select["SkillRevision"]:
        """The history of a page, newest first, ready to be listed."""
        return (
            sa.select(cls)
            .join(cls.skill_text)
            .where(SkillText.skill_id == skill.id)
            .options(joinedload(cls.skill_text), joinedload(cls.editor))
            .order_by(cls.id.desc())
        )

    @classmethod
    def after(cls, revisions: Iterable["SkillRevision"]) -> dict[int, dict[str, Any]]:
        """What stood there once each of these was saved, by their id: what the next one of that text kept, or the text.

        `revisions` are consecutive ones of one page, newest first, as `of` gives them.
        """
        rows = list(revisions)
        after: dict[int, dict[str, Any]] = {}
        words = {row.skill_text_id: {f: getattr(row.skill_text, f) for f in TEXT_FIELDS} for row in rows}
        if rows:
            newer = sa.select(cls).where(cls.skill_text_id.in_(words), cls.id > rows[0].id).order_by(cls.id.desc())
            words |= {row.skill_text_id: row.before for row in db.session.scalars(newer)}
        for row in rows:
            after[row.id] = words[row.skill_text_id]
            words[row.skill_text_id] = row.before
        return after


def folded(name: str) -> str:
    """The form of a name by which two are the same: composed, without case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def plain_slug(name: str) -> str:
    """The readable address that a name makes, whether free or not."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: limits.SLUG - 8].strip("-") or "skill"


def numbered(slug: str, taken: Collection[str]) -> str:
    """`slug`, or the first of `slug-2`, `slug-3` … that is not `taken`."""
    if slug not in taken:
        return slug
    return next(f"{slug}-{n}" for n in range(2, len(taken) + 3) if f"{slug}-{n}" not in taken)


def free_slug(name: str) -> str:
    """A readable address for a new skill that no other skill has."""
    slug = plain_slug(name)
    taken = set(db.session.scalars(sa.select(Skill.slug).where(Skill.slug.startswith(slug, autoescape=True))))
    return numbered(slug, taken | RESERVED_SLUGS)


def _check_safety(care: Care, safety: str) -> None:
    if care is Care.HAZARD and not safety.strip():
        raise RuleBroken(
            _("A dangerous skill needs its safety text: say what can go wrong and how to be safe."), "safety"
        )


def _reached_from(skill_id: int, kind: LinkKind) -> set[int]:
    """The ids of all skills that links of `kind` lead to from one, however far."""
    reached = (
        sa.select(SkillLink.to_skill_id)
        .where(SkillLink.from_skill_id == skill_id, SkillLink.kind == kind)
        .cte("reached", recursive=True)
    )
    further = sa.select(SkillLink.to_skill_id).where(
        SkillLink.from_skill_id == reached.c.to_skill_id, SkillLink.kind == kind
    )
    return set(db.session.scalars(sa.select(reached.union(further).c.to_skill_id)))
