"""What Jinja does hundreds of times a page, made cheap: globals, translated words, icons.

What a template says is the same with and without this file. Not here: what templates may call (`words.py`).
"""

from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from skillshare import i18n

from .assets import asset


class SharedGlobals(Environment):
    """All templates see one dictionary of globals: Jinja's own chain of two is slow to copy for each import."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals of a template; no template here is loaded with its own."""
        return super().make_globals(d) if d else self.globals


def start(app: Flask) -> None:
    """Must come before anything asks for `app.jinja_env`."""
    app.jinja_environment = SharedGlobals


def speak(app: Flask) -> None:
    """Give templates their translated words and icons, in place of those of Flask-Babel."""
    app.jinja_env.globals.update(_=_said, gettext=_said, ngettext=_counted, drawn=_drawn)


@pass_eval_context
def _said(context: EvalContext, text: str, /, **values: Any) -> str:
    said = i18n.translations().ugettext(text)
    return (Markup(said) if context.autoescape else said) % values  # noqa: S704  ours, or our translators'


@pass_eval_context
def _counted(context: EvalContext, one: str, many: str, num: int, /, **values: Any) -> str:
    said = i18n.translations().ungettext(one, many, num)
    return (Markup(said) if context.autoescape else said) % {"num": num, **values}  # noqa: S704  as above


def _drawn(name: str) -> Markup:
    """An icon of the sprite; what it shows stands in words beside it."""
    return _icon(asset("icons/sprite.svg"), name)


@lru_cache(maxsize=256)
def _icon(sprite: str, name: str) -> Markup:
    icon = '<svg class="icon" aria-hidden="true" focusable="false"><use href="{sprite}#{name}"></use></svg>'
    return Markup(icon).format(sprite=sprite, name=name)  # noqa: S704  only the line above, and format escapes
