"""Mail: composed from `templates/mail/` in the reader's language, handed to a file or to SMTP.

Whether the reader may still be told is asked at sending. Not here: when to send (`jobs.py`).
"""

import re
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from flask import current_app, render_template
from flask_babel import force_locale
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import joinedload

from . import clock, i18n
from .config import Settings
from .db import db
from .models.listings import Offer, Want
from .models.log import Answer, LogEntry
from .models.members import Member
from .models.notices import FINDS, KIND_OF_MAIL, Channel, NoticeChoice
from .models.outbox import Outbox
from .models.seats import Registration
from .models.sessions import SkillSession
from .models.teachbacks import TeachBack
from .models.visibility import Viewer
from .search.alerts import News, news_for
from .search.asking import Reader, Shelves

UNFOLDED = EmailPolicy(max_line_length=990)
"""Addresses in headers stay whole; 998 is what a line may have."""

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


def _finds(member: Member, _id: int) -> News | None:
    return news_for(reader_of(member))


# What a mail is about, found through the person: None when they may not see it (any more), and nothing is sent.
SUBJECTS: dict[str, Callable[[Member, int], Any]] = {
    "log_entry": _log_entry,
    "teach_back": _teach_back,
    "skill_session": _session,
    "registration": _registration,
    "want": _want,
    "offer": _offer,
    FINDS: _finds,
}


@dataclass(frozen=True)
class Link:
    """Makes the addresses in mails: always from BASE_URL, never from a request."""

    base_url: str

    def __call__(self, endpoint: str, **values: object) -> str:
        """The full address of a page."""
        adapter = current_app.url_map.bind(urlsplit(self.base_url).netloc)
        return self.base_url + adapter.build(endpoint, values)


def reader_of(member: Member) -> Reader:
    """A member as one who reads, when nobody is looking."""
    return Reader(
        viewer=Viewer(member, _settings().site_mode),
        locale=member.locale,
        zone=member.zone,
        languages={code: i18n.own_name(code) for code in i18n.locales()},
        shelves=Shelves.load(member.locale, member.area_id),
        home_zone=_settings().default_zone,
    )


def send(row: Outbox) -> None:
    """Compose and hand over the mail of an outbox row; drop it when its subject is gone. OSError: try again."""
    message, about = _composed(row)
    if message is not None:
        backend()(message)
    if isinstance(about, News):
        about.settle()


def compose(row: Outbox) -> EmailMessage | None:
    """The message of a row as things are now, or None when it should not be sent any more."""
    return _composed(row)[0]


def _composed(row: Outbox) -> tuple[EmailMessage | None, Any]:
    payload = row.payload
    member = db.session.get(Member, payload["member_id"]) if payload.get("member_id") else None
    address = member.email if member else payload.get("email")
    if address is None:
        return None, None
    about = None
    if member and payload.get("about"):
        table, _, id_ = payload["about"].partition(":")
        about = SUBJECTS[table](member, int(id_)) if member.is_active else None
        if about is None or not _still_true(payload["kind"], member, about):
            return None, about
    locale = member.locale if member else payload.get("locale", current_app.config["DEFAULT_LOCALE"])
    kind = KIND_OF_MAIL.get(payload["kind"]) if member else None
    stop = stop_link(kind, member.id) if kind and member else None
    with force_locale(locale):
        text = render_template(
            f"mail/{payload['kind']}.txt",
            member=member,
            about=about,
            viewer=Viewer(member, _settings().site_mode),
            link=_link(),
            stop_link=stop_link,
            site_name=_settings().site_name,
            payload=payload,
            locale=locale,
        )
        if stop:
            text = f"{text.strip()}\n\n" + render_template("mail/_stop.txt", kind=kind, stop=stop, link=_link())
    return _message(row, member.name if member else "", address, text, kind, stop), about


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _link() -> Link:
    return Link(_settings().base_url)


def stop_link(what: str, whose: str | int) -> str:
    """The address at which who has it may stop one kind of mail to one member, or (`search`) the mails of one search.

    It opens and says nothing else, and holds for as long as the key of this instance.
    """
    return _link()("notices.stop", token=_signer().dumps([what, whose]))


def to_be_stopped(token: str) -> tuple[str, str | int] | None:
    """What the address was made for; None where it was not made here."""
    try:
        what, whose = _signer().loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    return what, whose


def _signer() -> URLSafeSerializer:
    keys = [*reversed(current_app.config["SECRET_KEY_FALLBACKS"]), current_app.config["SECRET_KEY"]]
    return URLSafeSerializer(keys, salt="stop")


def _still_true(kind: str, member: Member, about: Any) -> bool:
    """A question already answered is not asked again, nor is anything told that its reader switched off."""
    if isinstance(about, News):
        return bool(about.groups)
    if kind in KIND_OF_MAIL and NoticeChoice.of(member)[KIND_OF_MAIL[kind]] is Channel.OFF:
        return False
    if kind == "agree_to_log" and isinstance(about, LogEntry):
        return about.answer_of(member) is Answer.NONE
    if kind == "asked_to_witness" and isinstance(about, TeachBack):
        return about.can_witness(member)
    if kind == "place_offered" and isinstance(about, Registration):
        return about.is_offered
    return True


def _message(row: Outbox, name: str, address: str, text: str, kind: str | None, stop: str | None) -> EmailMessage:
    sender, site_name = _settings().mail_from, _settings().site_name
    subject, _, body = text.strip().partition("\n")
    message = EmailMessage(policy=UNFOLDED)
    message["Subject"] = clean(subject.removeprefix("Subject:"))[:200]
    message["From"] = _address(site_name, sender)
    message["To"] = _address(name, address)
    message["Date"] = format_datetime(clock.now())
    stable = sha256(f"{row.key}:{row.id}:{row.created_at.isoformat()}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{stable}@{sender.rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    if stop:  # RFC 8058: mail programs show a button that sends a POST
        message["List-Id"] = f"<{kind}.{urlsplit(_settings().base_url).hostname}>"
        message["List-Unsubscribe"] = f"<{stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
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
    settings = _settings()
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
