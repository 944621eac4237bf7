"""Pages that belong to no noun: how it works, house rules, whether we are well, and two for whoever builds this."""

from email import message_from_bytes, policy
from pathlib import Path

from flask import Blueprint, current_app, render_template

from . import access
from .answers import Answer

bp = Blueprint("pages", __name__)

MAILS_SHOWN = 30


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


@bp.get("/dev/mail")
@access.demo_only
def dev_mail() -> Answer:
    """The newest mails of the demo, which go to files, so that links in them can be followed."""
    folder: Path = current_app.extensions["settings"].data_dir / "mail"
    files = sorted(folder.glob("*.eml"), reverse=True)[:MAILS_SHOWN] if folder.exists() else []
    mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return render_template("dev/mail.html", mails=mails)


@bp.get("/dev/styles")
@access.demo_only
def styles() -> Answer:
    """Every component in use."""
    return render_template("dev/styles.html")
