"""The domain. Each module may import only those above it in this list; importing the package loads every table."""

from . import (  # noqa: F401 I001  the order is the rule
    outbox,
    places,
    members,
    tokens,
    visibility,
    notices,
    accounts,
    once,
    skills,
    knowhow,
    browse,
    listings,
    sessions,
    seats,
    lists,
    log,
    teachbacks,
    week,
    blocking,
    gaps,
)
