"""Saving a search, and choosing how to hear of what it finds."""

from flask_babel import lazy_gettext
from wtforms import RadioField, SelectField
from wtforms.fields.choices import SelectChoice

from skillshare.models.notices import Channel

from .base import Form

WORDS = {
    Channel.NOW: lazy_gettext("At once"),
    Channel.DAILY: lazy_gettext("Once a day"),
    Channel.WEEKLY: lazy_gettext("Once a week"),
    Channel.OFF: lazy_gettext("Not at all"),
}


def choices(*channels: Channel) -> list[SelectChoice]:
    """These ways in words."""
    return [SelectChoice(channel, WORDS[channel]) for channel in channels]


class SaveSearchForm(Form):
    """What is asked stands in the address."""

    how = RadioField(
        lazy_gettext("When shall we tell you?"),
        coerce=Channel,
        choices=choices(Channel.NOW, Channel.DAILY, Channel.WEEKLY),
        default=Channel.DAILY,
    )


class HowForm(Form):
    """When to hear of one search or want."""

    how = SelectField(lazy_gettext("When shall we tell you?"), coerce=Channel, choices=choices(*Channel))
