"""The demo community: some 80 members and what they did, told through the models' own verbs.

Deterministic by seed, relative to today. That it can be told at all is a test of the rules.
"""

import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import sqlalchemy as sa

from skillshare import clock, limits, passwords
from skillshare.db import db
from skillshare.models.gaps import SearchGap, Sought, Tally, first_of_month
from skillshare.models.knowhow import MemberSkill
from skillshare.models.listings import How, Offer, Want, Where
from skillshare.models.log import LogEntry, Said
from skillshare.models.members import Member, MemberLanguage, NameSeenBy
from skillshare.models.outbox import Outbox
from skillshare.models.places import Area
from skillshare.models.seats import Registration, cancel, give_back, take_place
from skillshare.models.sessions import PartKind, SkillSession
from skillshare.models.skills import Care, Skill, Topic
from skillshare.models.teachbacks import TeachBack
from skillshare.search.analysis import sounded_out

from . import cast

PASSWORD = "teachback demo"  # noqa: S105  the demo's, printed at every start
DEMO_EMAIL = "ana@example.org"
OFFERS, WANTS = 125, 75
PAST_SESSIONS, COMING_SESSIONS = 80, 40
LOG_ENTRIES, TEACH_BACKS = 300, 150
WELL_KNOWN = 70

Progress = Callable[[str], None]


@dataclass
class Community:
    """The story while it is being told."""

    random: Random
    now: datetime
    zone: str
    areas: list[Area] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    skills: list[Skill] = field(default_factory=list)
    shows: dict[int, list[Skill]] = field(default_factory=dict)
    offers: list[Offer] = field(default_factory=list)
    entries: list[LogEntry] = field(default_factory=list)

    def who_shows(self, skill: Skill) -> list[Member]:
        """Those who say they can show `skill`."""
        return [member for member in self.members if skill in self.shows[member.id]]

    def others(self, *members: Member) -> list[Member]:
        """Everybody but these."""
        return [member for member in self.members if member not in members]


def tell(zone: str, seed: int = 1, progress: Progress = lambda words: None) -> Community:
    """Fill an empty database (but for its skills) with the community. Does not commit."""
    story = Community(
        random=Random(seed),  # noqa: S311  a story, not a secret
        now=clock.now().replace(minute=0, second=0, microsecond=0),
        zone=zone,
    )
    for chapter in CHAPTERS:
        progress((chapter.__doc__ or "").strip())
        chapter(story)
        db.session.flush()
    _for_ana(story)
    _looked_for(story)
    _drop_mail(story)
    return story


def _people(story: Community) -> None:
    """Members and areas"""
    story.areas = [Area(name=name, position=n) for n, name in enumerate(cast.AREAS)]
    db.session.add_all(story.areas)
    db.session.flush()
    for n, area in enumerate(story.areas):
        area.lies_beside(story.areas[(n + 1) % len(story.areas)])  # round the hill and back
    password_hash = passwords.hash_of(PASSWORD)
    for n, person in enumerate(cast.PEOPLE):
        with clock.stopped_at(story.now - timedelta(days=300 - n * 3, hours=n % 9)):
            member = Member.join(
                handle=person.handle,
                name=person.name,
                email=f"{person.handle}@example.org",
                locale=person.locale,
                zone=story.zone,
                password_hash=password_hash,
            )
            member.confirm()
            member.lists_made_at = clock.now()
        member.area = story.random.choice(story.areas)
        member.about = story.random.choice(cast.ABOUT[person.locale])
        member.name_seen_by = NameSeenBy.MEMBERS if n < 4 or story.random.random() < 0.8 else NameSeenBy.PARTNERS
        member.languages = [MemberLanguage(code=person.locale, ease="easy")]
        if story.random.random() < 0.3:
            member.languages.append(MemberLanguage(code="es" if person.locale == "en" else "en", ease="gets_by"))
        story.members.append(member)


def _own_skills(story: Community) -> None:
    """Pages of their own"""
    topics = list(db.session.scalars(Topic.listed()))
    for name, summary, practice, theory in cast.OWN_SKILLS:
        with _days_ago(story, story.random.randint(5, 60)):
            Skill.make(
                locale="en",
                topic=story.random.choice(topics),
                name=name,
                summary=summary,
                practice=practice,
                theory=theory,
                by=story.random.choice(story.members),
            )


