"""The rules of the house, read from the source: who may import whom, who may commit, what is pinned.

Each rule is a function that yields what breaks it, and each is shown a piece of bad code that it must notice.
"""

import ast
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skillshare"

# A module imports from its own layer or from one above it in this list.
# A new top-level module needs its place here.
LAYERS = [
    {"clock", "errors", "limits", "config", "db", "i18n", "passwords"},
    {"models"},
    {"search", "mail"},
    {"forms", "jobs", "demo", "catalogue"},
    {"web", "api", "cli"},
    {"__init__"},
]
SKINS = {"web", "api", "cli"}
MAY_COMMIT = {*SKINS, "jobs", "demo"}

NAMES_WITHOUT_A_SUBJECT = {"utils", "util", "helpers", "misc", "common", "core", "services", "managers"}


class Module:
    """One source file: its dotted name below `skillshare`, and its syntax tree."""

    def __init__(self, name: str, text: str):
        self.name = name
        self.layer, _, self.rest = name.partition(".")
        self.tree = ast.parse(text)

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def imports(self) -> Iterator[tuple[int, str]]:
        """The line and the full dotted name of everything imported: `skillshare.models.members.Member`."""
        for node in self.nodes(ast.Import, ast.ImportFrom):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            else:
                source = self.absolute(node)
                yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)

    def absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        folders = f"skillshare.{self.name}".split(".")[: -node.level]
        return ".".join([*folders, *([node.module] if node.module else [])])

    def own_imports(self) -> Iterator[tuple[int, list[str]]]:
        """Imports from this project, split, without the leading `skillshare`."""
        for line, name in self.imports():
            if name == "skillshare" or name.startswith("skillshare."):
                yield line, name.split(".")[1:] or ["__init__"]


@cache
def project() -> tuple[Module, ...]:
    return tuple(Module(module_name(path), path.read_text()) for path in sorted(PACKAGE.rglob("*.py")))


def module_name(path: Path) -> str:
    """Dotted, below `skillshare`; a package's own file keeps its name: `models.__init__`."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


@cache
def models_in_order() -> list[str]:
    """The files of the domain as `models/__init__.py` imports them: each may import only those before it."""
    package = ast.parse((PACKAGE / "models" / "__init__.py").read_text())
    imports = (node for node in package.body if isinstance(node, ast.ImportFrom))
    return [alias.name for node in imports for alias in node.names]


def height(layer: str) -> int:
    """How far right a layer stands; a name that is not a module comes from `skillshare/__init__.py`."""
    return next((number for number, layers in enumerate(LAYERS) if layer in layers), len(LAYERS) - 1)


def called(node: ast.AST) -> str:
    """What a call calls, as it is written: `db.session.commit`."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


Problems = Iterator[str]


def every_module_has_a_layer(module: Module) -> Problems:
    if not any(module.layer in layers for layers in LAYERS):
        yield "stands in no layer"
    if set(module.name.split(".")) & NAMES_WITHOUT_A_SUBJECT:
        yield "has a name that says nothing of its subject"


def imports_point_left(module: Module) -> Problems:
    for line, target in module.own_imports():
        if height(target[0]) > height(module.layer):
            yield f"{line}: imports {'.'.join(target)} from a later layer"


def skins_do_not_know_one_another(module: Module) -> Problems:
    for line, target in module.own_imports():
        if module.layer in SKINS and target[0] in SKINS - {module.layer}:
            yield f"{line}: imports {'.'.join(target)}"


def models_import_upwards(module: Module) -> Problems:
    if module.layer != "models" or module.rest == "__init__":
        return
    if module.rest not in models_in_order():
        yield "has no place in the order of skillshare/models/__init__.py"
        return
    above = models_in_order()[: models_in_order().index(module.rest)]
    for line, target in module.own_imports():
        if target[0] == "models" and (len(target) < 2 or target[1] not in above):
            yield f"{line}: imports {'.'.join(target)}, which is not above it"


def imports_stand_at_the_top(module: Module) -> Problems:
    for function in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield f"{node.lineno}: imports inside a function"


