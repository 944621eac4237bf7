"""Members: joining, handles, confirming, what they say of themselves; and the answers that tell nobody anything."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from skillshare.errors import EditConflict, RuleBroken
from skillshare.models import accounts
from skillshare.models.members import Member, MemberState, NameSeenBy, SeenAs
from skillshare.models.outbox import Outbox
from skillshare.models.tokens import Purpose, SignIn, Token
from tests.conftest import person

ASKED = {"handle": "eva", "name": "Eva", "locale": "en", "zone": "UTC", "password_hash": None}


def kinds(db):
    """What mail waits, by kind."""
    return [row.payload["kind"] for row in db.session.scalars(sa.select(Outbox).where(Outbox.kind == "mail"))]


def test_who_joins_may_act_once_the_address_is_theirs(db):
    member = Member.join(handle="eva", name="Eva", email="Eva@Example.org ", locale="en", zone="UTC")
    assert not member.is_active

    member.confirm()
    first = member.email_verified_at
    member.confirm()

    assert member.is_active
    assert member.email_verified_at == first
    db.session.flush()
    assert Member.by_email(" EVA@example.org") is member


def test_a_closed_account_is_not_opened_by_confirming(db, ana):
    ana.state = MemberState.CLOSED

    ana.confirm()

    assert ana.state is MemberState.CLOSED


@pytest.mark.parametrize(
    "handle",
    [
        "ab",
        "a" * 31,
        "Ana",
        "a b c",
        "añil",
        "аna",
        "a-b-c",
        "ana\u202e",
        "",
        "ana\n",
        "admin",
        "adm1n",
        "m0derator",
        "stew_ard",
        "te4m!",
    ],
)
def test_a_handle_is_plain_free_and_no_officials_twin(db, handle):
    with pytest.raises(RuleBroken) as refusal:
        Member.join(handle=handle, name="X", email="x@example.org", locale="en", zone="UTC")

    assert refusal.value.field == "handle"


@pytest.mark.parametrize("twin", ["ana_lopez", "anal0pez", "ana_l0pez_", "ana1opez", "anaiopez"])
def test_a_handle_is_nobodys_twin(db, twin):
    person("ana_lopez")

    with pytest.raises(RuleBroken, match="looks like it"):
        Member.join(handle=twin, name="X", email="x@example.org", locale="en", zone="UTC")


@pytest.mark.parametrize(("said", "found"), [("ana", True), ("ANA ", True), ("ana@example.org", True), ("an", False)])
def test_somebody_is_found_by_address_or_handle(ana, said, found):
    assert (Member.by_address_or_handle(said) is ana) is found


def test_asking_to_join_mails_a_link(db):
    kept = accounts.ask_to_join(email="eva@example.org", **ASKED)

    token = db.session.scalars(sa.select(Token)).one()
    assert (token.purpose, token.hash) == (Purpose.CONFIRM, kept)
    assert kinds(db) == ["confirm"]


def test_asking_to_join_with_a_known_address_mails_a_way_in(db, ana):
    accounts.ask_to_join(email="ana@example.org", **ASKED)

    assert kinds(db) == ["already_member"]
    assert db.session.scalars(sa.select(Token)).one().purpose is Purpose.SIGN_IN


def test_asking_again_before_the_link_was_opened_keeps_the_last_word(db):
    accounts.ask_to_join(email="eva@example.org", **ASKED)
    accounts.ask_to_join(email="EVA@example.org", **{**ASKED, "name": "Eva Maria", "handle": "evamaria"})

    member = db.session.scalars(sa.select(Member)).one()
    assert (member.name, member.handle) == ("Eva Maria", "evamaria")
    assert kinds(db) == ["confirm"]
    with pytest.raises(RuleBroken):
        Member.join(handle="eva_maria", name="X", email="x@example.org", locale="en", zone="UTC")


def test_a_password_somebody_else_chose_is_not_kept(db):
    accounts.ask_to_join(email="eva@example.org", **{**ASKED, "password_hash": "theirs"})
    token = db.session.scalars(sa.select(Token).options(selectinload(Token.member))).one()

    member = accounts.confirm(token, asked_with=None)

    assert member.is_active
    assert member.password_hash is None


def test_the_password_of_the_same_browser_is_kept(db):
    kept = accounts.ask_to_join(email="eva@example.org", **{**ASKED, "password_hash": "mine"})
    token = db.session.scalars(sa.select(Token).options(selectinload(Token.member))).one()

    assert accounts.confirm(token, asked_with=kept).password_hash == "mine"


@pytest.mark.parametrize("purpose", [Purpose.SIGN_IN, Purpose.RESET])
def test_a_link_is_mailed_to_members_and_a_plain_word_to_others(db, ana, ben, cleo, purpose):
    ben.state, cleo.state = MemberState.UNCONFIRMED, MemberState.CLOSED
    db.session.flush()

    for name in ("ana", "ben", "cleo", "nobody"):
        accounts.mail_link(email=f"{name}@example.org", purpose=purpose, locale="en")

    assert kinds(db) == [purpose.value, "confirm", "no_account", "no_account"]


def test_a_new_password_ends_links_and_sign_ins_and_is_told(db, ana):
    here, mine = SignIn.start(ana, "Here")
    _there, elsewhere = SignIn.start(ana, "There")
    link = Token.issue(ana, Purpose.SIGN_IN)
    db.session.flush()

    accounts.set_password(ana, "new", but=here)

    assert SignIn.find(mine) is not None
    assert SignIn.find(elsewhere) is None
    assert Token.find(link, Purpose.SIGN_IN) is None
    assert kinds(db) == ["password_changed"]


def whole(db, member):
    query = sa.select(Member).where(Member.id == member.id).options(selectinload(Member.languages))
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def said(**changes):
    return {
        "version": 1,
        "name": "Ana",
        "pronouns": "",
        "about": "",
        "area": None,
        "locale": "es",
        "zone": "Europe/Madrid",
        "seen_as": SeenAs.COMMUNITY,
        "name_seen_by": NameSeenBy.PARTNERS,
        "languages": ["es"],
        **changes,
    }


def test_languages_come_and_go_each_once(db, ana):
    ana = whole(db, ana)

    ana.edit(**said(languages=["es", "en", "es"]))
    db.session.flush()
    ana.edit(**said(version=2, languages=["en", "eu"]))
    db.session.flush()

    assert [row.code for row in whole(db, ana).languages] == ["en", "eu"]


def test_what_was_saved_meanwhile_is_not_lost(db, ana):
    ana = whole(db, ana)
    ana.edit(**said(about="First"))

    with pytest.raises(EditConflict):
        ana.edit(**said(about="Second"))

    assert ana.about == "First"
