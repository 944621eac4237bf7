"""Pages that belong to no noun: home, how it works, house rules, and whether we are well."""

from flask import Blueprint, render_template

from . import access
from .answers import Answer

bp = Blueprint("pages", __name__)


@bp.get("/how")
@access.public
def how() -> Answer:
    """How it works."""
    return render_template("pages/how.html")


@bp.get("/rules")
@access.public
def rules() -> Answer:
    """The house rules."""
    return render_template("pages/rules.html")


@bp.get("/healthz")
@access.public
def healthz() -> tuple[dict[str, str], int]:
    """Whether this process answers."""
    return {"status": "ok"}, 200
