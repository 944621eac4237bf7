"""Who searches, and with what: the engine of this instance, and the reader as `search` knows them."""

from flask import current_app, g

from skillshare import i18n
from skillshare.search.asking import Reader, Shelves
from skillshare.search.engine import SearchEngine


def engine() -> SearchEngine:
    """What answers searches here."""
    answers: SearchEngine = current_app.extensions["search"]
    return answers


def reader(shelves: bool = True) -> Reader:
    """Whoever asks for this page; without `shelves`, what may be ticked is not looked up."""
    locale = i18n.current_locale()
    home = g.member.area_id if g.member else None
    return Reader(
        viewer=g.viewer,
        locale=locale,
        zone=i18n.zone_of_reader(),
        languages={code: i18n.own_name(code) for code in i18n.locales()},
        shelves=Shelves.load(locale, home) if shelves else Shelves({}, {}),
        home_zone=str(current_app.config["DEFAULT_ZONE"]),
    )
