"""What is refused before any view runs: other hosts, cross-site posts, impossible bytes, too much of anything."""

import unicodedata
from urllib.parse import unquote_to_bytes

from flask import Flask, abort, request
from werkzeug.datastructures import MultiDict

from skillshare import limits
from skillshare.db import SAFE_METHODS

ALONE = frozenset({"csrf_token", "once", "version"})


def start(app: Flask) -> None:
    """Check every request first."""
    app.before_request(_check)


def _check() -> None:
    _check_bytes(request.query_string)
    _check_text(request.args)
    if any(_impossible(part) for part in (request.path, request.headers.get("User-Agent", ""))):
        abort(400)
    if request.method in SAFE_METHODS:
        return
    _check_origin()
    if request.content_length is None and "chunked" in request.headers.get("Transfer-Encoding", ""):
        abort(411)
    if request.mimetype not in ("application/x-www-form-urlencoded", "multipart/form-data") and request.data:
        abort(415)
    if request.mimetype == "application/x-www-form-urlencoded":
        _check_bytes(request.get_data(cache=True))
    if len(request.form) > limits.FORM_KEYS:
        abort(413)
    _check_text(request.form)


def _check_origin() -> None:
    """A form is sent from our own pages. Browsers say where from; what says nothing is left to the CSRF token."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    origin = request.headers.get("Origin")
    if origin is not None and origin != request.host_url.rstrip("/"):
        abort(403)


def _check_bytes(quoted: bytes) -> None:
    """What is not UTF-8 is refused: Werkzeug would keep it as text nobody wrote."""
    try:
        unquote_to_bytes(quoted).decode("utf-8")
    except UnicodeDecodeError:
        abort(400)


def _check_text(values: MultiDict[str, str]) -> None:
    for name, sent in values.lists():
        if name in ALONE and len(sent) > 1:
            abort(400)
        if _impossible(name) or any(_impossible(value) for value in sent):
            abort(400)


def _impossible(text: str) -> bool:
    """Bytes that no keyboard writes: NUL and other control characters, lone surrogates, broken UTF-8."""
    return any(_is_broken(char) for char in text) if not text.isascii() or not text.isprintable() else False


def _is_broken(char: str) -> bool:
    return char == "\ufffd" or (unicodedata.category(char) in ("Cc", "Cs") and char not in "\t\r\n\x85")
