"""Long lists by the page. One row more than is shown is read, and says whether there are more; nothing is counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import sqlalchemy as sa
from flask import abort, request

from skillshare import limits
from skillshare.db import db

from .words import url_for_here

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and the addresses of those before and after (None where there are none)."""

    rows: Sequence[Row]
    number: int
    previous_url: str | None
    next_url: str | None


def page_of(query: sa.Select[Row], name: str = "page") -> Page[Row]:
    """The rows of `query` that `?page=` (or another `name`) asks for. No such page: 404."""
    number = _number(name)
    start = (number - 1) * limits.PAGE_SIZE
    rows = db.session.scalars(query.offset(start).limit(limits.PAGE_SIZE + 1)).all()
    if not rows and number > 1:
        abort(404)
    more = len(rows) > limits.PAGE_SIZE and number < limits.PAGES_MAX
    return Page(
        rows=rows[: limits.PAGE_SIZE],
        number=number,
        previous_url=url_for_here(**{name: number - 1 if number > 2 else None}) if number > 1 else None,
        next_url=url_for_here(**{name: number + 1}) if more else None,
    )


def _number(name: str) -> int:
    asked = request.args.get(name, "1")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 3 and 1 <= int(asked) <= limits.PAGES_MAX):
        abort(404)
    return int(asked)
