"""The forms of offers and wants. The page gives them what they choose from: the areas, and the skill of that name."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional, ValidationError
from wtforms.widgets import HiddenInput

from skillshare import i18n, limits
from skillshare.models.listings import How, Offer, Want, Where
from skillshare.models.places import Area
from skillshare.models.skills import Skill

from .base import Form, Line, Needed, Text, UpTo, Whole

WHERE = [
    SelectChoice(Where.IN_PERSON, lazy_gettext("In person")),
    SelectChoice(Where.ONLINE, lazy_gettext("Online")),
    SelectChoice(Where.ANY, lazy_gettext("Either")),
]
HOW = [
    SelectChoice(How.ALONE, lazy_gettext("Alone with me")),
    SelectChoice(How.SMALL_GROUP, lazy_gettext("A small group")),
    SelectChoice(How.GROUP, lazy_gettext("A big group")),
    SelectChoice(How.ANY, lazy_gettext("Any of these")),
]
GROUP_OK = [
    SelectChoice("yes", lazy_gettext("Yes")),
    SelectChoice("no", lazy_gettext("No, alone with somebody")),
]


class AboutSkill(Form):
    """Mixed into the forms that choose a skill by its name, in any language. `chosen` is a pressed suggestion."""

    about: Skill | None
    question: str

    skill = Line(validators=[Needed(), UpTo(limits.SKILL_NAME)])
    chosen = Line(validators=[UpTo(limits.SKILL_NAME)])

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.skill.label.text = str(self.question)

    def find(self, skill: Skill | None) -> None:
        """Take the skill that was found under what was written."""
        self.about = skill
        if self.chosen.data:
            self.skill.data, self.chosen.data = self.chosen.data, ""

    @property
    def name_asked_for(self) -> str:
        """The name to look up."""
        return str(self.chosen.data or self.skill.data or "")[: limits.SKILL_NAME]

    def validate_skill(self, _field: Line) -> None:
        """There is such a skill."""
        if self.about is None:
            raise ValidationError(_("There is no page for this yet."))

    def asked(self) -> dict[str, Any]:
        """The skill instead of its name."""
        asked = {**super().asked(), "skill": self.about}
        del asked["chosen"]
        return asked


class ListingForm(Form):
    """What offers and wants ask alike. `about` is the skill; `areas` the places to choose from."""

    where = RadioField(lazy_gettext("In person or online?"), choices=WHERE, coerce=Where, default=Where.ANY)
    area = SelectField(lazy_gettext("Area"), default="")
    times_note = Line(
        lazy_gettext("When, roughly?"),
        [UpTo(limits.LINE)],
        description=lazy_gettext("For example: “weekday evenings” or “most Saturdays”."),
    )
    title = Line(
        lazy_gettext("Title"),
        [UpTo(limits.TITLE)],
        description=lazy_gettext("Leave it empty to use the name of the skill."),
    )
    language = SelectField(lazy_gettext("Language"))

    def __init__(self, *, areas: Sequence[Area], about: Skill | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.about = about
        self.areas = {area.public_id: area for area in areas}
        self.area.choices = [
            SelectChoice("", _("Anywhere")),
            *(SelectChoice(area.public_id, area.name) for area in areas),
        ]
        own = self.language.object_data
        codes = dict.fromkeys([*i18n.locales(), *([own] if own else [])])
        self.language.choices = [SelectChoice(code, i18n.own_name(code)) for code in codes]
        if not self.language.data:
            self.language.data = i18n.current_locale()

    def asked(self) -> dict[str, Any]:
        """What the person filled in; the skill's name stands for a title that was left empty."""
        asked = super().asked()
        asked["title"] = asked["title"] or (self.about.name(self.language.data) if self.about else "")
        asked["area"] = self.areas.get(self.area.data)
        return asked


class OfferWords(ListingForm):
    """What an offer says."""

    practice = Text(
        lazy_gettext("What will people do with their hands?"),
        [Needed(), UpTo(limits.HALF)],
    )
    theory = Text(
        lazy_gettext("What will they understand afterwards?"),
        [Needed(), UpTo(limits.HALF)],
        description=lazy_gettext("For example: “Why does the dough rise?”"),
    )
    before = Text(
        lazy_gettext("What should they know first?"),
        [UpTo(limits.NOTE)],
        description=lazy_gettext("Nothing is fine."),
    )
    how = RadioField(
        lazy_gettext("Alone with you, a small group, or a big one?"), choices=HOW, coerce=How, default=How.ANY
    )
    group_max = Whole(
        lazy_gettext("How many people at most?"),
        [
            Optional(),
            NumberRange(1, limits.GROUP_MAX, lazy_gettext("From 1 to %(max)d people.", max=limits.GROUP_MAX)),
        ],
    )
    access_note = Line(
        lazy_gettext("Who can get in and take part?"),
        [UpTo(limits.LINE)],
        description=lazy_gettext("For example: steps, noise, standing for long, children welcome."),
    )
    safety_read = BooleanField(lazy_gettext("I have read the safety text and will go through it with everybody."))


class OfferForm(AboutSkill, OfferWords):
    """Offer to show something."""

    question = lazy_gettext("What can you show?")


class OfferEditForm(OfferWords):
    """Change an offer."""

    version = Whole(widget=HiddenInput())

    @classmethod
    def of(cls, offer: Offer, **kwargs: Any) -> "OfferEditForm":
        """The form filled with what the offer says."""
        area = offer.area.public_id if offer.area else ""
        return cls(about=offer.skill, data={**_said(offer, cls), "area": area}, **kwargs)


class WantWords(ListingForm):
    """What a want says."""

    for_what = Text(lazy_gettext("What for?"), [UpTo(limits.NOTE)])
    know_already = Text(lazy_gettext("What do you know already?"), [UpTo(limits.NOTE)])
    group_ok = RadioField(lazy_gettext("Is a group fine?"), choices=GROUP_OK, default="yes")
    can_share = Line(lazy_gettext("One thing you could show anyone"), [UpTo(limits.LINE)])

    def asked(self) -> dict[str, Any]:
        """Yes and no as the verb knows them."""
        return {**super().asked(), "group_ok": self.group_ok.data == "yes"}


class WantForm(AboutSkill, WantWords):
    """Ask to learn something."""

    question = lazy_gettext("What do you want to be able to do?")


class WantEditForm(WantWords):
    """Change what one asked for."""

    version = Whole(widget=HiddenInput())

    @classmethod
    def of(cls, want: Want, **kwargs: Any) -> "WantEditForm":
        """The form filled with what the want says."""
        area = want.area.public_id if want.area else ""
        group_ok = "yes" if want.group_ok else "no"
        return cls(about=want.skill, data={**_said(want, cls), "area": area, "group_ok": group_ok}, **kwargs)


class MeTooForm(Form):
    """Want the same as somebody."""

    times_note = Line(lazy_gettext("When can you?"), [UpTo(limits.LINE)])


def _said(listing: Offer | Want, form: type[Form]) -> dict[str, Any]:
    return {name: getattr(listing, name) for name in dir(form) if name in listing.__mapper__.column_attrs}
