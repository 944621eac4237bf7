"""The form all others inherit: trimmed text, one verb, refusals beside the field, the same form twice is one thing."""

import secrets
import unicodedata
from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, IntegerField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields import FieldList
from wtforms.validators import InputRequired, Length, StopValidation

from skillshare.errors import EditConflict, RuleBroken

INVISIBLE = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800"))  # fillers that look like nothing


def one_line(text: str | None) -> str:
    """Text as it is kept of a one-line field: composed, no control or bidi characters, single spaces."""
    kept = (" " if c in "\t\r\n\v\f\x85\u2028\u2029" else c for c in unicodedata.normalize("NFC", text or ""))
    plain = "".join(c for c in kept if not _is_control(c))
    return " ".join(plain.split()) if not is_blank(plain) else ""


def many_lines(text: str | None) -> str:
    """Text as it is kept of a text area: composed, `\\n` line ends, no control characters, trimmed."""
    plain = unicodedata.normalize("NFC", text or "").replace("\r\n", "\n").replace("\r", "\n")
    plain = "".join(c for c in plain if c in "\n\t" or unicodedata.category(c) != "Cc")
    return plain.strip() if not is_blank(plain) else ""


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing: only spaces, joiners, fillers."""
    return all(c.isspace() or unicodedata.category(c) in ("Cf", "Cc") or ord(c) in INVISIBLE for c in text)


def _is_control(char: str) -> bool:
    joiner = char in "\u200c\u200d"
    return unicodedata.category(char) in ("Cc", "Cf", "Cs") and not joiner


class Line(StringField):
    """One line of a person's text. Nothing sent is the empty text."""

    def process_data(self, value: Any) -> None:
        """Take what the thing says now."""
        self.data = value or ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was sent, cleaned."""
        self.data = one_line(valuelist[0]) if valuelist else ""


class Text(TextAreaField):
    """Several lines of a person's text. Nothing sent is the empty text."""

    def process_data(self, value: Any) -> None:
        """Take what the thing says now."""
        self.data = value or ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was sent, cleaned."""
        self.data = many_lines(valuelist[0]) if valuelist else ""


class Whole(IntegerField):
    """A whole number in ASCII digits, at most six of them; anything else is not a number."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was sent; raises ValueError with a sentence for the field."""
        text = valuelist[0].strip() if valuelist else ""
        self.data = None
        if text == "":
            return
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 6):
            raise ValueError(_("Please write a whole number."))
        self.data = int(text)


class Needed(InputRequired):
    """The field must be filled in. Marks it as required for the browser too."""

    def __call__(self, form: Any, field: Field) -> None:
        """Raise StopValidation with the sentence when it is empty."""
        if field.process_errors:
            raise StopValidation()  # what was sent is wrong, not missing: that sentence stays
        if field.data is None or field.data == "" or field.data == []:
            field.errors = []
            raise StopValidation(str(self.message or _("Please fill this in.")))


class UpTo(Length):
    """At most `max` characters (code points after NFC)."""

    def __init__(self, most: int) -> None:
        super().__init__(max=most, message=lazy_gettext("At most %(max)d characters, please.", max=most))


class Form(FlaskForm):
    """A form for one verb. `once` makes a second sending of the same page harmless."""

    once = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conflict = False
        if not self.once.data:
            self.once.data = secrets.token_urlsafe(16)

    def validate(self, extra_validators: Any = None) -> bool:
        """Well-formed, and no single field sent twice."""
        doubled = [f for f in self if not _takes_many(f) and len(getattr(f, "raw_data", None) or ()) > 1]
        valid = bool(super().validate(extra_validators))
        for field in doubled:
            self.refuse(_("This was sent twice."), field.name)
        return valid and not doubled

    def submit_to(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        """Validate, then call `verb` with `args`, `kwargs` and what `asked()` says. False: show the form again.

        The verb's result is kept as `result`; a `RuleBroken` lands beside its field, or on top of the form.
        """
        if not self.validate_on_submit():
            return False
        try:
            self.result = verb(*args, **kwargs, **self.asked())
        except RuleBroken as refusal:
            self.conflict = isinstance(refusal, EditConflict)
            self.refuse(refusal.message, refusal.field)
            return False
        return True

    def asked(self) -> dict[str, Any]:
        """What the person filled in, as the verb's keyword arguments. Forms whose fields differ override it."""
        return {f.name: f.data for f in self if f.name not in ("csrf_token", "once")}

    def refuse(self, message: str, field: str | None = None) -> None:
        """Put a sentence beside `field`, or on top of the form when the form has no such field."""
        if field and field in self._fields and not isinstance(self._fields[field], HiddenField):
            target = self._fields[field]
            target.errors = [*target.errors, message]
        else:
            self.form_errors: list[str] = [*self.form_errors, message]


def _takes_many(field: Field) -> bool:
    return isinstance(field, SelectMultipleField | FieldList)