def _know_how(story: Community) -> None:
    """What they show and want"""
    everything = list(db.session.scalars(Skill.whole().order_by(Skill.id)))
    story.skills = story.random.sample(everything, WELL_KNOWN)
    rare = [skill for skill in everything if skill not in story.skills]
    for member in story.members:
        shown = story.random.sample(story.skills, story.random.randint(2, 4))
        shown += story.random.sample(rare, story.random.randint(0, 2))
        story.shows[member.id] = shown
        for skill in shown:
            MemberSkill.say(member, skill, shows=True)
        wanted = [skill for skill in story.random.sample(story.skills, 4) if skill not in shown]
        for skill in wanted[:3]:
            MemberSkill.say(member, skill, wants=True)
    for skill in story.skills:
        if not story.who_shows(skill):
            _now_shows(story, story.random.choice(story.members), skill)


def _now_shows(story: Community, member: Member, skill: Skill) -> None:
    story.shows[member.id].append(skill)
    MemberSkill.say(member, skill, shows=True)


def _listings(story: Community) -> None:
    """Offers and wants"""
    pairs = [(member, skill) for member in story.members for skill in story.shows[member.id]]
    for member, skill in story.random.sample(pairs, OFFERS):
        with _days_ago(story, story.random.randint(1, 110)):
            story.offers.append(_offer(story, member, skill))
    for offer in story.random.sample(story.offers, 6):
        offer.pause(by=offer.member)
    wanted = [
        (member, skill)
        for member in story.members
        for skill in story.random.sample(story.skills, 3)
        if skill not in story.shows[member.id]
    ]
    for member, skill in story.random.sample(wanted, WANTS):
        with _days_ago(story, story.random.randint(1, 90)):
            want = _want(story, member, skill)
            for other in story.random.sample(story.others(member), story.random.choice((0, 0, 1, 2, 3))):
                want.me_too(by=other)


def _offer(story: Community, member: Member, skill: Skill) -> Offer:
    pick, locale = story.random.choice, member.locale
    text = skill.text(locale)
    return Offer.publish(
        by=member,
        skill=skill,
        title=_title(story, cast.OFFER_TITLES, skill, locale),
        practice=text.practice,
        theory=text.theory,
        language=locale,
        before=pick(cast.BEFORE[locale]),
        how=pick(list(How)),
        where=story.random.choices(list(Where), (6, 1, 2))[0],
        area=member.area,
        times_note=pick(cast.TIMES[locale]),
        group_max=pick((None, 3, 5, 8)),
        safety_read=skill.care is Care.HAZARD,
    )


def _want(story: Community, member: Member, skill: Skill) -> Want:
    pick, locale = story.random.choice, member.locale
    return Want.ask(
        by=member,
        skill=skill,
        title=_title(story, cast.WANT_TITLES, skill, locale),
        language=locale,
        for_what=pick(cast.FOR_WHAT[locale]),
        how=pick(list(How)),
        where=story.random.choices(list(Where), (6, 1, 2))[0],
        area=member.area,
        times_note=pick(cast.TIMES[locale]),
    )


def _title(story: Community, patterns: Mapping[str, tuple[str, ...]], skill: Skill, locale: str) -> str:
    name = skill.name(locale)
    lower = name[0].lower() + name[1:] if not name[:2].isupper() else name
    return story.random.choice(patterns[locale]).format(skill=name, skill_lower=lower)[: limits.TITLE]


