"""Our own files for the browser: css and js bundled once at start, every address with a hash of its content.

What has a hash in its address never changes, so browsers keep it for a year without asking again.
"""

import hashlib
import mimetypes
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, url_for

from skillshare.config import ROOT

from . import access

FOLDER = ROOT / "static"
A_YEAR = "public, max-age=31536000, immutable"
BUNDLES = {"css/site.css": "css", "js/site.js": "js"}

bp = Blueprint("assets", __name__)


def start(app: Flask) -> None:
    """Read the bundles, and give templates `asset(name)`."""
    app.extensions["assets"] = {name: _bundle(FOLDER / kind) for name, kind in BUNDLES.items()}
    app.extensions["asset_urls"] = {}
    app.jinja_env.globals["asset"] = asset
    app.register_blueprint(bp)


def asset(name: str) -> str:
    """The address of a file of ours, by its name below `static/` or in BUNDLES."""
    urls: dict[str, str] = current_app.extensions["asset_urls"]
    if name not in urls or current_app.debug:
        urls[name] = url_for("assets.bundled", digest=_digest(_content(name)), name=name)
    return urls[name]


@bp.get("/assets/<digest>/<path:name>")
@access.public
def bundled(digest: str, name: str) -> Response:
    """A file by name; the digest is only there to make the address new when the content is."""
    content = _content(name)
    response = Response(content, mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream")
    response.headers["Cache-Control"] = A_YEAR if digest == _digest(content) else "no-cache"
    return response


def _content(name: str) -> bytes:
    bundles: dict[str, bytes] = current_app.extensions["assets"]
    if name in bundles and not current_app.debug:
        return bundles[name]
    if name in BUNDLES:
        return _bundle(FOLDER / BUNDLES[name])
    path = (FOLDER / name).resolve()
    if not path.is_relative_to(FOLDER) or not path.is_file():
        abort(404)
    return path.read_bytes()


def _bundle(folder: Path) -> bytes:
    """The files that `order.txt` names, one after the other."""
    names = (folder / "order.txt").read_text(encoding="utf-8").split()
    return b"\n".join((folder / name).read_bytes() for name in names)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