def only_the_skins_commit(module: Module) -> Problems:
    if module.layer in MAY_COMMIT:
        return
    for node in module.nodes(ast.Call):
        if re.search(r"\bsession\.commit$", called(node)):
            yield f"{node.lineno}: commits"


def the_domain_sees_no_request(module: Module) -> Problems:
    if module.layer not in {"models", "search"}:
        return
    for line, name in module.imports():
        if re.match(r"flask\.(request|g|session|current_app)$|flask_login\b", name):
            yield f"{line}: imports {name}"
    for node in module.nodes(ast.Attribute):
        if ast.unparse(node) in {"flask.request", "flask.g", "flask.session"}:
            yield f"{node.lineno}: reads {ast.unparse(node)}"


def current_user_stays_in_one_module(module: Module) -> Problems:
    if module.name == "web.signed_in":
        return
    for line, name in module.imports():
        if name == "flask_login.current_user":
            yield f"{line}: imports current_user, which is a proxy; g.member is the member"


def whoosh_stays_in_search(module: Module) -> Problems:
    for line, name in module.imports():
        if name.split(".")[0] == "whoosh" and module.layer != "search":
            yield f"{line}: imports {name}"


def only_the_clock_knows_the_time(module: Module) -> Problems:
    told = re.compile(r"(datetime\.)?(datetime\.(now|utcnow|today)|date\.today)|time\.time")
    for node in module.nodes(ast.Call):
        if module.name != "clock" and told.fullmatch(called(node)):
            yield f"{node.lineno}: calls {called(node)}(), where tests cannot stop it"


def templates_keep_flasks_names(module: Module) -> Problems:
    for node in module.nodes(ast.Call):
        function = called(node).rpartition(".")[2]
        names = {keyword.arg for keyword in node.keywords} & {"session", "request"}
        if function.startswith("render") and names:
            yield f"{node.lineno}: {function}() hides Flask's own {', '.join(sorted(names))}"


def searchable_rows_change_one_by_one(module: Module) -> Problems:
    """The index hears of changes through mapper events, which a bulk statement does not raise."""
    searchable = searchable_classes([*project(), module])
    for parent in module.nodes(ast.Module, ast.ClassDef):
        owner = parent.name if isinstance(parent, ast.ClassDef) else None
        for node in ast.walk(parent):
            if not re.fullmatch(r"(sa\.|sqlalchemy\.)?(update|delete)", called(node)) or not node.args:
                continue
            model = ast.unparse(node.args[0]).removesuffix(".__table__").rpartition(".")[2]
            if (owner if model == "cls" else model) in searchable:
                yield f"{node.lineno}: bulk {called(node)} of a searchable model"


def searchable_classes(modules: Iterable[Module]) -> set[str]:
    """Classes that set `__searchable__`, and those that inherit it, however far down."""
    classes = [class_ for module in modules for class_ in classes_of(module)]
    found = {name for name, _bases, is_searchable in classes if is_searchable}
    while True:
        heirs = {name for name, bases, _is_searchable in classes if bases & found}
        if heirs <= found:
            return found
        found |= heirs


@cache
def classes_of(module: Module) -> list[tuple[str, set[str], bool]]:
    """Name, bases, and whether it sets `__searchable__`, of each class of a module."""
    return [
        (node.name, {ast.unparse(base) for base in node.bases}, "__searchable__" in ast.unparse(node.body))
        for node in module.nodes(ast.ClassDef)
    ]


