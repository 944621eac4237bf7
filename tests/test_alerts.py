"""What the worker finds for members, and the mail that says so: once, as chosen, and only what they may still see."""

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from skillshare import clock, jobs, limits, mail
from skillshare.db import db as database
from skillshare.models.blocking import block
from skillshare.models.listings import Offer, Want
from skillshare.models.members import MemberState, SeenAs
from skillshare.models.notices import Channel, NoticeChoice
from skillshare.models.outbox import Outbox
from skillshare.models.searches import SavedMatch, SavedSearch, hear
from skillshare.models.seats import give_back, take_place
from skillshare.search import alerts
from skillshare.search.engine import IndexUnavailable
from tests.conftest import make_session, make_skill, person

NOW, DAILY, WEEKLY, OFF = Channel.NOW, Channel.DAILY, Channel.WEEKLY, Channel.OFF
LONGEST = 30  # seconds that anything here may take


@pytest.fixture
def told(frozen, db, mails):
    """`told(ben)` lets the worker do what is due, and gives the new mails to Ben of kinds that may be stopped."""
    seen = set()

    def read(member):
        db.session.commit()
        sent = [m for m in mails() if "List-Unsubscribe" in m and member.email in m["To"]]
        new = [m for m in sent if m["Date"] + m["Message-ID"] not in seen]
        seen.update(m["Date"] + m["Message-ID"] for m in new)
        return new

    return read


@pytest.fixture
def tomorrow(frozen):
    """Lets the clock pass the next 08:00 UTC."""
    return lambda: frozen.move_to(clock.now().replace(hour=8, minute=1) + timedelta(days=1))


def save(by, q="bread", how=DAILY, **boxes):
    return SavedSearch.save(by=by, q=q, boxes=boxes, how=how)


def offer(by, skill, title="Three ingredients", **changes):
    halves = {"practice": "You mix, fold and wait.", "theory": "Why dough rises."}
    return Offer.publish(**{"by": by, "skill": skill, "title": title, "language": "en", **halves, **changes})


def test_a_want_hears_of_a_new_offer_the_next_morning(told, tomorrow, frozen, ana, ben, bread, bread_want):
    assert told(ben) == []
    frozen.shift(timedelta(minutes=1))
    made = offer(ana, bread, language="es")
    assert told(ben) == []

    tomorrow()
    (mail,) = told(ben)

    assert mail["Subject"] == "Sourdough bread: 1 thing you look for"
    assert "You want to learn: Sourdough bread" in mail.get_content()
    assert f"http://localhost/offers/{made.public_id}" in mail.get_content()
    assert "Spanish" in mail.get_content()
    tomorrow()
    assert told(ben) == []


def test_a_saved_search_hears_of_what_is_made_after_it(told, tomorrow, frozen, ana, ben, bread, topic):
    offer(ana, bread, "An old one")
    frozen.shift(timedelta(minutes=1))
    save(ben)
    assert told(ben) == []
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread, "A new one")
    offer(ana, make_skill(topic, "Knots"), "Tie it")

    tomorrow()
    (mail,) = told(ben)

    assert "A new one" in mail.get_content()
    assert "An old one" not in mail.get_content()
    assert "Tie it" not in mail.get_content()
    assert "You look for: “bread”" in mail.get_content()


def test_what_is_opened_again_is_found_as_well(told, tomorrow, frozen, ana, ben, bread):
    made = offer(ana, bread)
    made.pause(by=ana)
    frozen.shift(timedelta(minutes=1))
    save(ben)
    assert told(ben) == []
    made.resume(by=ana)

    tomorrow()

    assert [made.title in mail.get_content() for mail in told(ben)] == [True]


def test_what_is_changed_to_fit_is_found_as_well(told, tomorrow, frozen, ana, ben, bread):
    made = offer(ana, bread, where="in_person")
    frozen.shift(timedelta(minutes=1))
    save(ben, where={"online"})
    assert told(ben) == []
    made.edit(by=ana, version=1, where="online")

    tomorrow()

    assert len(told(ben)) == 1


