"""What of a skill, an offer, a want or a session can be found: rows in, documents out.

Only what stands in lists for somebody is a document: skills of the catalogue, open offers and wants, sessions to
come, each of an active member. Never in one: an e-mail address, the exact place or link of a session, what somebody
needs, a name. Read through a connection of its own, in chunks with a constant number of queries each.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from hashlib import blake2b
from itertools import islice
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from skillshare import clock
from skillshare.models.listings import ListingState, Offer, Want, Where
from skillshare.models.members import Member, MemberState, SeenAs
from skillshare.models.places import Area
from skillshare.models.sessions import Audience, SessionSkill, SessionState, SkillSession
from skillshare.models.skills import Care, Skill, SkillName, SkillState, SkillText, Topic

from .engine import Document, kind_of

CHUNK = 1_000
EVENING, EVENING_FROM = "evening", time(17)

LISTED, MEMBERS = "listed", "members"
"""Values of the `audience` filter: what everybody may find, what members may. See `owner_only`."""

Thing = TypeVar("Thing")
Rows = list[tuple[int, Document]]


def owner_only(member_id: int) -> str:
    """The `audience` of what a member offers and asks for whose page is hidden: those near them may find it."""
    return f"near:{member_id}"


def times_of(starts_at: datetime, zone: str) -> list[str]:
    """Words for when it starts where it is: `weekend` or `weekday`; of an evening also `evening`, and both in one."""
    starts = starts_at.astimezone(ZoneInfo(zone))
    day = "weekend" if starts.weekday() >= 5 else "weekday"
    return [day, EVENING, f"{day}_{EVENING}"] if starts.time() >= EVENING_FROM else [day]


def chunks(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Lists of at most CHUNK, in their order."""
    rest = iter(things)
    while some := list(islice(rest, CHUNK)):
        yield some


def load(connection: sa.Connection, keys: Iterable[str]) -> dict[str, Document]:
    """The documents that are true now, by key; a key that is missing in the answer has none."""
    found: dict[str, Document] = {}
    for kind, ids in _by_kind(keys).items():
        model, read = READERS[kind]
        for some in chunks(sorted(ids)):
            found |= {document.key: document for _, document in read(connection, model.id.in_(some), None)}
    return found


def everything(connection: sa.Connection) -> Iterator[Document]:
    """All documents, streamed by primary key."""
    for model, read in READERS.values():
        last = 0
        while rows := read(connection, model.id > last, CHUNK):
            yield from (document for _, document in rows)
            last = rows[-1][0]


def following(connection: sa.Connection, keys: Collection[str]) -> dict[str, set[str]]:
    """For each key that changed, the keys of all documents that change with it.

    A skill's names stand in what is offered, asked for and planned about it; how far a member's page reaches
    says who may find what is theirs.
    """
    ids = _by_kind(keys)
    followers = {key: {key} if kind_of(key) in READERS else set() for key in keys}
    for changed, kind, query in _followers(ids):
        for source, follower in connection.execute(query):
            followers[f"{changed}:{source}"].add(f"{kind}:{follower}")
    return followers


def ended(connection: sa.Connection, since: datetime) -> set[str]:
    """The keys of what time took off the lists since then, without anybody changing a row."""
    now = clock.now()
    keys = set()
    for kind, model in (("offer", Offer), ("want", Want)):
        lapsed = sa.select(model.id).where(model.lapses_on >= since.date(), model.lapses_on < now.date())
        keys |= {f"{kind}:{id_}" for id_ in connection.scalars(lapsed)}
    over = sa.select(SkillSession.id).where(SkillSession.ends_at > since, SkillSession.ends_at <= now)
    return keys | {f"session:{id_}" for id_ in connection.scalars(over)}


def _followers(ids: dict[str, set[int]]) -> Iterator[tuple[str, str, sa.Select[*tuple[Any, ...]]]]:
    for some in chunks(sorted(ids.get("skill", ()))):
        for kind, model in (("offer", Offer), ("want", Want)):
            open_ = sa.select(model.skill_id, model.id).where(model.state == ListingState.OPEN)
            yield "skill", kind, open_.where(model.skill_id.in_(some))
        about = sa.select(SessionSkill.skill_id, SessionSkill.skill_session_id).join(
            SkillSession, SkillSession.id == SessionSkill.skill_session_id
        )
        yield "skill", "session", about.where(SessionSkill.skill_id.in_(some), SkillSession.ends_at > clock.now())
    for some in chunks(sorted(ids.get("member", ()))):
        for kind, model in (("offer", Offer), ("want", Want)):
            open_ = sa.select(model.member_id, model.id).where(model.state == ListingState.OPEN)
            yield "member", kind, open_.where(model.member_id.in_(some))
        hosted = sa.select(SkillSession.host_id, SkillSession.id).where(SkillSession.ends_at > clock.now())
        yield "member", "session", hosted.where(SkillSession.host_id.in_(some))


