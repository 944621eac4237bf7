"""Languages, zones, and how moments are said. Flask-Babel set-up; the reader's choices come from the skin.

`reader()` is what a skin sets on `g` for the page being answered; the worker uses `force_locale` instead.
"""

from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel, get_locale, get_translations, ngettext
from flask_babel import gettext as _

from . import clock

SOURCES = Path(__file__).parent / "translations"
LANG_COOKIE = "lang"

babel = Babel()


def start(app: Flask, target: Path) -> None:
    """Bind Flask-Babel to `app`; compiled translations are read from `target`."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(target)
    babel.init_app(app, locale_selector=locale_of_reader, timezone_selector=zone_of_reader)
    app.jinja_env.filters.update(when=when, day=day, clock_time=clock_time, ago_or_in=ago_or_in, language=language)
    app.jinja_env.filters["dateformat"] = dateformat


def compile_translations(target: Path, sources: Path = SOURCES) -> int:
    """Write `.mo` files from the `.po` files into `target` where they are missing or older; how many were written."""
    written = 0
    for po in sources.glob("*/LC_MESSAGES/messages.po"):
        mo = target / po.relative_to(sources).with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns:
            continue
        mo.parent.mkdir(parents=True, exist_ok=True)
        with po.open("rb") as source:
            catalogue = read_po(source, locale=po.parts[-3])
        part = mo.with_suffix(".part")
        with part.open("wb") as out:
            write_mo(out, catalogue)
        part.replace(mo)
        written += 1
    return written


def locales() -> tuple[str, ...]:
    """The languages of this instance."""
    return tuple(current_app.config["LOCALES"])


def locale_of_reader() -> str:
    """The language to answer in: as the address, the cookie, the member or the browser asks; else the default."""
    known = locales()
    default = str(current_app.config["DEFAULT_LOCALE"])
    if not has_request_context():
        return default
    member = g.get("member")
    for wish in (request.args.get("lang"), request.cookies.get(LANG_COOKIE), member.locale if member else None):
        if wish in known:
            return str(wish)
    return request.accept_languages.best_match(known) or default


def zone_of_reader() -> str:
    """The zone to say times in: the member's, else the instance's."""
    member = g.get("member") if has_request_context() else None
    return member.zone if member else str(current_app.config["DEFAULT_ZONE"])


def current_locale() -> str:
    """The code of the language being spoken now."""
    return _spoken()[1]


def translations() -> Translations:
    """The messages of the language being spoken now."""
    return _spoken()[2]


def _spoken() -> tuple[Locale | None, str, Translations]:
    """The language being spoken, its code and its messages: found once, until another one is forced."""
    locale = get_locale()
    known: tuple[Locale | None, str, Translations] | None = g.get("_spoken")
    if known is None or known[0] is not locale:
        known = g._spoken = (locale, str(locale or current_app.config["DEFAULT_LOCALE"]), get_translations())
    return known


def is_zone(name: str) -> bool:
    """Whether `name` is a zone people live in ("localtime" and file paths are not)."""
    return name in zones()


@cache
def zones() -> frozenset[str]:
    """All named zones."""
    return frozenset(z for z in available_timezones() if "/" in z or z == "UTC")


@cache
def own_name(code: str) -> str:
    """The name of a language in that language: `es` → "Español"."""
    return str(Locale.parse(code).get_display_name(code) or code).capitalize()


def language(code: str) -> str:
    """The name of a language in the reader's language: `es` → "Spanish"."""
    return _display_name(code, current_locale())


def when(moment: datetime, zone: str | None = None) -> str:
    """A moment in words: "Thursday 14 March, 19:00", with the zone's name where it is not the reader's."""
    own = zone_of_reader()
    local = moment.astimezone(ZoneInfo(zone or own))
    said = _("%(day)s, %(time)s", day=_long_day(local.date()), time=local.strftime("%H:%M"))
    if zone and zone != own and local.utcoffset() != moment.astimezone(ZoneInfo(own)).utcoffset():
        city = zone.rsplit("/", 1)[-1].replace("_", " ")
        return _("%(when)s (%(city)s time)", when=said, city=city)
    return said


def day(value: date) -> str:
    """A date in words, with the year unless it is this year's."""
    return _long_day(value)


def clock_time(moment: datetime, zone: str | None = None) -> str:
    """The time of day of a moment: "19:00"."""
    return moment.astimezone(ZoneInfo(zone or zone_of_reader())).strftime("%H:%M")


def ago_or_in(value: date | datetime) -> str:
    """How far off a day is: "today", "tomorrow", "in 3 days", "5 days ago"."""
    zone = zone_of_reader()
    on = value.astimezone(ZoneInfo(zone)).date() if isinstance(value, datetime) else value
    days = (on - clock.today(zone)).days
    if days == 0:
        return _("today")
    if days == 1:
        return _("tomorrow")
    if days == -1:
        return _("yesterday")
    if days > 0:
        return ngettext("in %(num)d day", "in %(num)d days", days)
    return ngettext("%(num)d day ago", "%(num)d days ago", -days)


def dateformat(value: date | datetime | None, pattern: str) -> str:
    """A day by one of Babel's patterns; of a moment, the day on the reader's calendar; of None, today."""
    return _formatted(_day_of(value), pattern, current_locale())


def _long_day(value: date) -> str:
    on = _day_of(value)
    this_year = on.year == clock.today(zone_of_reader()).year
    return _formatted(on, _("EEEE d MMMM") if this_year else _("EEEE d MMMM y"), current_locale())


def _day_of(value: date | datetime | None) -> date:
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone_of_reader())).date()
    return value or clock.today(zone_of_reader())


@lru_cache(maxsize=4096)
def _formatted(on: date, pattern: str, locale: str) -> str:
    """Babel works this out anew each time; pages say the same few days again and again."""
    return format_date(on, pattern, locale)


@lru_cache(maxsize=1024)
def _display_name(code: str, locale: str) -> str:
    return Locale.parse(code).get_display_name(locale) or code
