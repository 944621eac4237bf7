"""How a member wants to hear of each kind of thing."""

from flask_babel import lazy_gettext
from wtforms import SelectField

from skillshare.models.notices import KINDS, Channel

from .base import Form
from .searches import choices


def _field(kind: str, label: str, hint: str = "") -> SelectField:
    return SelectField(label, coerce=Channel, choices=choices(*KINDS[kind].channels), description=hint)


class NoticesForm(Form):
    """One choice for each kind; its fields are called as the kinds are."""

    finds = _field(
        "finds",
        lazy_gettext("Something new that you look for"),
        lazy_gettext("For what you want to learn, and searches you saved. Each of them may have its own choice."),
    )
    me_too = _field("me_too", lazy_gettext("Somebody else wants to learn what you asked for"))
    asked_to_witness = _field("asked_to_witness", lazy_gettext("You saw somebody show something back"))
    log_confirmed = _field("log_confirmed", lazy_gettext("What you wrote down is agreed"))
    teach_backs = _field("teach_backs", lazy_gettext("Somebody answered your teach-back"))