@dataclass(frozen=True, slots=True)
class _About:
    """What the documents about a skill say of it."""

    slug: str
    topic: str
    care: Care
    names: tuple[tuple[str, str], ...]


def _abouts(connection: sa.Connection, skill_ids: Iterable[int]) -> dict[int, _About]:
    wanted = set(skill_ids)
    names: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for skill_id, locale, text in connection.execute(
        sa.select(SkillName.skill_id, SkillName.locale, SkillName.text)
        .where(SkillName.skill_id.in_(wanted))
        .order_by(SkillName.id)
    ):
        names[skill_id].append((locale, text))
    rows = connection.execute(
        sa.select(Skill.id, Skill.slug, Topic.slug, Skill.care)
        .join(Topic, Topic.id == Skill.topic_id)
        .where(Skill.id.in_(wanted))
    )
    return {id_: _About(slug, topic, care, tuple(names[id_])) for id_, slug, topic, care in rows}


def _skills(connection: sa.Connection, which: sa.ColumnElement[bool], limit: int | None) -> Rows:
    query = sa.select(Skill.id, Skill.locale, Skill.created_at).where(which, Skill.state != SkillState.ARCHIVED)
    rows = connection.execute(query.order_by(Skill.id).limit(limit)).all()
    ids = [row.id for row in rows]
    abouts, texts = _abouts(connection, ids), defaultdict(list)
    for text in connection.execute(
        sa.select(
            SkillText.skill_id,
            SkillText.locale,
            SkillText.name,
            SkillText.summary,
            SkillText.practice,
            SkillText.theory,
        )
        .where(SkillText.skill_id.in_(ids))
        .order_by(SkillText.id)
    ):
        texts[text.skill_id].append(text)
    return [(row.id, _skill(row, abouts[row.id], texts[row.id])) for row in rows if texts[row.id]]


def _skill(row: Any, about: _About, texts: list[Any]) -> Document:
    first = next((text for text in texts if text.locale == row.locale), texts[0])
    others = [text for text in texts if text is not first]
    extra = [first.summary, *(part for text in others for part in (text.summary, text.practice, text.theory))]
    return _signed(
        Document(
            key=f"skill:{row.id}",
            version=0,
            language=first.locale,
            title=first.name,
            names=_but(about.names, first.locale, first.name),
            practice=first.practice,
            theory=first.theory,
            extra="\n".join(extra),
            filters=_filters(
                **_of_skills([about]), audience=[LISTED], language=[text.locale for text in texts], kind=["skill"]
            ),
            made_at=_seconds(row.created_at),
        )
    )


def _listings(model: type[Offer | Want], *texts: InstrumentedAttribute[str]) -> sa.Select[*tuple[Any, ...]]:
    """What offers and wants have in common, with texts of their own."""
    return (
        sa.select(
            model.id,
            model.title,
            model.language,
            model.where,
            model.skill_id,
            model.member_id,
            model.created_at,
            Area.public_id.label("area"),
            Member.seen_as,
            *texts,
        )
        .join(Member, Member.id == model.member_id)
        .outerjoin(Area, Area.id == model.area_id)
        .where(model.state == ListingState.OPEN, model.not_lapsed(), Member.state == MemberState.ACTIVE)
        .order_by(model.id)
    )


def _offers(connection: sa.Connection, which: sa.ColumnElement[bool], limit: int | None) -> Rows:
    query = _listings(Offer, Offer.practice, Offer.theory, Offer.before, Offer.times_note, Offer.access_note)
    rows = connection.execute(query.where(which).limit(limit)).all()
    abouts = _abouts(connection, (row.skill_id for row in rows))
    return [
        (
            row.id,
            _listing(
                "offer",
                row,
                abouts[row.skill_id],
                who="shows",
                practice=row.practice,
                theory=row.theory,
                extra="\n".join((row.before, row.times_note, row.access_note)),
            ),
        )
        for row in rows
    ]


def _wants(connection: sa.Connection, which: sa.ColumnElement[bool], limit: int | None) -> Rows:
    query = _listings(Want, Want.for_what, Want.know_already, Want.can_share, Want.times_note)
    rows = connection.execute(query.where(which).limit(limit)).all()
    abouts = _abouts(connection, (row.skill_id for row in rows))
    return [
        (
            row.id,
            _listing(
                "want",
                row,
                abouts[row.skill_id],
                who="wants",
                practice=row.for_what,
                extra="\n".join((row.know_already, row.can_share, row.times_note)),
            ),
        )
        for row in rows
    ]


