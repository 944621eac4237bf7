"""`flask demo`: invented people to try things with."""

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import with_appcontext

from skillshare.db import db
from skillshare.demo import community, large
from skillshare.models.members import Member


@click.command
@click.option("--seed", default=1, show_default=True, help="The same seed tells the same story.")
@click.option("--members", type=click.IntRange(100), help="Many more members, written in bulk, for measuring.")
@with_appcontext
def demo(seed: int, members: int | None) -> None:
    """Fill an empty community with some 80 invented members and what they did."""
    if not (fill_large(members, seed) if members else fill(seed)):
        raise click.ClickException("There are members already: the demo is only for an empty community.")
    click.echo(f"The demo community is here. Sign in as {community.DEMO_EMAIL} with the password: {community.PASSWORD}")


def fill(seed: int = 1) -> bool:
    """Tell the demo's story, once; False when somebody lives here already."""
    if _is_inhabited():
        return False
    community.tell(current_app.config["DEFAULT_ZONE"], seed, lambda words: click.echo(f"  {words} ..."))
    db.session.commit()
    return True


def fill_large(members: int, seed: int = 1) -> bool:
    """Tell it many times over, and check the invariants; False when somebody lives here already."""
    if _is_inhabited():
        return False
    large.tell(members, current_app.config["DEFAULT_ZONE"], seed, lambda table, rows: click.echo(f"  {table}: {rows}"))
    broken = large.broken_invariants()
    if broken:
        raise click.ClickException("The demo breaks its rules: " + "; ".join(broken))
    click.echo("  Invariants hold. Fill the index with: flask search rebuild")
    return True


def _is_inhabited() -> bool:
    return db.session.scalar(sa.select(Member.id).limit(1)) is not None
