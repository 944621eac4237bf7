"""How often somebody may knock: Flask-Limiter over memory or Redis, every rate from `limits.py`, every key hashed.

Sign-in and links are counted by what was typed in, so that a known and an unknown address are slowed alike, and by
network. A dead Redis falls back to memory: never open. Tests are not slowed unless they set `app.config["RATES"]`.
"""

import contextlib
import hmac
from collections.abc import Callable
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter
from itsdangerous import BadSignature, URLSafeSerializer
from limits import parse
from werkzeug.wrappers import Response as BaseResponse

from skillshare import clock, limits
from skillshare.config import Settings
from skillshare.db import SAFE_METHODS
from skillshare.models.members import email_key

View = Callable[..., Any]

ANSWER_WITHIN_SECONDS = 0.05  # Redis; slower than that counts as dead, and memory takes over
KNOWN_FOR_SECONDS = 365 * 24 * 3600


def _who() -> str:
    """The member who asks, else the network."""
    return _hashed(f"member:{g.member.id}") if g.get("member") else network()


def _only_reads() -> bool:
    return request.method in SAFE_METHODS


limiter = Limiter(
    key_func=_who,
    application_limits=[limits.WRITE_RATE],
    application_limits_exempt_when=_only_reads,
    in_memory_fallback_enabled=True,
    swallow_errors=True,  # only what fails in memory as well
)


def start(app: Flask) -> None:
    """Count the requests of `app`, and say on a 429 when to come again."""
    settings: Settings = app.extensions["settings"]
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url or "memory://"
    if settings.redis_url:
        wait = {"socket_connect_timeout": ANSWER_WITHIN_SECONDS, "socket_timeout": ANSWER_WITHIN_SECONDS}
        app.config["RATELIMIT_STORAGE_OPTIONS"] = wait
    limiter.init_app(app)
    app.after_request(_say_when)


@limiter.request_filter
def _is_unasked_test() -> bool:
    return bool(current_app.testing and not current_app.config.get("RATES"))


def signing_in(view: View) -> View:
    """Slow down failed tries to sign in: for one account, and from one network."""
    view = limiter.shared_limit(
        limits.SIGN_IN_RATE_ACCOUNT, "sign-in", key_func=_account, methods=["POST"], deduct_when=_failed
    )(view)
    return limiter.shared_limit(
        limits.SIGN_IN_RATE_NETWORK, "sign-in-network", key_func=network, methods=["POST"], deduct_when=_failed
    )(view)


def proving(view: View) -> View:
    """Slow down failed tries of somebody signed in to say their password again."""
    return limiter.shared_limit(
        limits.SIGN_IN_RATE_ACCOUNT, "proof", key_func=_who, methods=["POST"], deduct_when=_failed
    )(view)


def mailing_links(view: View) -> View:
    """Slow down mail: to one address, and on the word of one network."""
    view = limiter.shared_limit(
        limits.MAIL_LINK_RATE_TARGET, "mail", key_func=_target, methods=["POST"], deduct_when=_worked
    )(view)
    return limiter.shared_limit(
        limits.MAIL_LINK_RATE_NETWORK, "mail-network", key_func=network, methods=["POST"], deduct_when=_worked
    )(view)


def joining(view: View) -> View:
    """Slow down joining: mail to one address, and new accounts from one network."""
    view = limiter.shared_limit(
        limits.MAIL_LINK_RATE_TARGET, "mail", key_func=_target, methods=["POST"], deduct_when=_worked
    )(view)
    return limiter.limit(limits.JOIN_RATE_NETWORK, key_func=network, methods=["POST"], deduct_when=_worked)(view)


def searching(view: View) -> View:
    """Slow down searches of one member or network, all search pages together."""
    return limiter.shared_limit(limits.SEARCH_RATE, "search", key_func=_who)(view)


def worked_out() -> None:
    """A sign-in succeeded: the failed tries for this account are forgotten."""
    if not _is_unasked_test():
        with contextlib.suppress(Exception):  # whatever a dying Redis raises: forgetting late is no harm
            limiter.limiter.clear(parse(limits.SIGN_IN_RATE_ACCOUNT), _account(), "sign-in")


def know_device(response: BaseResponse) -> BaseResponse:
    """Remember on this device which account was opened, so that a stranger's wrong tries do not lock its owner out."""
    response.set_cookie(
        _device_cookie(),
        _serializer().dumps(_target()),
        max_age=KNOWN_FOR_SECONDS,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


def network() -> str:
    """The network that asks, hashed: an IPv4 address to its /24, an IPv6 address to its /64."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return _hashed("network:unknown")
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    bits = 24 if address.version == 4 else 64
    return _hashed(f"network:{ip_network((address, bits), strict=False)}")


def _target() -> str:
    """What was typed in as address or handle, known here or not; a member's own address where nothing was asked."""
    typed = request.form.get("email") or request.form.get("who") or (g.member.email if g.member else "")
    return _hashed(f"target:{email_key(typed)}")


def _account() -> str:
    target = _target()
    return f"{target}:known" if _device_knows(target) else target


def _device_knows(target: str) -> bool:
    try:
        return bool(_serializer().loads(request.cookies.get(_device_cookie(), "")) == target)
    except BadSignature:
        return False


def _serializer() -> URLSafeSerializer:
    keys = [*reversed(current_app.config["SECRET_KEY_FALLBACKS"]), current_app.config["SECRET_KEY"]]
    return URLSafeSerializer(keys, salt="device")


def _device_cookie() -> str:
    return "__Host-device" if current_app.config["SESSION_COOKIE_SECURE"] else "device"


def _hashed(key: str) -> str:
    return hmac.new(current_app.config["SECRET_KEY"].encode(), key.encode(), sha256).hexdigest()[:32]


def _failed(response: Response) -> bool:
    return response.status_code == 422


def _worked(response: Response) -> bool:
    return response.status_code == 303


def _say_when(response: Response) -> Response:
    if response.status_code == 429 and limiter.current_limit is not None:
        left = ceil(limiter.current_limit.reset_at - clock.now().timestamp())  # reset_at may be a second late
        response.headers["Retry-After"] = str(min(max(1, left), limiter.current_limit.limit.get_expiry()))
    return response
