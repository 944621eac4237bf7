"""Coming in: joining, links by mail, passwords. What an address is answered never says whether it has an account.

The truth goes by mail only: every question here ends in one mail, to a member or to somebody who is none.
Passwords come hashed: hashing takes its time and is done before the transaction.
"""

import sqlalchemy as sa

from skillshare import i18n
from skillshare.db import db

from .members import Member, MemberState, check_handle, email_key
from .notices import mail_secret
from .outbox import Outbox
from .tokens import Purpose, SignIn, Token, hash_of


def ask_to_join(*, handle: str, name: str, email: str, locale: str, zone: str, password_hash: str | None) -> str:
    """Begin to join, until the mailed link is opened; a known address is mailed a way in instead.

    Gives the hash of the mailed secret. Raises `RuleBroken` on `handle` alike for known and unknown addresses.
    """
    member = Member.by_email(email)
    if member is not None and member.state is not MemberState.UNCONFIRMED:
        check_handle(handle)
        return _mail_way_in(member)
    try:
        with db.session.begin_nested():
            said = {"handle": handle, "name": name, "locale": locale, "zone": zone, "password_hash": password_hash}
            if member is None:
                member = Member.join(email=email, **said)  # type: ignore[arg-type]
            else:
                member.join_again(**said)  # type: ignore[arg-type]
            db.session.flush()
    except sa.exc.IntegrityError:  # the same handle or address came in in the same moment: now it is known
        return ask_to_join(handle=handle, name=name, email=email, locale=locale, zone=zone, password_hash=password_hash)
    return mail_confirmation(member)


def mail_confirmation(member: Member) -> str:
    """Ask `member`, by mail, whether the address is theirs. Gives the hash of the mailed secret."""
    secret = Token.issue(member, Purpose.CONFIRM)
    mail_secret(member, "confirm", secret)
    return hash_of(secret)


def confirm(token: Token, *, asked_with: str | None) -> Member:
    """The address is theirs and the account open. `asked_with` is the hash that the joining browser kept.

    On another device the password is set aside: somebody else might have joined with this address and chosen it.
    """
    if token.hash != asked_with:
        token.member.password_hash = None
    member = token.use()
    member.confirm()
    return member


def mail_link(*, email: str, purpose: Purpose, locale: str) -> None:
    """Mail a link to sign in or to choose a new password; who has no account is told so, by mail, in `locale`."""
    member = Member.by_email(email)
    if member is None or member.state is MemberState.CLOSED:
        _tell_nobody(email, locale)
    elif member.state is MemberState.UNCONFIRMED:
        mail_confirmation(member)
    else:
        mail_secret(member, purpose.value, Token.issue(member, purpose))


def set_password(member: Member, password_hash: str, but: SignIn | None = None) -> None:
    """A new password: all mailed links and all other sign-ins (except `but`) end, and a mail says so."""
    member.password_hash = password_hash
    Token.end(member)
    SignIn.end_all(member, but)
    Outbox.put("mail", f"password_changed:{member.id}", {"kind": "password_changed", "member_id": member.id})


def _mail_way_in(member: Member) -> str:
    if member.state is MemberState.CLOSED:
        _tell_nobody(member.email, i18n.current_locale())
        return ""
    secret = Token.issue(member, Purpose.SIGN_IN)
    mail_secret(member, "already_member", secret)
    return hash_of(secret)


def _tell_nobody(email: str, locale: str) -> None:
    key = hash_of(email_key(email))
    Outbox.put("mail", f"no_account:{key}", {"kind": "no_account", "email": email, "locale": locale})