def test_who_wants_to_hear_now_does_within_minutes(both_databases, told, frozen, ana, ben, bread):
    save(ben, how=NOW)
    assert told(ben) == []
    frozen.shift(timedelta(minutes=10))
    offer(ana, bread)

    assert len(told(ben)) == 1
    frozen.shift(timedelta(seconds=20))
    offer(ana, bread, "Another")
    assert told(ben) == []
    frozen.shift(timedelta(minutes=2))
    (second,) = told(ben)
    assert "Another" in second.get_content()
    assert "Three ingredients" not in second.get_content()


def test_at_once_is_never_a_flood(told, frozen, monkeypatch, ana, ben, bread, bread_want):
    monkeypatch.setattr(limits, "FINDS_MAILS_A_DAY", 3)
    hear("finds", NOW, by=ben)
    told(ben)
    mails, began = [], clock.now()
    for number in range(9):
        frozen.shift(timedelta(seconds=50))
        offer(ana, bread, f"Loaf {number}.")
        mails += told(ben)
    assert len(mails) == 3

    frozen.move_to(began + timedelta(days=1, hours=1))
    mails += told(ben)

    text = "".join(mail.get_content() for mail in mails)
    assert [text.count(f"Loaf {number}.") for number in range(9)] == [1] * 9
    assert len(mails) == 4


def test_once_a_week_is_on_monday(told, tomorrow, frozen, ana, ben, bread):
    save(ben, how=WEEKLY)
    told(ben)
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread)
    tomorrow()
    assert told(ben) == []

    frozen.move_to(datetime(2026, 11, 16, 8, 1, tzinfo=UTC))

    assert len(told(ben)) == 1


def test_not_at_all_is_never(told, tomorrow, frozen, ana, ben, cleo, bread, bread_want):
    save(ben).choose(OFF, by=ben)
    hear("finds", OFF, by=ben)
    told(ben)
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread)

    tomorrow()

    assert told(ben) == []


def test_one_mail_holds_everything_and_each_thing_once(
    both_databases, told, tomorrow, frozen, ana, ben, bread, brakes, bread_want
):
    save(ben)
    save(ben, "ingredients")
    save(ben, "brakes", WEEKLY)
    frozen.move_to(datetime(2026, 11, 15, 12, tzinfo=UTC))
    told(ben)
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread)
    offer(ana, brakes, "Stop in time")
    make_session(ana, [bread])
    told(ben)

    tomorrow()
    (mail,) = told(ben)

    text = mail.get_content()
    assert mail["Subject"] == "Sourdough bread, Bicycle brakes: 3 things you look for"
    assert text.count("Three ingredients") == 1
    assert text.index("You want to learn: Sourdough bread") < text.index("Three ingredients")
    assert text.index("You look for: “brakes”") < text.index("Stop in time")
    assert "Bread at the hall" in text


def test_of_several_words_most_must_be_there(told, tomorrow, frozen, ana, ben, bread, brakes):
    save(ben, "bread for the morning")
    told(ben)
    frozen.shift(timedelta(minutes=1))
    offer(ana, brakes, "Brakes in the morning")
    offer(ana, bread, "Rolls for the morning")

    tomorrow()
    (mail,) = told(ben)

    assert "Rolls for the morning" in mail.get_content()
    assert "Brakes in the morning" not in mail.get_content()


def test_ones_own_things_are_never_news(told, tomorrow, frozen, ben, bread):
    save(ben)
    told(ben)
    frozen.shift(timedelta(minutes=1))
    offer(ben, bread)
    make_session(ben, [bread])

    tomorrow()

    assert told(ben) == []


def hides(ana, ben, made, meeting):
    ana.seen_as = SeenAs.HIDDEN
    meeting.state = "cancelled"


def blocks(ana, ben, made, meeting):
    block(ana, ben)


def is_blocked(ana, ben, made, meeting):
    block(ben, ana)


def takes_it_down(ana, ben, made, meeting):
    made.withdraw(by=ana)
    meeting.state = "cancelled"


def pauses_and_is_full(ana, ben, made, meeting):
    made.pause(by=ana)
    for number in range(3):
        take_place(meeting, by=person(f"guest{number}"))


