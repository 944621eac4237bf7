"""Sessions on a form: the date as people say it, in the zone where they meet, becomes two moments.

Not here: finding skills, areas and co-hosts by name; the view does that.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import DateField, DateTimeLocalField, RadioField, SelectField, TimeField
from wtforms.validators import NumberRange, Optional, Regexp
from wtforms.widgets import HiddenInput

from skillshare import i18n, limits
from skillshare.models.listings import Where
from skillshare.models.sessions import Audience, SkillSession

from .base import Form, Line, Needed, Text, UpTo, Whole

LENGTHS = (30, 45, 60, 90, 120, 180)
USUAL_LENGTH, USUAL_CAPACITY = 90, 6
YEARS = range(2000, 2200)  # beyond these, moments do not fit every zone
# Where the model's words for a field are said on the form.
BESIDE = {"starts_at": "day", "ends_at": "length", "skills": "skill"}


class Day(DateField):
    """A day of the calendar."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was sent; raises ValueError with a sentence for the field."""
        self.data = None
        _take(super(), valuelist, _("Write the day like 2026-03-14."))


class TimeOfDay(TimeField):
    """A time of day, to the minute."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was sent; raises ValueError with a sentence for the field."""
        self.data = None
        _take(super(), valuelist, _("Write the time like 19:00."))


class LocalTime(DateTimeLocalField):
    """A day and a time of day."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was sent; raises ValueError with a sentence for the field."""
        self.data = None
        _take(super(), valuelist, _("Write day and time like 2026-03-14 19:00."))


