"""The search page under whatever is typed or stored: a page or a friendly refusal, and no more work (R-67 to R-72)."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
import whoosh.query
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import skillshare.search
from skillshare import jobs, limits
from skillshare.models.listings import ListingState, Offer
from skillshare.models.skills import Skill
from skillshare.search import asking, snapshot
from skillshare.search.engine import SearchRequest, Text
from skillshare.search.parser import ParsedQuery, parse
from skillshare.web import guard
from tests.conftest import person
from tests.search.test_hostile_search import SIGNS

HOSTILE = [
    "<script>alert('bread')</script>",
    "<img src=x onerror=alert(1)> bread",
    'bread" onmouseover="alert(1)" x="',
    "bread</a></h3><iframe src=//evil.example></iframe>",
    "&lt;script&gt;bread&lt;/script&gt;",
    "<mark>bread</mark><mark",
    "{{ 7*7 }} bread {% raise %}",
    "javascript:alert(1) bread",
    "\u202egnp.bread\u202c <b>bread",
    "bread <!-- --><svg/onload=alert(1)>",
    "]]> bread <![CDATA[ <style>*{display:none}</style>",
]
NOT_TYPED = (whoosh.query.Prefix, whoosh.query.Wildcard, whoosh.query.Regex, whoosh.query.FuzzyTerm)
NEVER_MADE = (*NOT_TYPED, whoosh.query.TermRange, whoosh.query.NumericRange, whoosh.query.Every, whoosh.query.Term)


@pytest.fixture
def indexed(app, db, bread_offer, bread_want, bread_session):
    """Three things about bread, in the index."""
    db.session.commit()
    while jobs.work_once("index"):
        pass
    return app.extensions["search"]


@pytest.mark.parametrize("q", ["x" * 129, "w " * 13, "-" * 129, '"' * 129, "x" * 100_000, "w " * 50_000])
def test_too_much_is_refused_before_anything_reads_it(indexed, browser, monkeypatch, q):
    def reads(*_args, **_kwargs):
        raise AssertionError("it was read")

    monkeypatch.setattr(asking, "parse", reads)
    monkeypatch.setattr(indexed, "search", reads)
    monkeypatch.setattr(indexed, "complete", reads)
    visitor = browser()

    assert visitor.get("/find", query_string={"q": q}).status_code == 422
    if len(q.strip()) > limits.QUERY:
        assert visitor.get("/find/suggest", query_string={"q": q}).json == []


def test_as_much_as_is_allowed_is_read(indexed, browser):
    assert browser().get("/find", query_string={"q": "x" * 128}).status_code == 200
    assert browser().get("/find", query_string={"q": "w " * 12}).status_code == 200


@pytest.mark.parametrize("typed", [*SIGNS, "title:bread", "words:bread", "bread^9", "bread OR pan", "ANDMAYBE", "b..d"])
def test_no_query_language_is_spoken(indexed, monkeypatch, typed):
    def made(self, *_args, **_kwargs):
        raise AssertionError(f"{type(self).__name__} was made")

    for node in NEVER_MADE:
        monkeypatch.setattr(node, "__init__", made)
    query = parse(typed)

    assert type(query) is ParsedQuery
    assert type(query.text) is Text
    pieces = (*query.text.words, *query.text.phrases, *query.text.excluded, *query.text.skills)
    assert all(type(piece) is str for piece in pieces)
    assert query.filters == {}
    assert indexed.search(SearchRequest(query.text)).total <= 4


def test_no_parser_of_whoosh_is_named_anywhere():
    for source in Path(skillshare.search.__file__).parent.glob("*.py"):
        assert "qparser" not in source.read_text(), source.name
    assert all("qparser" not in vars(module) for name, module in sys.modules.items() if name.startswith("skillshare"))


@given(typed=st.text(st.characters(), max_size=140))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_the_answer_is_a_page(indexed, browser, typed):
    """Every category of Unicode, as a program would send it. What no keyboard writes is refused before any search."""
    read, suggested = ((400,), 400) if guard._impossible(typed) else ((200, 422), 200)
    q = quote(typed.encode("utf-8", "surrogatepass"))
    visitor = browser()

    assert visitor.get(f"/find?q={q}").status_code in read
    assert visitor.get(f"/find?kind=offer&exact=1&q={q}").status_code in read
    assert visitor.get(f"/find/suggest?q={q}").status_code == suggested


@pytest.mark.parametrize(
    ("q", "status"),
    [
        ("%ff%fe", 400),
        ("%00", 400),
        ("%ed%a0%80bread", 400),
        ("%", 200),
        ("%zz", 200),
        ("bread%0d%0aSet-Cookie:x=1", 200),
        ("+" * 300, 422),
    ],
)
def test_bytes_that_are_no_text_are_answered(indexed, browser, q, status):
    response = browser().get(f"/find?q={q}")

    assert response.status_code == status
    assert "x=1" not in str(response.headers.getlist("Set-Cookie"))


class Elements(HTMLParser):
    """The elements of a page, and whatever could run a script."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.seen, self.running = {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.running += [f"{name}={value}" for name, value in attrs if name.startswith("on")]
        self.running += [f"{tag} {value}" for name, value in attrs if (value or "").startswith(("javascript:", "//"))]
        if tag in ("iframe", "style", "object", "embed") or (tag == "script" and "src" not in dict(attrs)):
            self.running.append(tag)


