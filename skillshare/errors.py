"""How the domain says no. The skins turn these into pages and problem documents."""


class NotAllowed(Exception):
    """Never you: this person may not do this, whatever the moment (403)."""


class RuleBroken(Exception):
    """Not now: the sentence says why, and what can be done instead (409, or beside `field` on a form)."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class EditConflict(RuleBroken):
    """Someone else saved in between: both texts are shown and nothing is lost (409)."""