class DetailsForm(Form):
    """What a session says, without what it is about and who shows."""

    title = Line(_l("Title"), [UpTo(limits.TITLE)], description=_l("Left empty, it is the name of the skill."))
    practice = Text(_l("What will people do with their hands?"), [Needed(), UpTo(limits.HALF)])
    theory = Text(_l("What will they understand afterwards?"), [Needed(), UpTo(limits.HALF)])
    day = Day(_l("Which day?"), [Needed()])
    time = TimeOfDay(_l("From when?"), [Needed()], format=["%H:%M", "%H:%M:%S"])
    length = SelectField(_l("For how long?"), coerce=int, validate_choice=True, default=USUAL_LENGTH)
    own_end = LocalTime(
        _l("Until when, if it is none of these lengths?"),
        [Optional()],
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    zone = SelectField(_l("In which time zone?"))
    capacity = Whole(
        _l("How many can learn at once?"),
        [Needed(), NumberRange(limits.CAPACITY_MIN, limits.CAPACITY_MAX, _l("From 1 to 500 places."))],
        default=USUAL_CAPACITY,
    )
    where = RadioField(_l("How do you meet?"), default=Where.IN_PERSON.value)
    area = SelectField(_l("In which area?"), default="")
    place = Line(
        _l("The exact place"),
        [UpTo(limits.PLACE)],
        description=_l("Only those going will see it, from two days before."),
    )
    link = Line(
        _l("The link, when people join online"),
        [
            Optional(),
            UpTo(limits.URL),
            Regexp(r"https?://[^\s/]+\.?\S*$", message=_l("Write the whole address, as in https://example.org/room")),
        ],
        description=_l("Only those going will see it, from two days before."),
    )
    before = Text(_l("What should people know first?"), [UpTo(limits.NOTE)], description=_l("Nothing is fine."))
    bring = Text(_l("What should people bring?"), [UpTo(limits.NOTE)])
    access_note = Line(
        _l("How can people get in and take part?"),
        [UpTo(limits.LINE)],
        description=_l("Steps, doors, noise, light, toilets, transport."),
    )
    language = SelectField(_l("In which language?"))
    audience = RadioField(_l("Who sees that it is on?"), default=Audience.PUBLIC.value)

    def __init__(self, *args: Any, areas: list[tuple[str, str]] = (), **kwargs: Any) -> None:  # type: ignore[assignment]
        super().__init__(*args, **kwargs)
        self.length.choices = [(m, ngettext("%(num)d minute", "%(num)d minutes", m)) for m in LENGTHS]
        self.zone.choices = [(zone, zone.replace("_", " ")) for zone in sorted(i18n.zones())]
        self.where.choices = [
            (Where.IN_PERSON.value, _("In person")),
            (Where.ONLINE.value, _("Online")),
            (Where.ANY.value, _("Both: some in the room, some online")),
        ]
        self.area.choices = [("", _("Not in one of these areas")), *areas]
        self.language.choices = [(code, i18n.own_name(code)) for code in i18n.locales()]
        self.audience.choices = [
            (Audience.PUBLIC.value, _("Everybody; visitors without names")),
            (Audience.COMMUNITY.value, _("Members only")),
        ]
        self.starts_at: datetime | None = None
        self.ends_at: datetime | None = None
        self.comes_twice = False

    @staticmethod
    def said_of(skill_session: SkillSession) -> dict[str, Any]:
        """The fields as `skill_session` fills them, its times in its own zone."""
        zone = ZoneInfo(skill_session.zone)
        start, end = skill_session.starts_at.astimezone(zone), skill_session.ends_at.astimezone(zone)
        minutes = int((skill_session.ends_at - skill_session.starts_at).total_seconds() // 60)
        names = ("title", "practice", "theory", "zone", "capacity", "place", "link", "before", "bring", "access_note")
        return {
            **{name: getattr(skill_session, name) for name in names},
            "day": start.date(),
            "time": start.time(),
            "length": minutes if minutes in LENGTHS else USUAL_LENGTH,
            "own_end": None if minutes in LENGTHS else end.replace(tzinfo=None),
            "where": skill_session.where.value,
            "area": skill_session.area.public_id if skill_session.area else "",
            "language": skill_session.language,
            "audience": skill_session.audience.value,
        }

    def validate(self, extra_validators: Any = None) -> bool:
        """Well-formed, and the times exist on that day in that zone."""
        valid = super().validate(extra_validators)
        if self.day.errors or self.time.errors or self.zone.errors or self.length.errors or self.own_end.errors:
            return False
        return self._find_moments() and valid

    def _find_moments(self) -> bool:
        zone = ZoneInfo(self.zone.data)
        day: Any = self.day.data
        time: Any = self.time.data
        start, end = datetime.combine(day, time), self.own_end.data
        if start.year not in YEARS or (end and end.year not in YEARS):
            self.refuse(_("Choose a day from today on."), "day")
            return False
        if is_skipped(start, zone):
            self.refuse(_("That time does not exist on this day: the clocks go forward. Choose another."), "time")
            return False
        if end and is_skipped(end, zone):
            self.refuse(_("That time does not exist on this day: the clocks go forward. Choose another."), "own_end")
            return False
        self.comes_twice = comes_twice(start, zone)
        self.starts_at = start.replace(tzinfo=zone).astimezone(UTC)
        minutes = timedelta(minutes=self.length.data)
        self.ends_at = end.replace(tzinfo=zone).astimezone(UTC) if end else self.starts_at + minutes
        if self.ends_at <= self.starts_at:
            self.refuse(_("The end must come after the start."), "own_end")
            return False
        return True

    def asked(self) -> dict[str, Any]:
        """What the person filled in. `area` is still a public id, for the view to look up."""
        words = ("title", "practice", "theory", "place", "link", "before", "bring", "access_note")
        return {
            **{name: self[name].data or "" for name in words},
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
            "zone": self.zone.data,
            "capacity": self.capacity.data,
            "where": Where(self.where.data),
            "area": self.area.data,
            "language": self.language.data,
            "audience": Audience(self.audience.data),
        }

    def refuse(self, message: str, field: str | None = None) -> None:
        """As every form, with the model's fields found under their names here."""
        super().refuse(message, BESIDE.get(field, field) if field else None)


class SessionForm(DetailsForm):
    """A new date: what it is about, and who shows."""

    skill = Line(_l("What will you show?"), [Needed(), UpTo(limits.SKILL_NAME)])
    skill_2 = Line(_l("A second skill"), [UpTo(limits.SKILL_NAME)])
    skill_3 = Line(_l("A third skill"), [UpTo(limits.SKILL_NAME)])
    co_hosts = Line(
        _l("Who shows it with you?"),
        [UpTo(limits.LINE)],
        description=_l("Their handles, with a space between. We tell them, and they can say no."),
    )

    def asked(self) -> dict[str, Any]:
        """As above; `skills` and `co_hosts` are still names, for the view to look up, each with its field."""
        skills = {name: self[name].data for name in ("skill", "skill_2", "skill_3") if self[name].data}
        handles = self.co_hosts.data.replace(",", " ").replace("@", " ").lower().split() if self.co_hosts.data else []
        return {**super().asked(), "skills": skills, "co_hosts": handles}


class EditForm(DetailsForm):
    """A session changed: only over the version that was read."""

    title = Line(_l("Title"), [Needed(), UpTo(limits.TITLE)])
    version = Whole(widget=HiddenInput(), validators=[Needed()])

    def asked(self) -> dict[str, Any]:
        """As above, with the version."""
        return {**super().asked(), "version": self.version.data}

    def go_on_from(self, version: int) -> None:
        """After a conflict: whoever has seen both texts may save over the newer one."""
        self.version.raw_data, self.version.data = None, version


class JoinForm(Form):
    """What a person says when they keep their place. All of it may be left out."""

    goal = Line(
        _l("What do you hope to be able to do afterwards?"),
        [UpTo(limits.LINE)],
        description=_l("The hosts will read it."),
    )
    help_note = Line(
        _l("How will you help the others?"),
        [UpTo(limits.LINE)],
        description=_l("Bring a tool, hold the light, wash up, ask the first question."),
    )
    needs_note = Line(
        _l("Is there anything the hosts should know so that you can take part?"),
        [UpTo(limits.LINE)],
        description=_l("Only the hosts will read it."),
    )


class ReasonForm(Form):
    """Why: said to those whom it touches."""

    reason = Text(_l("Why?"), [Needed(), UpTo(limits.REASON)])


class CapacityForm(Form):
    """How many learners there is room for."""

    capacity = Whole(
        _l("How many can learn at once?"),
        [Needed(), NumberRange(limits.CAPACITY_MIN, limits.CAPACITY_MAX, _l("From 1 to 500 places."))],
    )


def is_skipped(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of `zone` jump over this naive time: there and back it is another."""
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local


def comes_twice(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of `zone` show this naive time twice. We mean the first."""
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    return first.utcoffset() != second.utcoffset() and not is_skipped(local, zone)


def _take(field: Any, valuelist: list[Any], sentence: str) -> None:
    """Let WTForms read what was sent; nothing is nothing, and what cannot be read is answered with `sentence`."""
    if not valuelist or not valuelist[0].strip():
        return
    try:
        field.process_formdata([valuelist[0].strip()])
    except ValueError:
        raise ValueError(sentence) from None
