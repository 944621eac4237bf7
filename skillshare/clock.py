"""The one clock. Everything that asks for the time asks here, so that tests can stop it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def today(zone: str) -> date:
    """The date that people in `zone` have on their calendar now."""
    return now().astimezone(ZoneInfo(zone)).date()
