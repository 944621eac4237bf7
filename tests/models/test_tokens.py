"""Secrets: kept as hashes, good once, for one purpose and for a while."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from skillshare import limits
from skillshare.models.members import MemberState
from skillshare.models.tokens import LASTS, Purpose, SignIn, Token


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_is_found_by_its_secret_and_used_once(db, ana, purpose):
    secret = Token.issue(ana, purpose)
    db.session.flush()

    assert Token.find(secret, purpose).use() is ana
    db.session.flush()
    assert Token.find(secret, purpose) is None


def test_only_the_hash_of_at_least_128_bits_is_kept(db, ana):
    secret = Token.issue(ana, Purpose.RESET)
    _row, cookie = SignIn.start(ana, "Test")
    db.session.flush()

    kept = " ".join(str(value) for table in (Token, SignIn) for row in all_of(db, table) for value in row)
    assert len(secret) >= 128 / 6
    assert secret not in kept
    assert cookie not in kept


def all_of(db, model):
    return db.session.execute(sa.select(*model.__table__.columns)).all()


def test_a_token_for_one_purpose_is_none_for_another(db, ana):
    secret = Token.issue(ana, Purpose.CONFIRM)
    db.session.flush()

    assert Token.find(secret, Purpose.RESET) is None


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_ends_when_its_time_is_over(db, frozen, ana, purpose):
    secret = Token.issue(ana, purpose)
    db.session.flush()

    frozen.shift(LASTS[purpose] - timedelta(seconds=1))
    assert Token.find(secret, purpose) is not None
    frozen.shift(timedelta(seconds=1))
    assert Token.find(secret, purpose) is None


def test_a_newer_token_ends_the_older_of_its_purpose_only(db, ana, ben):
    older, other = Token.issue(ana, Purpose.RESET), Token.issue(ana, Purpose.SIGN_IN)
    bens = Token.issue(ben, Purpose.RESET)
    db.session.flush()

    newer = Token.issue(ana, Purpose.RESET)
    db.session.flush()

    assert Token.find(older, Purpose.RESET) is None
    assert Token.find(newer, Purpose.RESET) is not None
    assert Token.find(other, Purpose.SIGN_IN) is not None
    assert Token.find(bens, Purpose.RESET).member is ben


@pytest.mark.parametrize("secret", ["", "x", "x" * 5000, "\ud800", "' OR 1=1 --"])
def test_nonsense_finds_nothing(db, ana, secret):
    Token.issue(ana, Purpose.RESET)
    db.session.flush()

    assert Token.find(secret, Purpose.RESET) is None
    assert SignIn.find(secret) is None


def test_a_sign_in_is_found_until_it_is_ended(db, ana):
    row, secret = SignIn.start(ana, "Test")
    db.session.flush()
    assert SignIn.find(secret).member is ana

    db.session.delete(row)
    db.session.flush()

    assert SignIn.find(secret) is None


def test_a_sign_in_lasts_thirty_days_and_not_before_it_began(db, frozen, ana):
    _row, secret = SignIn.start(ana, "Test")
    db.session.flush()

    frozen.shift(limits.SIGN_IN_WHOLE - timedelta(seconds=1))
    assert SignIn.find(secret) is not None
    frozen.shift(timedelta(seconds=1))
    assert SignIn.find(secret) is None
    frozen.shift(-limits.SIGN_IN_WHOLE - timedelta(days=1))
    assert SignIn.find(secret) is None


def test_who_is_not_active_is_signed_in_nowhere(db, ana):
    _row, secret = SignIn.start(ana, "Test")
    ana.state = MemberState.CLOSED
    db.session.flush()

    assert SignIn.find(secret) is None


def test_signing_out_everywhere_leaves_the_others_alone(db, ana, ben):
    here, mine = SignIn.start(ana, "Here")
    _there, elsewhere = SignIn.start(ana, "There")
    _bens, bens = SignIn.start(ben, "Ben's")

    SignIn.end_all(ana, but=here)

    assert SignIn.find(mine) is not None
    assert SignIn.find(elsewhere) is None
    assert SignIn.find(bens) is not None