BAD_CODE: list[tuple[Callable[[Module], Problems], str, str]] = [
    (every_module_has_a_layer, "sundries", ""),
    (every_module_has_a_layer, "web.utils", ""),
    (imports_point_left, "models.log", "from skillshare.web import auth"),
    (imports_point_left, "db", "from .models.members import Member"),
    (imports_point_left, "search.sync", "import skillshare.jobs"),
    (imports_point_left, "web.home", "from skillshare import create_app"),
    (skins_do_not_know_one_another, "cli.serve", "from skillshare.web.home import bp"),
    (models_import_upwards, "models.members", "from .log import LogEntry"),
    (models_import_upwards, "models.members", "from skillshare.models import LogEntry"),
    (models_import_upwards, "models.members", "if TYPE_CHECKING:\n    from . import log"),
    (models_import_upwards, "models.sundries", ""),
    (imports_stand_at_the_top, "clock", "def now():\n    import time"),
    (only_the_skins_commit, "models.log", "db.session.commit()"),
    (only_the_skins_commit, "mail", "session.commit()"),
    (the_domain_sees_no_request, "models.log", "from flask import g"),
    (the_domain_sees_no_request, "search.results", "import flask\nflask.request.args"),
    (the_domain_sees_no_request, "models.log", "from flask_login import UserMixin"),
    (current_user_stays_in_one_module, "web.home", "from flask_login import current_user"),
    (whoosh_stays_in_search, "models.log", "from whoosh.index import open_dir"),
    (only_the_clock_knows_the_time, "models.log", "datetime.now(UTC)"),
    (only_the_clock_knows_the_time, "models.log", "datetime.date.today()"),
    (templates_keep_flasks_names, "web.home", "render_template('home.html', session=1)"),
    (searchable_rows_change_one_by_one, "jobs", "class A:\n  __searchable__ = True\nsa.delete(A)"),
    (
        searchable_rows_change_one_by_one,
        "models.log",
        "class A:\n  __searchable__: bool = True\nclass B(A):\n  def f(cls): sa.update(cls)",
    ),
]
RULES = list(dict.fromkeys(rule for rule, _, _ in BAD_CODE))


def named(value: object) -> str:
    return value.__name__ if callable(value) else str(value)


def test_the_code_is_found():
    assert project()


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_the_code_keeps_the_rule(rule):
    problems = [f"skillshare.{module.name} {problem}" for module in project() for problem in rule(module)]

    assert problems == []


@pytest.mark.parametrize(("rule", "name", "text"), BAD_CODE, ids=named)
def test_the_rule_notices_bad_code(rule, name, text):
    assert list(rule(Module(name, text)))


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_the_rule_lets_good_code_pass(rule):
    good = Module(
        "models.log",
        "from flask_babel import gettext as _\n"
        "from skillshare import clock\n"
        "from skillshare.db import db\n"
        "from .members import Member\n"
        "class LogEntry:\n"
        "    def agree(self, by):\n"
        "        self.agreed_at = clock.now()\n"
        "        seen.update(by)\n",
    )

    assert list(rule(good)) == []


# Templates

HIDES_FLASKS_NAMES = re.compile(
    r"{%-?\s*(?:set|with|for|macro|call)\b"  # what gives a name a value,
    r"(?:(?!%}|\bin\b|=).)*"  # in the part before the value,
    r"\b(session|request)\b\s*(?:%}|\bin\b|=|,|\))"
)


def template_problems(text: str) -> Problems:
    """What a strict content security policy would block, and names that hide Flask's own."""
    text = re.sub(r"{#.*?#}", "", text, flags=re.DOTALL)
    for match in HIDES_FLASKS_NAMES.finditer(text):
        yield f"hides Flask's own {match[1]}"
    text = re.sub(r"{{.*?}}|{%.*?%}", "", text, flags=re.DOTALL)
    if re.search(r"<style\b|\sstyle\s*=", text):
        yield "has a style of its own: it belongs in static/css"
    if re.search(r"<script\b(?![^>]*\ssrc=)(?![^>]*application/json)", text):
        yield "has a script of its own: it belongs in static/js"
    if re.search(r"<[^>]*\son[a-z]+\s*=|javascript:", text):
        yield "has an inline event handler: it belongs in static/js"


TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def test_templates_are_found():
    assert TEMPLATES


def test_templates_have_nothing_inline_and_keep_flasks_names():
    # A mail's style is its own matter: mail readers load no style sheets and know no policy.
    pages = [path for path in TEMPLATES if ROOT / "templates" / "mail" not in path.parents]
    problems = [
        f"{path.relative_to(ROOT)} {problem}" for path in pages for problem in template_problems(path.read_text())
    ]

    assert problems == []


