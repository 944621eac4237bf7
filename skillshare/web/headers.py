"""The headers of every answer: a strict policy, and what may be kept by whom."""

from flask import Flask, Response, current_app, g, request, session

from skillshare.i18n import LANG_COOKIE, locales

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
A_YEAR_SECONDS = 365 * 24 * 3600


def start(app: Flask) -> None:
    """Put the headers on every answer of `app`, errors and files too."""
    app.after_request(_set)


def _set(response: Response) -> Response:
    for name, value in ALWAYS.items():
        response.headers.setdefault(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = f"max-age={A_YEAR_SECONDS}; includeSubDomains"
    if "Cache-Control" not in response.headers:
        known = current_app.config["SESSION_COOKIE_NAME"] in request.cookies
        personal = known or session.modified or g.get("member") is not None
        response.headers["Cache-Control"] = "private, no-store" if personal else "no-cache"
    if response.mimetype == "text/html":
        response.vary.update(("Cookie", "Accept-Language"))
        _keep_language(response)
    return response


def _keep_language(response: Response) -> None:
    wish = request.args.get("lang")
    if wish in locales() and request.cookies.get(LANG_COOKIE) != wish:
        response.set_cookie(
            LANG_COOKIE,
            wish,
            max_age=A_YEAR_SECONDS,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
