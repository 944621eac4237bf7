"""A skill as a list tells of it, before it stands in the catalogue."""

from dataclasses import dataclass, field

from skillshare.models.skills import Care, SkillState


@dataclass(frozen=True)
class Shelf:
    """The topic a skill belongs to."""

    slug: str
    names: dict[str, str] = field(hash=False)
    position: int = 100


@dataclass
class Words:
    """What a list says of a skill in one language."""

    locale: str
    name: str
    other_names: list[str]
    summary: str
    practice: str
    theory: str = ""
    safety: str = ""


@dataclass
class Entry:
    """One skill of a list. `words[0]` is in the language it was first written in.

    `learn_first` names others by the `key` that they have in the same list: their URI, else their slug.
    """

    slug: str
    shelf: Shelf
    words: list[Words] = field(default_factory=list)
    uri: str | None = None
    care: Care = Care.NONE
    refresh_days: int | None = None
    state: SkillState = SkillState.ACTIVE
    learn_first: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """By what it is known again."""
        return self.uri or self.slug