@pytest.mark.parametrize(
    "text",
    [
        "{% set session = 1 %}",
        "{% for session in sessions %}",
        "{%- for day, session in days %}",
        "{% with request = 1 %}",
        "{% macro card(session) %}",
        "{% macro card(day, request=none) %}",
        "<style>p { color: red }</style>",
        '<p style="color: red">',
        "<script>go()</script>",
        '<button class="x" onclick="go()">',
        '<a href="javascript:go()">',
    ],
)
def test_bad_templates_are_noticed(text):
    assert list(template_problems(text))


@pytest.mark.parametrize(
    "text",
    [
        "{% for skill_session in page.sessions %}",
        "{% if request.path == '/' %}",
        "{% set here = request.path %}",
        "{% for name in session %}",
        "{# style= belongs elsewhere #}",
        '<script src="/x.js" defer></script>',
        '<p class="on" data-once="1">Come on = in</p>',
    ],
)
def test_good_templates_pass(text):
    assert list(template_problems(text)) == []


# What we install


def lock_problems(text: str) -> Problems:
    if "://" in text:
        yield "names a host"
    for requirement in re.split(r"\n(?=\S)", text.strip()):
        if not re.match(r"[\w.-]+==\S+", requirement) or "--hash=sha256:" not in requirement:
            yield f"does not pin and hash {requirement.splitlines()[0]}"


def locked_names(name: str) -> set[str]:
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([\w.-]+)==", lock, flags=re.MULTILINE))


def pins(name: str) -> set[str]:
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    return {line.strip(" \\") for line in lock.splitlines() if "==" in line and "--hash" not in line}


@pytest.mark.parametrize("name", ["run", "scale", "test", "dev", "bench", "fuzz"])
def test_lock_files_are_hashed_and_name_no_host(name):
    assert list(lock_problems((ROOT / "requirements" / f"{name}.txt").read_text())) == []


@pytest.mark.parametrize(
    "text",
    [
        "flask==3.1.3",
        "flask>=3.1 --hash=sha256:00",
        "flask==3.1.3 --hash=sha256:00\nwhoosh @ git+ssh://example.org/whoosh --hash=sha256:00",
    ],
)
def test_bad_lock_files_are_noticed(text):
    assert list(lock_problems(text))


@pytest.mark.parametrize("name", ["run", "scale", "test"])
def test_all_locks_agree_on_versions(name):
    assert pins(name)
    assert pins(name) - pins("dev") == set()


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("run", []),
        ("scale", ["scale"]),
        ("test", ["scale", "test"]),
        ("dev", ["dev"]),
        ("bench", ["bench"]),
        ("fuzz", ["fuzz"]),
    ],
)
def test_locks_hold_what_the_project_asks_for(name, extras):
    project_table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project_table["dependencies"]]
    for extra in extras:
        asked += project_table["optional-dependencies"][extra]

    names = {re.match(r"[\w.-]+", requirement)[0] for requirement in asked}

    assert names - locked_names(name) == set(), "run bin/lock"


# What we ship of others

STATIC = ROOT / "static"
VENDORED_LINE = re.compile(r"^(\S+) {2,}\S.* {2,}\S+ {2,}([0-9a-f]{64}) {2,}\S", flags=re.MULTILINE)


def vendored() -> dict[str, str]:
    """The files below `static/` that are not ours, and the SHA-256 that VENDORED.txt gives for each."""
    return dict(VENDORED_LINE.findall((STATIC / "vendor" / "VENDORED.txt").read_text()))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_vendored_files_are_what_the_list_says():
    assert vendored()
    assert {name: sha256(STATIC / name) for name in vendored()} == vendored()


def test_every_vendored_file_is_in_the_list():
    files = {str(path.relative_to(STATIC)) for path in (STATIC / "vendor").rglob("*") if path.is_file()}

    assert files - {"vendor/VENDORED.txt"} - vendored().keys() == set()
