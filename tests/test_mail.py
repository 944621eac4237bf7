"""Mail: composed for its reader as things are now, cleaned, and handed on exactly as said (R-08, R-80, R-81, R-83)."""

import socket
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from skillshare import clock, jobs, limits, mail
from skillshare.models.blocking import block
from skillshare.models.log import LogEntry, Said
from skillshare.models.notices import mail_secret
from skillshare.models.outbox import Outbox
from skillshare.models.sessions import PartKind
from tests.conftest import person


@pytest.fixture
def entry(db, ana, ben, bread):
    """Ben wrote down that Ana showed him bread; Ana is asked."""
    said = [Said(ana, bread, PartKind.SHOWS), Said(ben, bread, PartKind.LEARNS)]
    entry = LogEntry.write(by=ben, happened_on=clock.today("UTC"), said=said, practice_minutes=40, theory_minutes=20)
    db.session.commit()
    return entry


class Inbox:
    """An SMTP server that keeps what it takes, and refuses as it is told."""

    def __init__(self):
        self.messages, self.refusal = [], None

    async def handle_DATA(self, _server, _session, envelope):
        if self.refusal:
            return self.refusal
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def inbox():
    """A mail server on this machine."""
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    inbox.url = f"smtp://127.0.0.1:{port}"
    yield inbox
    controller.stop()


def rows(db):
    return db.session.scalars(sa.select(Outbox).where(Outbox.kind == "mail")).all()


def test_a_question_is_mailed_once_to_the_one_asked(entry, mails):
    sent = mails()
    again = mails()

    assert [mail["To"] for mail in sent] == ["Ana <ana@example.org>"]
    assert len(again) == len(sent)


def test_what_is_rolled_back_is_not_mailed(db, entry, mails, cleo):
    db.session.commit()
    mails()
    mail_secret(cleo, "sign_in", "secret")
    db.session.rollback()

    assert all(mail["To"] != "Cleo <cleo@example.org>" for mail in mails())


def test_a_question_answered_meanwhile_is_not_asked(db, entry, ana, mails):
    entry.agree(by=ana)
    db.session.commit()

    assert [mail["To"] for mail in mails() if "ana@" in mail["To"]] == []


def test_after_a_block_neither_is_mailed_about_the_others_session(db, ana, ben, bread_session, mails):
    from_ben = mails()
    block(ana, ben)
    db.session.commit()

    assert [mail for mail in mails()[len(from_ben) :] if "Ana" in mail.get_content() and "ben@" in mail["To"]] == []


def test_mail_is_in_the_language_of_its_reader(db, bread, ben, mails):
    eva = person("eva", locale="es")
    said = [Said(eva, bread, PartKind.SHOWS), Said(ben, bread, PartKind.LEARNS)]
    LogEntry.write(by=ben, happened_on=clock.today("UTC"), said=said, practice_minutes=40, theory_minutes=20)
    db.session.commit()

    (mail,) = mails()

    assert "http://localhost/log/" in mail.get_content()
    assert "confirm" in mail.get_content().lower()
    assert "agree" not in mail.get_content().lower()


@pytest.mark.parametrize("name", ["A\r\nBcc: e@example.com", "A, B <x@example.com>", "N\x00\x0b\u2028L", "“Ñandú” 🍞"])
def test_no_name_adds_a_header_or_a_reader(db, ben, mails, name):
    ben.name = name[: limits.NAME]
    mail_secret(ben, "sign_in", "secret")
    db.session.commit()

    (mail,) = mails()

    assert [address.addr_spec for address in mail["To"].addresses] == ["ben@example.org"]
    assert mail["Bcc"] is None


def test_smtp_takes_it_and_it_is_gone(app, db, entry, inbox, monkeypatch):
    monkeypatch.setattr("skillshare.mail.backend", lambda: lambda message: mail_to(message, inbox))
    jobs.work_once("mail")

    assert [mail["To"] for mail in inbox.messages] == ["Ana <ana@example.org>"]
    assert rows(db) == []


def test_smtp_refuses_and_it_is_tried_again_with_the_same_id(app, db, entry, inbox, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "skillshare.mail.backend",
        lambda: lambda message: (seen.append(message["Message-ID"]), mail_to(message, inbox)),
    )
    inbox.refusal = "451 try later"
    jobs.work_once("mail")
    (row,) = rows(db)
    assert row.due_at > clock.now()
    row.due_at = clock.now()
    db.session.commit()
    inbox.refusal = None
    jobs.work_once("mail")

    assert len(inbox.messages) == 1
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_one_that_cannot_be_composed_holds_up_no_other(db, entry, ana, mails):
    Outbox.put("mail", "bad", {"kind": "no_such_kind", "member_id": ana.id}, due_at=clock.now() - timedelta(hours=1))
    db.session.commit()

    assert [mail["To"] for mail in mails()] == ["Ana <ana@example.org>"]
    assert [row.key for row in rows(db)] == ["mail:bad"]


def test_it_is_not_tried_for_ever(app, db, entry, inbox, monkeypatch):
    monkeypatch.setattr("skillshare.mail.backend", lambda: lambda message: mail_to(message, inbox))
    inbox.refusal = "451 try later"
    (row,) = rows(db)
    row.created_at = clock.now() - limits.MAIL_KEPT_TRYING - timedelta(minutes=1)
    db.session.commit()
    jobs.work_once("mail")

    assert rows(db) == []


def mail_to(message, inbox):
    mail.to_smtp(message, inbox.url, "localhost")
