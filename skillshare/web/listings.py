"""The first door, Teach something: offer, fix a date, see who waits. And what the lists of offers and wants share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, g, render_template, request

from skillshare.db import db
from skillshare.i18n import current_locale
from skillshare.models.listings import Offer, Want
from skillshare.models.places import Area
from skillshare.models.skills import Topic

from . import access
from .answers import Answer
from .words import url_for_here

bp = Blueprint("listings", __name__)

WAITING_SHOWN = 6
OWN_SHOWN = 50


@bp.get("/teach")
@access.public
def teach() -> Answer:
    """Teach something."""
    if g.member is None:
        return render_template("listings/teach.html")
    offers = db.session.scalars(Offer.of(g.member).limit(OWN_SHOWN)).all()
    wants = db.session.scalars(Want.one_could_show(g.viewer).limit(WAITING_SHOWN)).all()
    return render_template("listings/teach.html", offers=offers, wants=wants)


@dataclass
class Filters:
    """The topics and areas that the address asks for; what nobody knows is left out."""

    topics: Sequence[Topic]
    areas: Sequence[sa.Row[int, str, str]]
    topic_slugs: frozenset[str]
    area_ids: frozenset[str]

    @classmethod
    def of_address(cls) -> "Filters":
        """What `?topic=…&area=…` asks for."""
        topics = db.session.scalars(Topic.listed()).all()
        all_areas = db.session.execute(Area.listed().with_only_columns(Area.id, Area.public_id, Area.name)).all()
        return cls(
            topics=topics,
            areas=all_areas,
            topic_slugs=frozenset(request.args.getlist("topic")) & {topic.slug for topic in topics},
            area_ids=frozenset(request.args.getlist("area")) & {area.public_id for area in all_areas},
        )

    def on(self, kind: type[Offer] | type[Want]) -> list[Any]:
        """SQL: the offers or wants that are asked for."""
        return kind.under(
            [topic.id for topic in self.topics if topic.slug in self.topic_slugs],
            [area.id for area in self.areas if area.public_id in self.area_ids],
        )

    @property
    def topic_choices(self) -> list[tuple[str, str, None, bool]]:
        """For `ui.facet`."""
        return [(t.slug, t.name(current_locale()), None, t.slug in self.topic_slugs) for t in self.topics]

    @property
    def area_choices(self) -> list[tuple[str, str, None, bool]]:
        """For `ui.facet`."""
        return [(a.public_id, a.name, None, a.public_id in self.area_ids) for a in self.areas]

    @property
    def active(self) -> list[tuple[str, str]]:
        """What is asked for in words, each with the address without it."""
        topics, places = sorted(self.topic_slugs), sorted(self.area_ids)
        return [
            (words, url_for_here(page=None, topic=[s for s in topics if s != value], area=places))
            for value, words, _count, chosen in self.topic_choices
            if chosen
        ] + [
            (words, url_for_here(page=None, topic=topics, area=[i for i in places if i != value]))
            for value, words, _count, chosen in self.area_choices
            if chosen
        ]
