"""The one clock. Everything that asks for the time asks here, so that it can be stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_stopped: ContextVar[datetime | None] = ContextVar("stopped", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC; inside `stopped_at`, the moment given there."""
    return _stopped.get() or datetime.now(UTC)


def today(zone: str) -> date:
    """The date that people in `zone` have on their calendar now."""
    return now().astimezone(ZoneInfo(zone)).date()


@contextmanager
def stopped_at(moment: datetime) -> Iterator[None]:
    """Do something as if it were `moment`: the demo tells its past this way. Never around a request."""
    token = _stopped.set(moment)
    try:
        yield
    finally:
        _stopped.reset(token)