def closes(ana, ben, made, meeting):
    ana.state = MemberState.CLOSED


def has_enough(ana, ben, made, meeting):
    database.session.scalars(sa.select(Want)).one().withdraw(by=ben)
    for search in database.session.scalars(SavedSearch.of(ben)):
        search.remove(by=ben)


@pytest.mark.parametrize(
    "then",
    [hides, blocks, is_blocked, takes_it_down, pauses_and_is_full, closes, has_enough],
    ids=lambda then: then.__name__,
)
def test_what_cannot_be_seen_any_more_is_not_mailed(told, tomorrow, frozen, ana, ben, bread, bread_want, then):
    save(ben)
    told(ben)
    frozen.shift(timedelta(minutes=1))
    made, meeting = offer(ana, bread), make_session(ana, [bread])
    assert told(ben) == []
    waiting = database.session.scalars(sa.select(SavedMatch).where(SavedMatch.member_id == ben.id)).all()
    assert waiting

    then(ana, ben, made, meeting)
    tomorrow()

    assert told(ben) == []


def test_it_is_asked_again_when_the_mail_leaves(told, tomorrow, frozen, db, ana, ben, bread, bread_want):
    told(ben)
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread)
    told(ben)
    tomorrow()
    db.session.commit()
    jobs.work_once("finds")
    assert db.session.scalar(sa.select(Outbox.id).where(Outbox.key == f"mail:finds:{ben.id}"))
    block(ana, ben)

    assert told(ben) == []


def test_what_could_not_be_shown_may_be_found_again(told, tomorrow, frozen, ana, ben, bread, bread_want):
    told(ben)
    frozen.shift(timedelta(minutes=1))
    made = offer(ana, bread)
    told(ben)
    made.pause(by=ana)
    tomorrow()
    assert told(ben) == []
    made.resume(by=ana)
    told(ben)
    tomorrow()

    assert len(told(ben)) == 1


def test_a_place_that_comes_free_is_news(told, tomorrow, frozen, ana, ben, cleo, bread, bread_want):
    meeting = make_session(ana, [bread], capacity=1, starts_at=clock.now() + timedelta(days=5))
    place = take_place(meeting, by=cleo)
    told(ben)
    tomorrow()
    assert told(ben) == []
    give_back(place, by=cleo)
    told(ben)
    tomorrow()

    assert len(told(ben)) == 1


def test_the_mail_is_in_its_readers_language_and_hour(told, frozen, db, ana, bread):
    eva = person("eva", locale="es", zone="America/Mexico_City")
    bread.edit(
        by=ana, version=1, locale="es", name="Pan de masa madre", summary="Pan.", practice="Hornear.", theory="Gas."
    )
    Want.ask(by=eva, skill=bread, title="Quiero hacer pan", language="es")
    told(eva)
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread)
    told(eva)
    frozen.move_to(datetime(2026, 11, 10, 13, 59, tzinfo=UTC))
    assert told(eva) == []

    frozen.move_to(datetime(2026, 11, 10, 14, 1, tzinfo=UTC))
    (mail,) = told(eva)

    assert mail["Subject"].startswith("Pan de masa madre")


def test_nothing_new_is_no_mail_and_one_look_a_day(told, tomorrow, frozen, ben, bread):
    save(ben)
    told(ben)
    for _ in range(2):
        tomorrow()
        assert told(ben) == []

    due = database.session.scalar(sa.select(Outbox.due_at).where(Outbox.key == f"finds:{ben.id}"))
    assert due == clock.now().replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=1)


def test_running_everything_twice_changes_nothing(told, tomorrow, frozen, db, ana, ben, bread, bread_want):
    save(ben)
    told(ben)
    frozen.shift(timedelta(minutes=1))
    made = offer(ana, bread)
    told(ben)
    tomorrow()
    Outbox.put_many("news", [f"offer:{made.id}"] * 2)
    Outbox.put_at("finds", {str(ben.id): clock.now()})
    assert len(told(ben)) == 1

    Outbox.put_many("news", [f"offer:{made.id}"])
    Outbox.put_at("finds", {str(ben.id): clock.now()})
    assert told(ben) == []


