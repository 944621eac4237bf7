"""The two lists of a newcomer: a line each, as many as they like."""

from flask_babel import lazy_gettext
from wtforms.fields import FieldList

from skillshare import limits

from .base import Form, Line, UpTo


class ListsForm(Form):
    """Left, what people ask me for help with; right, what I wish I could do. All of it may stay empty."""

    can = FieldList(Line(lazy_gettext("I can show"), [UpTo(limits.SKILL_NAME)]), max_entries=limits.LISTS_ROWS_MAX)
    want = FieldList(
        Line(lazy_gettext("I want to learn"), [UpTo(limits.SKILL_NAME)]), max_entries=limits.LISTS_ROWS_MAX
    )

    def lines(self, side: str) -> list[str]:
        """The lines of a side that say something, each once."""
        return list(dict.fromkeys(entry.data for entry in self[side] if entry.data))
