"""`flask --app app …`: each command one sentence about the domain; its help is its docstring."""

from flask import Flask

from . import areas, catalogue, demo, instance, search, translations

GROUPS = (
    areas.area,
    catalogue.group,
    demo.demo,
    instance.start,
    instance.init,
    instance.worker,
    search.group,
    translations.group,
)


def register(app: Flask) -> None:
    """Put all commands onto `app`."""
    for command in GROUPS:
        app.cli.add_command(command)
