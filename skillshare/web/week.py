"""My week: what waits for my word, what is coming, who could meet whom. What is empty is not there."""

from flask import Blueprint, g, render_template

from skillshare import clock, i18n
from skillshare.models import week

from . import access
from .answers import Answer

bp = Blueprint("week", __name__)


@bp.get("/week")
@access.login_required
def show() -> Answer:
    """A member's own front page: at most nine queries, however much there is."""
    locale = i18n.current_locale()
    sessions = week.my_sessions(g.member)
    matches = week.matches(g.viewer, locale)
    blocks = {
        "questions": week.questions(g.member, locale),
        "offered": [s for s in sessions if s.place and s.place.is_offered and not s.session.has_begun],
        "coming": [s for s in sessions if not s.session.has_ended and not (s.place and s.place.is_offered)],
        "to_log": [s for s in reversed(sessions) if s.session.has_ended],
        "waiting": [match for match in matches if match.way == "waits"],
        "showing": [match for match in matches if match.way == "shows"],
        "new": week.new_near(g.viewer),
    }
    steps = week.first_steps(g.member)
    return render_template(
        "week/show.html",
        **blocks,
        steps=None if steps.are_done else steps,
        is_empty=not any(blocks.values()),
        today=clock.today(g.member.zone),
    )
