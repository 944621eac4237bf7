"""`flask --app app …`: each command one sentence about the domain; its help is its docstring."""

from flask import Flask

from . import catalogue, demo, instance, search, translations

GROUPS = (catalogue.group, demo.demo, instance.start, instance.init, instance.worker, search.group, translations.group)


def register(app: Flask) -> None:
    """Put all commands onto `app`."""
    for command in GROUPS:
        app.cli.add_command(command)