def _past_sessions(story: Community) -> None:
    """Sessions that were"""
    for n in range(PAST_SESSIONS):
        starts_at = _evening(story, -1 - n * 2 % 150 - n // 75)
        skill_session, learners = _session(story, starts_at)
        what_became = story.random.random()
        if what_became < 0.06:
            with clock.stopped_at(starts_at - timedelta(days=1)):
                cancel(skill_session, by=skill_session.host, reason="I am ill, sorry. A new date follows.")
        elif what_became < 0.1 or not learners:
            with clock.stopped_at(starts_at + timedelta(days=1)):
                skill_session.not_held(by=skill_session.host)
        elif n >= 5:
            _log_session(story, skill_session, learners)


def _session(story: Community, starts_at: datetime) -> tuple[SkillSession, list[Member]]:
    """One session from an offer, planned some days before, with those who kept a place."""
    offer = story.random.choice(story.offers)
    host, skill, locale = offer.member, offer.skill, offer.language
    planned = min(starts_at, story.now) - timedelta(days=story.random.randint(4, 12))
    with clock.stopped_at(planned):
        skill_session = SkillSession.schedule(
            by=host,
            title=_title(story, cast.SESSION_TITLES, skill, locale),
            skills=[skill],
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=story.random.choice((45, 60, 90, 120))),
            zone=story.zone,
            capacity=story.random.choice((2, 4, 6, 6, 8)),
            practice=offer.practice,
            theory=offer.theory,
            language=locale,
            area=host.area,
            place=story.random.choice(cast.PLACES),
            before=offer.before,
            bring=story.random.choice(cast.BRING[locale]),
            offer=offer,
        )
        db.session.flush()
    going = []
    with clock.stopped_at(planned + timedelta(days=1)):
        for member in story.random.sample(story.others(host), story.random.randint(1, 5)):
            place = take_place(skill_session, by=member, goal=story.random.choice(cast.GOALS[member.locale]))
            if place.is_going:
                going.append(member)
        if len(going) > 2 and story.random.random() < 0.3:
            left = Registration.between(skill_session, going[0])
            if left is not None:
                give_back(left, by=going[0])
                going = going[1:]
    return skill_session, going


def _log_session(story: Community, skill_session: SkillSession, learners: list[Member]) -> None:
    skill = skill_session.skills[0]
    came = [member for member in learners if story.random.random() < 0.9] or learners[:1]
    writer = story.random.choice([skill_session.host, *came])
    said = [Said(skill_session.host, skill, PartKind.SHOWS)]
    said += [Said(member, skill, PartKind.LEARNS) for member in came]
    with clock.stopped_at(skill_session.ends_at + timedelta(hours=story.random.randint(1, 20))):
        _write(story, writer, said, skill_session.starts_at, skill_session)


def _write(
    story: Community, writer: Member, said: list[Said], on: datetime, skill_session: SkillSession | None = None
) -> None:
    """One entry, to which most of the others then agree."""
    minutes = story.random.choice((30, 45, 60, 90))
    entry = LogEntry.write(
        by=writer,
        happened_on=on.date(),
        said=said,
        practice_minutes=minutes * 2 // 3,
        theory_minutes=minutes // 3,
        line=story.random.choice(cast.LINES[writer.locale]),
        skill_session=skill_session,
    )
    story.entries.append(entry)
    lately = story.now - on < timedelta(days=12)
    for person in dict.fromkeys(s.member for s in said if s.member is not writer):
        if story.random.random() < 0.88 and not (person.handle == "ana" and lately):
            entry.agree(by=person)


