"""The shared page of a skill on a form: its two halves, its names one a line, its care.

Not here: finding the skills to learn first, and whether a name is free.
"""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from skillshare import i18n, limits
from skillshare.models.skills import Care, Skill

from .base import Form, Line, Needed, Text, UpTo, Whole, one_line


class SkillForm(Form):
    """What stands on a skill's page in one language."""

    name = Line(_l("What is it called?"), [Needed(), UpTo(limits.SKILL_NAME)])
    other_names = Text(
        _l("What else do people call it?"),
        description=_l("One name a line. Whoever searches for one of them finds this page."),
    )
    summary = Line(_l("In one sentence, what is it?"), [Needed(), UpTo(limits.SKILL_SUMMARY)])
    practice = Text(_l("What do your hands do?"), [Needed(), UpTo(limits.HALF)])
    theory = Text(
        _l("Why does it work?"),
        [Needed(), UpTo(limits.HALF)],
        description=_l("What goes on underneath, in plain words."),
    )
    topic = SelectField(_l("Where does it belong?"))
    care = RadioField(_l("How much can go wrong?"), default=Care.NONE.value)
    safety = Text(
        _l("How do you stay safe?"),
        [UpTo(limits.HALF)],
        description=_l("Needed when it can hurt people: what can go wrong, and what to do about it."),
    )
    first_learn = Text(
        _l("What is worth learning first?"),
        description=_l("Names of other skills here, one a line."),
    )

    def __init__(self, *args: Any, topics: Iterable[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topic.choices = list(topics)
        self.care.choices = [
            (Care.NONE.value, _("Nothing much")),
            (Care.CAREFUL.value, _("You have to take care")),
            (Care.HAZARD.value, _("It can hurt people badly")),
        ]

    @staticmethod
    def said_of(skill: Skill, locale: str) -> dict[str, Any]:
        """The fields as `skill` fills them in `locale`; the words are empty where nobody wrote it in that language."""
        text = next((text for text in skill.texts if text.locale == locale), None)
        fields = ("name", "summary", "practice", "theory", "safety")
        return {
            **({field: getattr(text, field) for field in fields} if text else {}),
            "other_names": "\n".join(skill.other_names(locale)) if text else _names_in(skill, locale),
            "topic": skill.topic.slug,
            "care": skill.care.value,
            "first_learn": "\n".join(other.name(i18n.current_locale()) for other in skill.first_learn),
        }

    def lines(self, field: str) -> list[str]:
        """The lines of one of the fields that take a name a line."""
        lines = (one_line(line) for line in (self[field].data or "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def validate_other_names(self, _field: Text) -> None:
        """As many names as anybody needs, each of a length that fits."""
        names = self.lines("other_names")
        if len(names) > limits.SKILL_OTHER_NAMES:
            raise ValidationError(_("At most %(max)d names, please.", max=limits.SKILL_OTHER_NAMES))
        if any(len(name) > limits.SKILL_NAME for name in names):
            raise ValidationError(_("A name has at most %(max)d characters.", max=limits.SKILL_NAME))

    def validate_first_learn(self, _field: Text) -> None:
        """A few."""
        if len(self.lines("first_learn")) > limits.FIRST_LEARN:
            raise ValidationError(_("At most %(max)d skills, please.", max=limits.FIRST_LEARN))

    def asked(self) -> dict[str, Any]:
        """The words as the model takes them; `topic` by its slug, `first_learn` by names."""
        return {
            **{field: self[field].data for field in ("name", "summary", "practice", "theory", "safety", "topic")},
            "care": Care(self.care.data),
            "other_names": self.lines("other_names"),
            "first_learn": self.lines("first_learn"),
        }


class NewSkillForm(SkillForm):
    """A page for a skill that has none yet."""

    language = SelectField(_l("In which language do you write?"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.language.choices = [(code, i18n.own_name(code)) for code in i18n.locales()]

    def asked(self) -> dict[str, Any]:
        """As above, with the language."""
        return {**super().asked(), "locale": self.language.data}


class EditSkillForm(SkillForm):
    """A page written anew in one language: only over the version that was read."""

    note = Line(
        _l("What did you change, and why?"), [UpTo(limits.LINE)], description=_l("Stands in the history of the page.")
    )
    version = Whole(widget=HiddenInput(), validators=[Needed()])

    def asked(self) -> dict[str, Any]:
        """As above, with the version and the note."""
        return {**super().asked(), "version": self.version.data, "note": self.note.data}

    def go_on_from(self, version: int) -> None:
        """After a conflict: whoever has seen both texts may save over the newer one."""
        self.version.raw_data, self.version.data = None, version


def _names_in(skill: Skill, locale: str) -> str:
    """Names it has in a language in which nobody wrote its page."""
    return "\n".join(name.text for name in skill.names if name.locale == locale)