def _listing(kind: str, row: Any, about: _About, *, who: str, practice: str, extra: str, theory: str = "") -> Document:
    return _signed(
        Document(
            key=f"{kind}:{row.id}",
            version=0,
            language=row.language,
            title=row.title,
            names=about.names,
            practice=practice,
            theory=theory,
            extra=extra,
            filters=_filters(
                **_of_skills([about]),
                **_of_place(row.where, row.area),
                owner=[str(row.member_id)],
                audience=[owner_only(row.member_id) if row.seen_as is SeenAs.HIDDEN else LISTED],
                who=[who],
            ),
            made_at=_seconds(row.created_at),
        )
    )


def _sessions(connection: sa.Connection, which: sa.ColumnElement[bool], limit: int | None) -> Rows:
    s = SkillSession
    query = (
        sa.select(
            s.id,
            s.title,
            s.language,
            s.where,
            s.host_id,
            s.created_at,
            s.starts_at,
            s.zone,
            s.audience,
            s.practice,
            s.theory,
            s.before,
            s.bring,
            s.access_note,
            (s.capacity - s.taken).label("left"),
            Area.public_id.label("area"),
        )
        .join(Member, Member.id == s.host_id)
        .outerjoin(Area, Area.id == s.area_id)
        .where(which, s.state == SessionState.SCHEDULED, s.ends_at > clock.now(), Member.state == MemberState.ACTIVE)
        .order_by(s.id)
    )
    rows = connection.execute(query.limit(limit)).all()
    skills: dict[int, list[int]] = defaultdict(list)
    for session_id, skill_id in connection.execute(
        sa.select(SessionSkill.skill_session_id, SessionSkill.skill_id)
        .where(SessionSkill.skill_session_id.in_([row.id for row in rows]))
        .order_by(SessionSkill.id)
    ):
        skills[session_id].append(skill_id)
    abouts = _abouts(connection, (skill_id for ids in skills.values() for skill_id in ids))
    return [(row.id, _session(row, [abouts[skill_id] for skill_id in skills[row.id]])) for row in rows]


def _session(row: Any, abouts: list[_About]) -> Document:
    return _signed(
        Document(
            key=f"session:{row.id}",
            version=0,
            language=row.language,
            title=row.title,
            names=tuple(name for about in abouts for name in about.names),
            practice=row.practice,
            theory=row.theory,
            extra="\n".join((row.before, row.bring, row.access_note)),
            filters=_filters(
                **_of_skills(abouts),
                **_of_place(row.where, row.area),
                owner=[str(row.host_id)],
                audience=[LISTED if row.audience is Audience.PUBLIC else MEMBERS],
                who=["shows"],
                time=times_of(row.starts_at, row.zone),
            ),
            starts_at=_seconds(row.starts_at),
            places_left=max(0, row.left),
            made_at=_seconds(row.created_at),
        )
    )


Reader = Callable[[sa.Connection, sa.ColumnElement[bool], int | None], Rows]
READERS: dict[str, tuple[type[Any], Reader]] = {
    "skill": (Skill, _skills),
    "offer": (Offer, _offers),
    "want": (Want, _wants),
    "session": (SkillSession, _sessions),
}


def _of_skills(abouts: list[_About]) -> dict[str, list[str]]:
    return {
        "skill": [about.slug for about in abouts],
        "topic": [about.topic for about in abouts],
        "care": [about.care.value for about in abouts if about.care is not Care.NONE],
    }


def _of_place(where: Where, area: str | None) -> dict[str, list[str]]:
    ways = [Where.IN_PERSON, Where.ONLINE] if where is Where.ANY else [where]
    return {"where": [way.value for way in ways], "area": [area] if area else []}


def _filters(**values: Iterable[str]) -> dict[str, frozenset[str]]:
    return {name: frozenset(some) for name, some in values.items() if some}


def _but(names: Iterable[tuple[str, str]], language: str, title: str) -> tuple[tuple[str, str], ...]:
    return tuple(name for name in names if name != (language, title))


def _signed(document: Document) -> Document:
    """The document with its version: a fingerprint of all it says, so that the same version is the same document."""
    filters = sorted((name, sorted(values)) for name, values in document.filters.items())
    said = repr((document.title, document.language, document.names, document.practice, document.theory, document.extra))
    facts = repr((filters, document.starts_at, document.places_left, document.made_at))
    digest = blake2b((said + facts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return replace(document, version=int.from_bytes(digest) >> 1)


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())


def _by_kind(keys: Iterable[str]) -> dict[str, set[int]]:
    """The ids in keys such as `offer:12`, by kind."""
    ids: dict[str, set[int]] = defaultdict(set)
    for key in keys:
        kind, _, id_ = key.partition(":")
        ids[kind].add(int(id_))
    return ids
