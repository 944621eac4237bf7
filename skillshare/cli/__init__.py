"""`flask --app app …`: each command one sentence about the domain; its help is its docstring."""

from flask import Flask

from . import catalogue, instance, translations

GROUPS = (catalogue.group, instance.start, instance.init, instance.worker, translations.group)


def register(app: Flask) -> None:
    """Put all commands onto `app`."""
    for command in GROUPS:
        app.cli.add_command(command)
