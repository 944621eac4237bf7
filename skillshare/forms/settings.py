"""What a member says of themselves, and who sees it."""

from typing import Any

from flask_babel import lazy_gettext
from wtforms import HiddenField, RadioField, SelectField
from wtforms.fields import FieldList
from wtforms.fields.choices import SelectChoice

from skillshare import limits
from skillshare.models.members import NameSeenBy, SeenAs

from .base import Form, Line, Needed, Text, UpTo


class SettingsForm(Form):
    """The choices of `area`, `locale`, `zone` and each language are given by the view."""

    version = HiddenField()
    name = Line(lazy_gettext("Name"), [Needed(), UpTo(limits.NAME)])
    pronouns = Line(lazy_gettext("Pronouns"), [UpTo(limits.PRONOUNS)])
    about = Text(
        lazy_gettext("About you"),
        [UpTo(limits.ABOUT)],
        description=lazy_gettext("A few lines: what you like to do, when you have time."),
    )
    area = SelectField(lazy_gettext("Area"), description=lazy_gettext("Roughly where you are. Nothing finer is kept."))
    languages = FieldList(
        SelectField(lazy_gettext("A language you speak")),
        min_entries=limits.LANGUAGES_SPOKEN,
        max_entries=limits.LANGUAGES_SPOKEN,
    )
    seen_as = RadioField(
        lazy_gettext("Who sees your page?"),
        coerce=SeenAs,
        choices=[
            SelectChoice(SeenAs.COMMUNITY, lazy_gettext("All members")),
            SelectChoice(SeenAs.HIDDEN, lazy_gettext("Only those I share a session or a log entry with")),
            SelectChoice(SeenAs.PUBLIC, lazy_gettext("Everybody, where this place shows its members to visitors")),
        ],
    )
    name_seen_by = RadioField(
        lazy_gettext("Who reads your name beside the handle?"),
        coerce=NameSeenBy,
        choices=[
            SelectChoice(NameSeenBy.PARTNERS, lazy_gettext("Those I have a confirmed log entry with")),
            SelectChoice(NameSeenBy.MEMBERS, lazy_gettext("All who see my page")),
        ],
    )
    locale = SelectField(lazy_gettext("Language of this site and its mails"))
    zone = SelectField(lazy_gettext("Time zone"))

    def offer_languages(self, choices: list[SelectChoice]) -> None:
        """Give each row of languages its choices."""
        for row in self.languages:
            row.choices = [SelectChoice("", lazy_gettext("None")), *choices]

    def asked(self) -> dict[str, Any]:
        """Everything but the area, which the view finds."""
        said = {f.name: f.data for f in self if f.name not in ("csrf_token", "once", "area", "languages")}
        return {
            **said,
            "version": int(self.version.data) if str(self.version.data).isdecimal() else 0,
            "languages": [code for code in self.languages.data if code],
        }
