"""The log on a form: who showed, helped or learned what, about how long, and one line.

Not here: finding people by their handles and skills by their names; the view does that.
"""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import FieldList, FormField, HiddenField, SelectField, SubmitField
from wtforms import Form as Part
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange
from wtforms.widgets import HiddenInput

from skillshare import limits
from skillshare.models.sessions import PartKind

from .base import Form, Line, Needed, Text, UpTo, Whole
from .sessions import Day

ABSENT = "absent"
DID = [
    SelectChoice(PartKind.SHOWS.value, _l("showed it")),
    SelectChoice(PartKind.HELPS.value, _l("helped")),
    SelectChoice(PartKind.LEARNS.value, _l("learned it")),
]
THEY_SHOWED, I_SHOWED, BOTH_LEARNED, THEY_HELPED = "they_showed", "i_showed", "both_learned", "they_helped"
HOW_WE_MET = [
    SelectChoice(THEY_SHOWED, _l("They showed me")),
    SelectChoice(I_SHOWED, _l("I showed them")),
    SelectChoice(BOTH_LEARNED, _l("They learned it with me")),
    SelectChoice(THEY_HELPED, _l("They helped")),
]
ALSO, MET = 2, 4


def _minutes() -> NumberRange:
    return NumberRange(0, limits.MINUTES_MAX, _l("From 0 to %(max)s minutes."))


class WhatForm(Form):
    """What every entry says: about how long, and one line."""

    practice_minutes = Whole(_l("Minutes of doing"), [Needed(), _minutes()])
    theory_minutes = Whole(_l("Minutes of understanding why"), [Needed(), _minutes()])
    line = Line(_l("In one line: how did it go?"), [UpTo(limits.LINE)])

    def asked(self) -> dict[str, Any]:
        """Minutes and line."""
        return {
            "practice_minutes": self.practice_minutes.data,
            "theory_minutes": self.theory_minutes.data,
            "line": self.line.data or "",
        }

    def refuse(self, message: str, field: str | None = None) -> None:
        """As every form; a field of a row is named as on the page, `also-0-handle`."""
        name, _, rest = (field or "").partition("-")
        number, _, inner = rest.partition("-")
        if not inner or not isinstance(self._fields.get(name), FieldList):
            super().refuse(message, field)
            return
        rows = self._fields[name]
        wrong = rows[int(number)].form[inner]
        wrong.errors = [*wrong.errors, message]
        rows.errors = [row.errors for row in rows]


class SaidForm(Part):
    """What one person did for one skill. `key` stands for the two; only the view knows for whom."""

    key = HiddenField()
    did = SelectField(choices=[*DID, SelectChoice(ABSENT, _l("was not there"))])


class AlsoForm(Part):
    """Somebody who stands on no row above, or another skill."""

    handle = Line(_l("Their handle"), [UpTo(limits.HANDLE_MAX + 1)], description=_l("The short name they chose here."))
    skill = Line(_l("Which skill?"), [UpTo(limits.SKILL_NAME)], description=_l("Left empty, it is what is above."))
    did = SelectField(_l("What did they do?"), choices=DID, default=PartKind.LEARNS.value)


class SessionLogForm(WhatForm):
    """A session: everybody who had a part in it, and who else was there."""

    lines = FieldList(FormField(SaidForm), max_entries=limits.LOG_PARTS)
    also = FieldList(FormField(AlsoForm), min_entries=ALSO, max_entries=ALSO)

    def asked(self) -> dict[str, Any]:
        """As above; `lines` are what was chosen by key, `also` rows of handle, skill and kind by their number."""
        return {
            **super().asked(),
            "lines": {row.key.data: PartKind(row.did.data) for row in self.lines if row.did.data != ABSENT},
            "also": {
                number: (handle_of(row.handle.data), row.skill.data or "", PartKind(row.did.data))
                for number, row in enumerate(self.also)
                if row.handle.data
            },
        }


class EditLogForm(SessionLogForm):
    """An entry put right: only over the version that was read."""

    version = Whole(widget=HiddenInput(), validators=[Needed()])
    happened_on = Day(_l("Which day?"), [Needed()])

    def asked(self) -> dict[str, Any]:
        """As above, with version and day (None where the session gives the day)."""
        day = self.happened_on.data if self.happened_on else None
        return {**super().asked(), "version": self.version.data, "happened_on": day}

    def go_on_from(self, version: int) -> None:
        """After a conflict: whoever has seen both texts may save over the newer one."""
        self.version.raw_data, self.version.data = None, version


class MetForm(Part):
    """One line of a chance meeting: with whom, which skill, and who showed it."""

    handle = Line(_l("Who was it?"), [UpTo(limits.LINE)], description=_l("Their handle. Several with a space between."))
    skill = Line(_l("Which skill?"), [UpTo(limits.SKILL_NAME)])
    how = SelectField(_l("Who showed it?"), choices=HOW_WE_MET, default=THEY_SHOWED)


class ChanceForm(WhatForm):
    """A chance meeting, from one to four lines."""

    met = FieldList(FormField(MetForm), min_entries=1, max_entries=MET)
    happened_on = Day(_l("Which day?"), [Needed()])
    more = SubmitField(_l("Add another skill or person"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in (self.met[0].form.handle, self.met[0].form.skill):
            field.flags.required = True

    @property
    def wants_more(self) -> bool:
        """Whether "one more line" was pressed."""
        return bool(self.is_submitted() and self.more.data)

    @property
    def has_room(self) -> bool:
        """Whether there can be one more line."""
        return len(self.met) < MET

    def add_line(self) -> None:
        """One more line, when there is room; all that was written stays."""
        if self.has_room:
            self.met.append_entry()

    def asked(self) -> dict[str, Any]:
        """As above; `met` are rows of handles, skill and who showed, by their number. Empty rows are left out."""
        return {
            **super().asked(),
            "happened_on": self.happened_on.data,
            "met": {
                number: (handles_of(row.handle.data), row.skill.data or "", row.how.data)
                for number, row in enumerate(self.met)
                if row.handle.data or row.skill.data or number == 0
            },
        }


class NotRightForm(Form):
    """What was different."""

    note = Text(
        _l("What was different?"),
        [Needed(_l("Say what was different, so that it can be put right.")), UpTo(limits.NOTE)],
        description=_l("Only the person who wrote it will read this."),
    )


def handle_of(text: str | None) -> str:
    """A handle as it is kept, from what was typed: `@Ana` is `ana`."""
    return (text or "").strip().removeprefix("@").lower()


def handles_of(text: str | None) -> list[str]:
    """The handles in one line, with spaces or commas between."""
    words = (text or "").replace(",", " ").replace(";", " ").split()
    return list(dict.fromkeys(handle_of(word) for word in words))
