"""Forms of an account: signing in, joining, links by mail, a new password."""

from collections.abc import Sequence
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import BooleanField, Field, PasswordField, SelectField
from wtforms.validators import ValidationError
from wtforms.widgets import EmailInput

from skillshare import limits, passwords

from .base import Form, Line, Needed, UpTo, one_line

EMAIL_LABEL = lazy_gettext("E-mail")


class EmailAddress(Line):
    """An e-mail address, in the form in which it is kept (a domain in other letters as its ASCII form)."""

    widget = EmailInput()

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was sent, cleaned."""
        super().process_formdata(valuelist)
        self.data = address(self.data or "") or self.data

    def pre_validate(self, form: Any) -> None:
        """Refuse what no mail can be sent to."""
        if self.data and address(self.data) is None:
            raise ValidationError(_("This does not look like an e-mail address, such as ana@example.org."))


class Password(PasswordField):
    """A password as typed, composed (NFC) and otherwise untouched; never sent back to the page."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was sent."""
        self.data = passwords.composed(valuelist[0]) if valuelist else ""


class SignInForm(Form):
    """Handle or address, and password."""

    who = Line(lazy_gettext("E-mail or handle"), [Needed(), UpTo(limits.EMAIL)])
    password = Password(lazy_gettext("Password"), [Needed(), UpTo(limits.PASSWORD_MAX)])

    def validate_who(self, field: Field) -> None:
        """Bring an address into the form in which it is kept."""
        field.data = address(field.data) or field.data


class AddressForm(Form):
    """Where to send a link."""

    email = EmailAddress(EMAIL_LABEL, [Needed(), UpTo(limits.EMAIL)])


class NewPasswordForm(Form):
    """A new password of somebody whose handle and address are among `words`."""

    password = Password(lazy_gettext("New password"), [Needed()])

    def __init__(self, *args: Any, least: int, words: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.least, self.words = least, words

    def validate_password(self, field: Field) -> None:
        """Refuse a password that would be guessed."""
        check_password(field, self.words, self.least)


class ChangePasswordForm(NewPasswordForm):
    """A new password, by somebody who knows the old one."""

    current = Password(lazy_gettext("The password you have now"), [Needed(), UpTo(limits.PASSWORD_MAX)])


class JoinForm(Form):
    """What a newcomer says."""

    name = Line(
        lazy_gettext("Name"),
        [Needed(), UpTo(limits.NAME)],
        description=lazy_gettext(
            "What people call you. Only those you have met here see it, unless you say otherwise."
        ),
    )
    handle = Line(
        lazy_gettext("Handle"),
        [Needed(), UpTo(limits.HANDLE_MAX)],
        description=lazy_gettext("What everybody here sees. It may be a nickname: small letters, digits and _."),
    )
    email = EmailAddress(
        EMAIL_LABEL, [Needed(), UpTo(limits.EMAIL)], description=lazy_gettext("Nobody else here ever sees it.")
    )
    password = Password(lazy_gettext("Password"))
    locale = SelectField(lazy_gettext("Language"))
    zone = SelectField(lazy_gettext("Time zone"))
    is_adult = BooleanField(lazy_gettext("I am 18 or older."), [Needed()])
    keeps_rules = BooleanField(lazy_gettext("I have read the house rules and will keep them."), [Needed()])

    def __init__(self, *args: Any, least: int, words: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.least, self.words = least, words

    def validate_is_adult(self, field: Field) -> None:
        """Adults only."""
        if not field.data:
            raise ValidationError(_("This place is for adults. Tick this if you are one."))

    def validate_keeps_rules(self, field: Field) -> None:
        """Everybody who joins says yes to them."""
        if not field.data:
            raise ValidationError(_("Read the house rules, they are ten lines, and tick this."))

    def validate_handle(self, field: Field) -> None:
        """Capitals are small letters here."""
        field.data = field.data.lower().removeprefix("@")

    def validate_password(self, field: Field) -> None:
        """None is fine; one that would be guessed is not."""
        if field.data:
            words = [*self.words, self.handle.data or "", *telling_parts(self.email.data or "")]
            check_password(field, words, self.least)

    def asked(self) -> dict[str, Any]:
        """What is kept of it; the password goes hashed, by another way."""
        return {field: self[field].data for field in ("name", "handle", "email", "locale", "zone")}


def address(text: str) -> str | None:
    """`text` as an address that mail can be sent to, None when it is none. No network is asked."""
    try:
        found = validate_email(one_line(text), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return None
    return found.ascii_email


def telling_parts(email: str) -> list[str]:
    """The parts of an address that a password must not hold."""
    return [email, email.partition("@")[0]]


def check_password(field: Field, words: Sequence[str], least: int) -> None:
    """Raise ValidationError with why the password in `field` will not do."""
    trouble = passwords.trouble_with(field.data or "", words, least)
    if trouble:
        raise ValidationError(trouble)