def _coming_sessions(story: Community) -> None:
    """Sessions to come"""
    for n in range(COMING_SESSIONS):
        _session(story, _evening(story, 1 + n * 21 // COMING_SESSIONS + n % 3))


def _chance_meetings(story: Community) -> None:
    """Meetings between"""
    while len(story.entries) < LOG_ENTRIES:
        skill = story.random.choice(story.skills)
        shower = story.random.choice(story.who_shows(skill))
        learner = story.random.choice(story.others(shower))
        said = [Said(shower, skill, PartKind.SHOWS), Said(learner, skill, PartKind.LEARNS)]
        swap = [s for s in story.shows[learner.id] if s is not skill]
        if swap and story.random.random() < 0.25:
            back = story.random.choice(swap)
            said += [Said(learner, back, PartKind.SHOWS), Said(shower, back, PartKind.LEARNS)]
        on = story.now - timedelta(days=story.random.randint(2, 200))
        with clock.stopped_at(on + timedelta(hours=3)):
            _write(story, story.random.choice((shower, learner)), said, on)


def _teach_backs(story: Community) -> None:
    """Showing back"""
    told = 0
    tried: set[tuple[int, int]] = set()
    for entry in story.random.sample(story.entries, len(story.entries)):
        if told >= TEACH_BACKS:
            break
        learners = [part for part in entry.parts if part.kind is PartKind.LEARNS]
        for part in learners[:2]:
            if entry.is_confirmed and (part.member_id, part.skill_id) not in tried and told < TEACH_BACKS:
                tried.add((part.member_id, part.skill_id))
                told += _show_back(story, entry, part.member, part.skill)


def _show_back(story: Community, entry: LogEntry, giver: Member, skill: Skill) -> int:
    """One or two tries of one learner; how many there were."""
    showers = [p.member for p in entry.parts if p.kind is PartKind.SHOWS and p.skill_id == skill.id]
    witnesses = [*showers, *([story.random.choice(story.others(giver, *showers))] if skill.care is Care.HAZARD else [])]
    moment = min(entry.created_at + timedelta(days=story.random.randint(1, 9)), story.now)
    tries = 2 if story.random.random() < 0.3 else 1
    for attempt in range(tries):
        with clock.stopped_at(min(moment + timedelta(days=attempt * 6), story.now)):
            teach_back = TeachBack.attempt(
                by=giver,
                skill=skill,
                witnesses=witnesses,
                on=clock.today(story.zone),
                note=story.random.choice(cast.NOTES[giver.locale]),
                log_entry=entry,
            )
            first_of_two = attempt == 0 and (tries == 2 or story.random.random() < 0.12)
            for witness in witnesses[:1] if first_of_two else witnesses:
                if first_of_two:
                    note = story.random.choice(cast.KIND_NOTES[witness.locale])
                    teach_back.more_practice(by=witness, kind_note=note)
                elif story.random.random() < 0.92:
                    teach_back.clear(by=witness)
            if not first_of_two and not teach_back.is_confirmed:
                return attempt + 1
    return tries


CHAPTERS = (
    _people,
    _own_skills,
    _know_how,
    _listings,
    _past_sessions,
    _coming_sessions,
    _chance_meetings,
    _teach_backs,
)


def _for_ana(story: Community) -> None:
    """Whoever tries the demo as Ana finds something on every shelf."""
    ana, ben, cleo = story.members[:3]
    skill = story.shows[ana.id][0]
    if not any(offer.member is ana for offer in story.offers):
        story.offers.append(_offer(story, ana, skill))
    offer = next(offer for offer in story.offers if offer.member is ana)
    said = [Said(ana, skill, PartKind.SHOWS), Said(ben, skill, PartKind.LEARNS)]
    with clock.stopped_at(story.now - timedelta(days=4)):
        entry = LogEntry.write(
            by=ben, happened_on=clock.today(story.zone), said=said, practice_minutes=40, theory_minutes=20,
            line="It worked at the second try.",
        )  # fmt: skip
    with clock.stopped_at(story.now - timedelta(days=2)):
        if not db.session.scalar(
            sa.select(TeachBack.id).where(TeachBack.giver_id == ben.id, TeachBack.skill_id == skill.id)
        ):
            TeachBack.attempt(by=ben, skill=skill, witnesses=[ana], on=clock.today(story.zone), log_entry=entry)
    for days in (-1, 2):
        starts_at = _evening(story, days)
        with clock.stopped_at(starts_at - timedelta(days=6)):
            mine = SkillSession.schedule(
                by=ana, title=_title(story, cast.SESSION_TITLES, skill, "en"), skills=[skill], starts_at=starts_at,
                ends_at=starts_at + timedelta(hours=1), zone=story.zone, capacity=4, practice=offer.practice,
                theory=offer.theory, language="en", area=ana.area, place=cast.PLACES[0], bring=cast.BRING["en"][0],
            )  # fmt: skip
            db.session.flush()
            for member in (ben, cleo):
                take_place(mine, by=member)


def _looked_for(story: Community) -> None:
    """What nobody could show"""
    today = clock.today(story.zone)
    month = first_of_month(first_of_month(today) - timedelta(days=1))
    for said, members in cast.LOOKED_FOR:
        for n, member in enumerate(story.random.sample(story.members, members)):
            day = month + timedelta(days=3 + n * 2)
            tally = Tally(said, times=story.random.randint(1, 3), days={day}, member_ids={member.id})
            SearchGap.count({Sought(sounded_out(said), "", month): tally}, day, secrets.token_hex())
    SearchGap.forget(today)


def _drop_mail(story: Community) -> None:
    """Nobody reads the demo's old mail; what asks Ana for an answer stays."""
    db.session.flush()
    for row in db.session.scalars(sa.select(Outbox).where(Outbox.kind == "mail")):
        if row.payload.get("member_id") != story.members[0].id:
            db.session.delete(row)


def _evening(story: Community, days: int) -> datetime:
    hour = story.random.choice((10, 17, 18, 19))
    return story.now.replace(hour=hour) + timedelta(days=days)


def _days_ago(story: Community, days: int) -> AbstractContextManager[None]:
    return clock.stopped_at(story.now - timedelta(days=days))