def test_without_an_index_what_is_known_is_told_and_the_rest_later(
    told, tomorrow, frozen, db, ana, ben, bread, bread_want, monkeypatch
):
    save(ben, "morning")
    told(ben)
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread)
    told(ben)
    tomorrow()
    with monkeypatch.context() as broken:
        broken.setattr(alerts, "look", _unavailable)
        assert len(told(ben)) == 1
    offer(ana, bread, "Rolls in the morning")
    frozen.shift(timedelta(minutes=10))

    assert [("Rolls" in mail.get_content()) for mail in told(ben)] == [True]


def _unavailable(*_args):
    raise IndexUnavailable("gone")


def test_one_member_who_fails_holds_up_no_other(told, tomorrow, frozen, db, ana, ben, cleo, bread, monkeypatch):
    save(cleo)
    save(ben)
    told(ben)
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread)
    told(ben)
    tomorrow()
    look = alerts.look
    monkeypatch.setattr(
        alerts, "look", lambda e, search, r: look(e, search, r) if search.member_id == ben.id else 1 / 0
    )

    assert len(told(ben)) == 1


@pytest.mark.parametrize("where", ["_tell", "_look_for"])
def test_a_worker_that_dies_on_the_way_loses_nothing(told, tomorrow, frozen, ana, ben, bread, monkeypatch, where):
    save(ben)
    told(ben)
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread)
    told(ben)
    tomorrow()
    whole = getattr(jobs, where)
    with monkeypatch.context() as dying:
        dying.setattr(jobs, where, lambda member_id: (whole(member_id), 1 / 0) if where == "_look_for" else 1 / 0)
        told(ben)
    frozen.shift(timedelta(minutes=10))
    told(ben)
    tomorrow()
    told(ben)

    query = sa.select(SavedMatch.told_at).where(SavedMatch.member_id == ben.id, SavedMatch.tell_at.is_not(None))
    assert None not in database.session.scalars(query).all()
    assert len(database.session.scalars(query).all()) == 1


def test_a_mail_that_does_not_leave_is_told_later(told, tomorrow, frozen, db, ana, ben, bread, bread_want, monkeypatch):
    told(ben)
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread)
    told(ben)
    tomorrow()
    with monkeypatch.context() as broken:
        broken.setattr(mail, "backend", lambda: _refuses)
        assert told(ben) == []
    frozen.shift(timedelta(minutes=10))

    assert len(told(ben)) == 1


def _refuses(_message):
    raise OSError("no server")


def test_mails_that_may_be_stopped_say_how_and_others_do_not(told, frozen, db, mails, ana, ben, cleo, bread_want):
    bread_want.me_too(by=cleo)
    (letter,) = told(ben)

    link = letter["List-Unsubscribe"].strip("<>")
    assert letter["List-Id"] == "<me_too.localhost>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in letter.get_content()
    assert "http://localhost/settings/notices" in letter.get_content()
    assert re.fullmatch(r"http://localhost/notices/stop/[\w.-]+", link)


def test_a_kind_that_is_off_is_not_mailed(told, ben, cleo, bread_want):
    NoticeChoice.choose("me_too", OFF, by=ben)
    bread_want.me_too(by=cleo)

    assert told(ben) == []


def test_two_workers_at_once_send_one_mail(both_databases, frozen, app, db, mails, ana, ben, bread, bread_want):
    save(ben)
    db.session.commit()
    mails()
    frozen.shift(timedelta(minutes=1))
    offer(ana, bread)
    db.session.commit()
    mails()
    frozen.shift(timedelta(days=1))
    database.session.remove()
    barrier = threading.Barrier(4)
    problems = []

    def worker():
        with app.app_context():
            try:
                barrier.wait(LONGEST)
                for _ in range(3):
                    jobs.work_once("index", "news", "finds", "mail")
            except Exception as problem:
                problems.append(problem)
            finally:
                database.session.remove()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONGEST)

    assert problems == []
    sent = [m for m in mails() if "ben@" in m["To"]]
    assert [m["Subject"] for m in sent] == ["Sourdough bread: 1 thing you look for"]
