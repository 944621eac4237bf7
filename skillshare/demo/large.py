"""The same community many times over, for measuring: written in bulk, then checked against the invariants.

Shapes per member are the small demo's; nobody here can sign in but Ana. Not a test of the rules (`community.py` is).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from skillshare import clock, passwords
from skillshare.db import Base, db, new_public_id
from skillshare.models.knowhow import MemberSkill
from skillshare.models.listings import How, ListingState, MeToo, Offer, Want, Where
from skillshare.models.log import Answer, LogAnswer, LogEntry, LogPart, LogState
from skillshare.models.members import Member, MemberLanguage, MemberState, NameSeenBy, SeenAs, twin
from skillshare.models.places import Area, AreaBeside
from skillshare.models.seats import PlaceState, Registration
from skillshare.models.sessions import Audience, Part, PartKind, SessionSkill, SessionState, SkillSession
from skillshare.models.skills import Skill
from skillshare.models.teachbacks import TeachBack, TeachBackState, Verdict, Witness

from . import cast
from .community import PASSWORD

Row = dict[str, Any]
CHUNK = 5_000


def tell(
    members: int, zone: str, seed: int = 1, progress: Callable[[str, int], None] = lambda what, rows: None
) -> None:
    """Fill an empty database (but for its skills) with `members` members and what goes with them. Commits as it goes."""
    story = _Story(Random(seed), zone, members)  # noqa: S311  a story, not a secret
    for model, rows in story.tables():
        written = 0
        for chunk in _chunks(rows):
            db.session.execute(sa.insert(model), chunk)
            db.session.commit()
            written += len(chunk)
            progress(model.__tablename__, written)
    if db.engine.dialect.name == "postgresql":
        _catch_up()
        db.session.commit()


class _Story:
    """Rows for every table, in an order that keeps the foreign keys; ids are counted here."""

    def __init__(self, random: Random, zone: str, members: int) -> None:
        self.random, self.zone, self.count = random, zone, members
        self.now = clock.now().replace(minute=0, second=0, microsecond=0)
        self.skills = list(db.session.scalars(Skill.whole().order_by(Skill.id)))
        self.texts = {(skill.id, locale): skill.text(locale) for skill in self.skills for locale in ("en", "es")}
        self.shows = {m: self.random.sample(range(len(self.skills)), 3) for m in range(1, members + 1)}
        self.showers: dict[int, list[int]] = {}
        for member, shown in self.shows.items():
            for skill in shown:
                self.showers.setdefault(skill, []).append(member)
        self.offer_rows: list[Row] = []
        self.session_rows: list[Row] = []
        self.seats: dict[int, list[int]] = {}
        self.entries: list[tuple[int, int, int, int, bool]] = []

    def tables(self) -> Iterator[tuple[type[Base], Iterator[Row]]]:
        """Each table with its rows."""
        yield Area, self._areas()
        yield AreaBeside, ({"area_id": n, "other_id": n + 1} for n in range(1, self._areas_n()))
        yield Member, self._members()
        yield MemberLanguage, ({"member_id": m, "code": self._locale(m), "ease": "easy"} for m in self.shows)
        yield MemberSkill, self._member_skills()
        yield Offer, self._offers()
        yield Want, self._wants()
        yield (
            MeToo,
            ({"want_id": w, "member_id": self._other(self._want_owner(w))} for w in range(1, self._wants_n() + 1)),
        )
        yield SkillSession, self._sessions()
        yield SessionSkill, ({"skill_session_id": s["id"], "skill_id": s["skill_id"]} for s in self.session_rows)
        yield Registration, self._registrations()
        yield Part, self._parts()
        yield LogEntry, self._log_entries()
        yield LogPart, self._log_parts()
        yield LogAnswer, self._log_answers()
        yield TeachBack, self._teach_backs()
        yield Witness, self._witnesses()

    def _locale(self, member: int) -> str:
        return "es" if member % 5 in (1, 3) and member > 1 else "en"

    def _other(self, member: int) -> int:
        return (member + self.random.randint(0, self.count - 2)) % self.count + 1

    def _want_owner(self, want: int) -> int:
        return want % self.count + 1

    def _wants_n(self) -> int:
        return self.count * 15 // 16

    def _stamp(self, days_ago: float) -> Row:
        moment = self.now - timedelta(days=days_ago)
        return {"created_at": moment, "updated_at": moment}

    def _areas_n(self) -> int:
        return max(len(cast.AREAS), self.count // 200)

    def _areas(self) -> Iterator[Row]:
        for n in range(self._areas_n()):
            name = (
                cast.AREAS[n]
                if n < len(cast.AREAS)
                else f"{cast.AREAS[n % len(cast.AREAS)]} {n // len(cast.AREAS) + 1}"
            )
            yield {"id": n + 1, "public_id": new_public_id(), "name": name, "position": n}

    def _members(self) -> Iterator[Row]:
        areas = self._areas_n()
        secret = passwords.hash_of(PASSWORD)
        for n in self.shows:
            person = cast.PEOPLE[(n - 1) % len(cast.PEOPLE)]
            handle = person.handle if n == 1 else f"m{n:07d}".replace("0", "o").replace("1", "e").replace("5", "z")
            yield {
                "id": n, "handle": handle, "handle_twin": twin(handle), "name": person.name, "email": f"{handle}@example.org",
                "email_key": f"{handle}@example.org", "email_verified_at": self.now, "password_hash": secret if n == 1 else None,
                "about": cast.ABOUT["en"][n % len(cast.ABOUT["en"])], "area_id": n % areas + 1, "zone": self.zone,
                "locale": self._locale(n), "seen_as": SeenAs.HIDDEN if n % 50 == 49 else SeenAs.COMMUNITY,
                "name_seen_by": NameSeenBy.MEMBERS if n % 5 else NameSeenBy.PARTNERS, "state": MemberState.ACTIVE,
                "is_adult_said_at": self.now, "rules_agreed_at": self.now, "lists_made_at": self.now, **self._stamp(300),
            }  # fmt: skip

    def _member_skills(self) -> Iterator[Row]:
        for member, shown in self.shows.items():
            for skill in shown:
                yield self._know_how(member, skill, shows=True)
            wanted = self.random.randrange(len(self.skills))
            if wanted not in shown:
                yield self._know_how(member, wanted, shows=False)

    def _know_how(self, member: int, skill: int, shows: bool) -> Row:
        since = self.now - timedelta(days=self.random.randint(1, 250))
        return {
            "member_id": member, "skill_id": self.skills[skill].id, "shows": shows, "shows_since": since if shows else None,
            "wants": not shows, "wants_since": None if shows else since, "hidden": False,
        }  # fmt: skip

    def _listing(self, id_: int, member: int, skill: int, titles: Mapping[str, tuple[str, ...]]) -> Row:
        locale = self._locale(member)
        name = self.texts[self.skills[skill].id, locale].name
        title = self.random.choice(titles[locale]).format(skill=name, skill_lower=name[0].lower() + name[1:])
        return {
            "id": id_, "public_id": new_public_id(), "member_id": member, "skill_id": self.skills[skill].id, "title": title[:120],
            "how": How.ANY, "where": Where.ONLINE if id_ % 9 == 0 else Where.IN_PERSON, "area_id": id_ % 8 + 1, "language": locale,
            "times_note": self.random.choice(cast.TIMES[locale]), "version": 1,
            "state": ListingState.PAUSED if id_ % 20 == 0 else ListingState.OPEN, **self._stamp(self.random.random() * 110),
        }  # fmt: skip

    def _offers(self) -> Iterator[Row]:
        for n in range(1, self.count * 25 // 16 + 1):
            member = n % self.count + 1
            skill = self.shows[member][n // self.count % 3]
            text = self.texts[self.skills[skill].id, self._locale(member)]
            row = self._listing(n, member, skill, cast.OFFER_TITLES)
            row |= {"practice": text.practice, "theory": text.theory, "safety_read": True, "group_max": None}
            self.offer_rows.append({"member": member, "skill": skill, "row": row})
            yield row

    def _wants(self) -> Iterator[Row]:
        for n in range(1, self._wants_n() + 1):
            row = self._listing(n, self._want_owner(n), self.random.randrange(len(self.skills)), cast.WANT_TITLES)
            yield row | {"for_what": self.random.choice(cast.FOR_WHAT[row["language"]]), "group_ok": True}

    def _sessions(self) -> Iterator[Row]:
        for n in range(1, self.count * 3 // 2 + 1):
            offer = self.random.choice(self.offer_rows)
            past = n % 3 != 0
            days = -self.random.randint(1, 200) if past else self.random.randint(1, 21)
            starts_at = self.now.replace(hour=self.random.choice((10, 17, 18, 19))) + timedelta(days=days)
            state = (SessionState.HELD if n % 10 else SessionState.CANCELLED) if past else SessionState.SCHEDULED
            row = {
                key: offer["row"][key] for key in ("title", "where", "area_id", "language", "practice", "theory")
            } | {
                "id": n, "public_id": new_public_id(), "state": state, "starts_at": starts_at, "zone": self.zone,
                "ends_at": starts_at + timedelta(hours=1), "place": self.random.choice(cast.PLACES), "version": 1,
                "link": "", "capacity": self.random.choice((1, 3, 4, 6, 8)), "audience": Audience.PUBLIC, "seq": 0,
                "host_id": offer["member"], "origin_offer_id": offer["row"]["id"], **self._stamp(max(1, -days) + 5),
            }  # fmt: skip
            self.session_rows.append(row | {"skill_id": self.skills[offer["skill"]].id})
            yield row

    def _registrations(self) -> Iterator[Row]:
        for row in self.session_rows:
            wanting = self.random.randint(0, 5) if row["state"] is not SessionState.CANCELLED else 0
            people = {self._other(row["host_id"]) for _ in range(wanting)} - {row["host_id"]}
            for place, member in enumerate(sorted(people), start=1):
                going = place <= row["capacity"]
                if going:
                    self.seats.setdefault(row["id"], []).append(member)
                yield {
                    "public_id": new_public_id(), "skill_session_id": row["id"], "member_id": member,
                    "state": PlaceState.GOING if going else PlaceState.WAITING, "seat_no": place if going else None,
                    "waiting_since": None if going else row["created_at"], "late_withdraw": False,
                }  # fmt: skip

    def _parts(self) -> Iterator[Row]:
        for row in self.session_rows:
            shared = {"skill_session_id": row["id"], "skill_id": row["skill_id"]}
            yield shared | {"member_id": row["host_id"], "kind": PartKind.SHOWS}
            for member in self.seats.get(row["id"], ()):
                yield shared | {"member_id": member, "kind": PartKind.LEARNS}

    def _log_entries(self) -> Iterator[Row]:
        held = [row for row in self.session_rows if row["state"] is SessionState.HELD and row["id"] in self.seats]
        for n in range(1, self.count * 15 // 4 + 1):
            row = held[n - 1] if n <= len(held) else None
            if row:
                shower, learner, skill_id = row["host_id"], self.seats[row["id"]][0], row["skill_id"]
            else:
                skill = self.random.choice(list(self.showers))
                shower, skill_id = self.random.choice(self.showers[skill]), self.skills[skill].id
                learner = self._other(shower)
                learner = learner if learner != shower else shower % self.count + 1
            confirmed = n % 8 != 0
            self.entries.append((n, shower, learner, skill_id, confirmed))
            on: datetime = row["starts_at"] if row else self.now - timedelta(days=self.random.randint(2, 200))
            yield {
                "id": n, "public_id": new_public_id(), "skill_session_id": row["id"] if row else None, "version": 1,
                "happened_on": on.date(), "practice_minutes": 40, "theory_minutes": 20, "written_by_id": learner,
                "line": self.random.choice(cast.LINES["en"]),
                "state": LogState.CONFIRMED if confirmed else LogState.WAITING, "created_at": on, "updated_at": on,
            }  # fmt: skip

    def _log_parts(self) -> Iterator[Row]:
        for entry, shower, learner, skill_id, _confirmed in self.entries:
            shared = {"log_entry_id": entry, "skill_id": skill_id, "struck": False}
            yield shared | {"member_id": shower, "kind": PartKind.SHOWS}
            yield shared | {"member_id": learner, "kind": PartKind.LEARNS}

    def _log_answers(self) -> Iterator[Row]:
        for entry, shower, learner, _skill, confirmed in self.entries:
            yield {"log_entry_id": entry, "member_id": learner, "answer": Answer.AGREE, "at": self.now, "note": ""}
            answer = Answer.AGREE if confirmed else Answer.NONE
            at = self.now if confirmed else None
            yield {"log_entry_id": entry, "member_id": shower, "answer": answer, "at": at, "note": ""}

    def _backs(self) -> Iterator[tuple[int, tuple[int, int, int, int, bool], TeachBackState]]:
        given: set[tuple[int, int]] = set()
        for entry in self.entries:
            _id, _shower, learner, skill_id, confirmed = entry
            if not confirmed or entry[0] % 2 or (learner, skill_id) in given:
                continue
            given.add((learner, skill_id))
            n = len(given)
            state = {0: TeachBackState.MORE_PRACTICE, 1: TeachBackState.ATTEMPTED}.get(n % 8, TeachBackState.CONFIRMED)
            yield n, entry, state

    def _teach_backs(self) -> Iterator[Row]:
        for n, (entry, _shower, learner, skill_id, _c), state in self._backs():
            yield {
                "id": n, "public_id": new_public_id(), "giver_id": learner, "skill_id": skill_id, "log_entry_id": entry,
                "on": self.now.date(), "attempt_no": 1, "state": state, "note": "", "nobody_knew": False,
                "confirmed_at": self.now if state is TeachBackState.CONFIRMED else None,
            }  # fmt: skip

    def _witnesses(self) -> Iterator[Row]:
        verdicts = {TeachBackState.CONFIRMED: Verdict.CLEAR, TeachBackState.MORE_PRACTICE: Verdict.MORE_PRACTICE}
        for n, (_entry, shower, learner, _skill, _c), state in self._backs():
            verdict = verdicts.get(state, Verdict.NONE)
            at = None if verdict is Verdict.NONE else self.now
            yield {
                "teach_back_id": n,
                "giver_id": learner,
                "member_id": shower,
                "verdict": verdict,
                "at": at,
                "kind_note": "",
            }


# Each finds rows that break a rule of SPEC 5; all must find none.
BROKEN = {
    "I5 somebody shows and somebody else learns the same skill": """
        SELECT count(*) FROM log_entry e WHERE NOT EXISTS (
            SELECT 1 FROM log_part s JOIN log_part l ON l.log_entry_id = s.log_entry_id AND l.skill_id = s.skill_id
            WHERE s.log_entry_id = e.id AND s.kind = 'shows' AND l.kind = 'learns' AND s.member_id <> l.member_id)""",
    "I7 confirmed by two people on opposite sides": """
        SELECT count(*) FROM log_entry e WHERE e.state = 'confirmed' AND NOT EXISTS (
            SELECT 1 FROM log_part s JOIN log_part l ON l.log_entry_id = s.log_entry_id AND l.skill_id = s.skill_id
            JOIN log_answer a ON a.log_entry_id = e.id AND a.member_id = s.member_id AND a.answer = 'agree'
            JOIN log_answer b ON b.log_entry_id = e.id AND b.member_id = l.member_id AND b.answer = 'agree'
            WHERE s.log_entry_id = e.id AND s.kind = 'shows' AND l.kind = 'learns' AND s.member_id <> l.member_id)""",
    "I12 nobody witnesses their own": "SELECT count(*) FROM witness WHERE member_id = giver_id",
    "I13 confirmed has a verdict": """
        SELECT count(*) FROM teach_back t WHERE t.state = 'confirmed' AND NOT EXISTS (
            SELECT 1 FROM witness w WHERE w.teach_back_id = t.id AND w.verdict = 'clear')""",
    "I14 a later try names the one before": """
        SELECT count(*) FROM teach_back t LEFT JOIN teach_back p ON p.id = t.previous_id
        WHERE t.attempt_no > 1 AND (p.id IS NULL OR p.giver_id <> t.giver_id OR p.skill_id <> t.skill_id)""",
    "I18 no more seats than places": """
        SELECT count(*) FROM registration r JOIN skill_session s ON s.id = r.skill_session_id WHERE r.seat_no > s.capacity""",
    "I23 every session has somebody who shows": """
        SELECT count(*) FROM session_skill k WHERE NOT EXISTS (
            SELECT 1 FROM part p WHERE p.skill_session_id = k.skill_session_id AND p.skill_id = k.skill_id AND p.kind = 'shows')""",
    "I24 held sessions have begun": "SELECT count(*) FROM skill_session WHERE state = 'held' AND starts_at > :now",
}


def broken_invariants() -> list[str]:
    """The rules that some row breaks; empty when all is well."""
    moment = clock.now().replace(tzinfo=None)
    return [
        rule
        for rule, query in BROKEN.items()
        if db.session.scalar(sa.text(query).bindparams(**({"now": moment} if ":now" in query else {})))
    ]


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _catch_up() -> None:
    """What PostgreSQL does not do at once by itself: go on after the ids that were given here, and know the tables.

    Nothing of the kind on SQLite, where no instance gathers statistics: with them, a list that wants 20 rows
    first reads all members into a filter.
    """
    for table in db.metadata.sorted_tables:
        name = json.dumps(table.name)
        db.session.execute(
            sa.text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), coalesce(max(id), 1)) FROM {name}")  # noqa: S608
        )
    db.session.execute(sa.text("ANALYZE"))
