"""What templates may call: names of people, text with its small safe markup, addresses in another language."""

from functools import lru_cache

import nh3
from flask import Flask, current_app, g, request, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup

from skillshare import i18n
from skillshare.models.members import Member
from skillshare.models.skills import Skill
from skillshare.models.visibility import Field

_markdown = MarkdownIt("zero", {"html": False, "linkify": False}).enable(
    ["emphasis", "list", "link", "newline", "escape", "blockquote", "entity"]
)
TAGS = {"p", "em", "strong", "ul", "ol", "li", "a", "br", "blockquote"}


def start(app: Flask) -> None:
    """Give the templates their words."""
    app.jinja_env.filters.update(prose=prose, called=called)
    app.jinja_env.globals.update(url_for_lang=url_for_lang, Field=Field)
    app.context_processor(_everywhere)


@lru_cache(maxsize=4096)
def prose(text: str) -> Markup:
    """A person's text with its small markup as safe HTML: paragraphs, lists, emphasis, links that nobody follows."""
    html = nh3.clean(
        _markdown.render(text),
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener ugc",
    )
    return Markup(html)  # noqa: S704  cleaned by nh3 just above


def called(member: Member) -> str:
    """What to call `member` in front of whoever is reading."""
    return str(g.viewer.name_of(member))


def url_for_lang(code: str) -> str:
    """This page in another language; the home page where this one has no address of its own (an error, a form)."""
    if request.endpoint is None or request.method != "GET":
        return url_for("home.show", lang=code)
    return url_for_here(lang=code)


def url_for_here(**changes: object) -> str:
    """The address of this page with some of its arguments changed (None: left out)."""
    asked = {name: values for name, values in request.args.lists() if not name.startswith("_") and name != "endpoint"}
    return url_for(str(request.endpoint), **{**asked, **(request.view_args or {}), **changes})


def _everywhere() -> dict[str, object]:
    locale = i18n.current_locale()
    return {
        "site_name": current_app.config["SITE_NAME"],
        "demo": current_app.config["DEMO"],
        "current_locale": locale,
        "languages": [(code, i18n.own_name(code)) for code in i18n.locales()],
        "viewer": g.get("viewer"),
        "skill_name": _skill_name,
    }


def _skill_name(skill: Skill) -> str:
    return skill.name(i18n.current_locale())