def test_of_hostile_texts_nothing_becomes_an_element(app, db, browser, ana, bread):
    skill_id = bread.id
    plain, hostile = "Bread and salt and bread", HOSTILE
    pages = []
    for texts in ([plain] * len(hostile), hostile):
        by, skill = person(f"cook{len(pages)}"), db.session.get_one(Skill, skill_id)
        for text in texts:
            common = {"practice": f"First {text} then bread.", "theory": text, "before": text, "language": "en"}
            Offer.publish(by=by, skill=skill, title=text[:80], **common)
        db.session.commit()
        while jobs.work_once("index"):
            pass
        pages.append(Elements(browser().get("/find?q=bread&kind=offer&exact=1").text))
        for offer in db.session.scalars(sa.select(Offer)):
            offer.state = ListingState.WITHDRAWN
    usual, attacked = pages

    assert attacked.running == usual.running == []
    assert attacked.seen.keys() <= usual.seen.keys()
    assert attacked.seen["mark"] >= len(hostile)
    for tag in ("img", "svg", "b", "a", "script", "iframe", "style", "h3"):
        assert attacked.seen.get(tag, 0) <= usual.seen.get(tag, 0), tag


def test_hostile_names_are_suggested_as_they_are(app, db, browser, ana, bread):
    Offer.publish(by=ana, skill=bread, title="Zest <script>alert(1)</script>", practice="p", theory="t", language="en")
    db.session.commit()
    while jobs.work_once("index"):
        pass

    response = browser().get("/find/suggest?q=zes")

    assert response.mimetype == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.json[0]["label"] == "Zest <script>alert(1)</script>"


def test_the_last_page_costs_no_more_than_the_first(app, db, browser, queries, monkeypatch, bread):
    """Two on a page, so that a hundred are fifty pages; counted is what is read."""
    monkeypatch.setattr(limits, "PAGE_SIZE", 2)
    monkeypatch.setattr(limits, "PAGES_DEEP", 100)
    for number in range(100):
        by = person(f"baker{number}")
        Offer.publish(by=by, skill=bread, title="Bread", practice="p", theory="t", language="en")
    db.session.commit()
    while jobs.work_once("index"):
        pass
    read, key = [], snapshot.Snapshot.key
    monkeypatch.setattr(snapshot.Snapshot, "key", lambda self, number: read.append(number) or key(self, number))
    visitor = browser()

    def work(page):
        visitor.get(f"/find?q=bread&kind=offer&page={page}")
        queries.clear()
        read.clear()
        assert visitor.get(f"/find?q=bread&kind=offer&page={page}").status_code == 200
        return len(queries), len(read)

    assert work(50) == work(1)
    assert work(1)[1] == 2
    assert visitor.get("/find?q=bread&kind=offer&page=51").status_code == 404
