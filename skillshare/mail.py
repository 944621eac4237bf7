"""Mail: composed from `templates/mail/` in the reader's language, handed to a file or to SMTP.

Whether the reader may still be told is asked at sending. Not here: when to send (`jobs.py`).
"""

import re
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from flask import current_app, render_template
from flask_babel import force_locale
from sqlalchemy.orm import joinedload

from . import clock
from .db import Base, db
from .models.listings import Offer, Want
from .models.log import Answer, LogEntry
from .models.members import Member
from .models.outbox import Outbox
from .models.seats import Registration
from .models.sessions import SkillSession
from .models.teachbacks import TeachBack
from .models.visibility import Viewer

CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def _log_entry(member: Member, id_: int) -> LogEntry | None:
    return db.session.scalar(LogEntry.in_it(member).where(LogEntry.id == id_))


def _teach_back(member: Member, id_: int) -> TeachBack | None:
    return db.session.scalar(TeachBack.visible_to(member).where(TeachBack.id == id_))


def _session(member: Member, id_: int) -> SkillSession | None:
    return db.session.scalar(
        SkillSession.visible_to(Viewer(member)).where(SkillSession.id == id_).options(*SkillSession.whole())
    )


def _registration(member: Member, id_: int) -> Registration | None:
    return db.session.scalar(
        sa.select(Registration)
        .where(Registration.id == id_, Registration.member_id == member.id)
        .options(joinedload(Registration.skill_session).options(*SkillSession.whole()))
    )


def _want(member: Member, id_: int) -> Want | None:
    return db.session.scalar(Want.of(member).where(Want.id == id_))


def _offer(member: Member, id_: int) -> Offer | None:
    return db.session.scalar(Offer.visible_to(Viewer(member)).where(Offer.id == id_))


# What a mail is about, found through the person: None when they may not see it (any more), and nothing is sent.
SUBJECTS: dict[str, Callable[[Member, int], Base | None]] = {
    "log_entry": _log_entry,
    "teach_back": _teach_back,
    "skill_session": _session,
    "registration": _registration,
    "want": _want,
    "offer": _offer,
}


@dataclass(frozen=True)
class Link:
    """Makes the addresses in mails: always from BASE_URL, never from a request."""

    base_url: str

    def __call__(self, endpoint: str, **values: object) -> str:
        """The full address of a page."""
        adapter = current_app.url_map.bind(urlsplit(self.base_url).netloc)
        return self.base_url + adapter.build(endpoint, values)


def send(row: Outbox) -> None:
    """Compose and hand over the mail of an outbox row; drop it when its subject is gone. OSError: try again."""
    message = compose(row)
    if message is not None:
        backend()(message)


def compose(row: Outbox) -> EmailMessage | None:
    """The message of a row as things are now, or None when it should not be sent any more."""
    payload = row.payload
    member = db.session.get(Member, payload["member_id"]) if payload.get("member_id") else None
    address = member.email if member else payload.get("email")
    if address is None:
        return None
    about = None
    if member and payload.get("about"):
        table, _, id_ = payload["about"].partition(":")
        about = SUBJECTS[table](member, int(id_))
        if about is None or not member.is_active or not _still_true(payload["kind"], member, about):
            return None
    locale = member.locale if member else payload.get("locale", current_app.config["DEFAULT_LOCALE"])
    settings = current_app.extensions["settings"]
    with force_locale(locale):
        text = render_template(
            f"mail/{payload['kind']}.txt",
            member=member,
            about=about,
            viewer=Viewer(member, settings.site_mode),
            link=Link(settings.base_url),
            site_name=settings.site_name,
            payload=payload,
            locale=locale,
        )
    return _message(row, member.name if member else "", address, text, settings.mail_from, settings.site_name)


def _still_true(kind: str, member: Member, about: Base) -> bool:
    """A question already answered is not asked again."""
    if kind == "agree_to_log" and isinstance(about, LogEntry):
        return about.answer_of(member) is Answer.NONE
    if kind == "asked_to_witness" and isinstance(about, TeachBack):
        return about.can_witness(member)
    if kind == "place_offered" and isinstance(about, Registration):
        return about.is_offered
    return True


def _message(row: Outbox, name: str, address: str, text: str, sender: str, site_name: str) -> EmailMessage:
    subject, _, body = text.strip().partition("\n")
    message = EmailMessage()
    message["Subject"] = clean(subject.removeprefix("Subject:"))[:200]
    message["From"] = _address(site_name, sender)
    message["To"] = _address(name, address)
    message["Date"] = format_datetime(clock.now())
    stable = sha256(f"{row.key}:{row.id}:{row.created_at.isoformat()}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{stable}@{sender.rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body.strip() + "\n")
    return message


def clean(text: str) -> str:
    """Text fit for a header: no control characters or line ends, which `EmailMessage` refuses."""
    return CONTROL.sub(" ", text).strip()


def _address(name: str, address: str) -> Address:
    user, _, domain = address.rpartition("@")
    return Address(display_name=clean(name)[:60], username=user, domain=domain)


def backend() -> Callable[[EmailMessage], None]:
    """How mail leaves: `file` (the default) or `smtp://user:password@host:587`, `smtps://…`."""
    settings = current_app.extensions["settings"]
    if settings.mail_url == "file":
        return lambda message: to_file(message, settings.data_dir / "mail")
    known_as = urlsplit(settings.base_url).hostname or "localhost"
    return lambda message: to_smtp(message, settings.mail_url, known_as)


def to_file(message: EmailMessage, folder: Path) -> None:
    """Write `message` into `folder` as one `.eml` file, named so that a listing is in order of time."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = message["Message-ID"].strip("<>").split("@")[0]
    path = folder / f"{clock.now():%Y%m%dT%H%M%S%f}-{name}.eml"
    part = path.with_suffix(".part")
    part.write_bytes(message.as_bytes())
    part.replace(path)


def to_smtp(message: EmailMessage, url: str, known_as: str) -> None:
    """Hand `message` to the server at `url`, to which we say that we are `known_as`; TLS except on this machine.

    Raises OSError or SMTPException.
    """
    to = urlsplit(url)
    host = to.hostname or "localhost"
    kind = smtplib.SMTP_SSL if to.scheme == "smtps" else smtplib.SMTP
    with kind(host, to.port or 0, known_as, timeout=20) as server:
        if to.scheme != "smtps" and host not in ("localhost", "127.0.0.1", "::1"):
            server.starttls()
        if to.username:
            server.login(unquote(to.username), unquote(to.password or ""))
        server.send_message(message)
