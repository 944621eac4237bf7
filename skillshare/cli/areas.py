"""`flask area`: the places that the community names, and which of them lie side by side."""

import click
from flask.cli import with_appcontext

from skillshare import limits
from skillshare.db import db
from skillshare.models.places import Area


@click.command
@click.argument("name")
@click.option("--beside", "others", multiple=True, help="One can walk there from here (may be repeated).")
@with_appcontext
def area(name: str, others: tuple[str, ...]) -> None:
    """Add the area NAME where it is missing, and say what lies beside it: who lives in one finds the other near."""
    names = [each.strip() for each in (name, *others)]
    if not all(names) or any(len(each) > limits.NAME for each in names):
        raise click.ClickException(f"An area's name has 1 to {limits.NAME} letters.")
    here, *beside = map(Area.add, names)
    for other in beside:
        here.lies_beside(other)
    db.session.commit()
    said = f", beside {', '.join(map(str, beside))}" if beside else ""
    click.echo(f"{here}{said}.")
