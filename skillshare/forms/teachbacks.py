"""Teach-backs on a form: what was shown back, on which day, who saw it; and what a witness asks to practise."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectMultipleField
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from skillshare import limits

from .base import Form, Line, Needed, Text, UpTo
from .log import handles_of
from .sessions import Day


class WitnessesForm(Form):
    """People who saw it: ticked, where we can guess who it was, or named by their handles."""

    present = SelectMultipleField(
        _l("Who saw it?"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    handles = Line(
        _l("Who saw it?"), [UpTo(limits.LINE)], description=_l("Their handles. Several with a space between.")
    )

    def __init__(self, *args: Any, present: list[tuple[str, str]] = (), **kwargs: Any) -> None:  # type: ignore[assignment]
        super().__init__(*args, **kwargs)
        self.present.choices = list(present)
        self.handles.flags.required = not present
        if present:
            self.handles.label.text = _("Who else saw it?")

    def validate_handles(self, field: Line) -> None:
        """At least one, ticked or named."""
        if not (self.present.data or handles_of(field.data)):
            raise ValidationError(_("Name at least one person who saw it."))

    def asked(self) -> dict[str, Any]:
        """`witnesses` are still handles, for the view to look up."""
        return {"witnesses": list(dict.fromkeys([*(self.present.data or ()), *handles_of(self.handles.data)]))}

    def refuse(self, message: str, field: str | None = None) -> None:
        """As every form, with the model's `witnesses` beside the handles."""
        super().refuse(message, "handles" if field == "witnesses" else field)


class TeachBackForm(WitnessesForm):
    """A try: I showed it and said why."""

    skill = Line(_l("What did you show back?"), [Needed(), UpTo(limits.SKILL_NAME)])
    on = Day(_l("Which day?"), [Needed()])
    note = Text(
        _l("In your own words: how did it go?"),
        [UpTo(limits.NOTE)],
        description=_l("Only you and those who saw it will read this."),
    )

    def asked(self) -> dict[str, Any]:
        """As above; `skill` is still a name."""
        return {
            **super().asked(),
            "skill": self.skill.data,
            "on": self.on.data,
            "note": self.note.data or "",
        }


class MorePracticeForm(Form):
    """What to show again."""

    kind_note = Text(
        _l("Which part is worth another try?"),
        [Needed(_l("Say which part, so that they know what to try again.")), UpTo(limits.NOTE)],
        description=_l("Say what was clear first. Only they and those who saw it will read this."),
    )
