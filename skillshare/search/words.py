"""A search in words: what its boxes say, for a page, a list or a mail, in the language being spoken."""

from flask_babel import gettext as _

from .asking import BOXES, NEAR, Asked, Reader
from .engine import KINDS


def of_boxes(reader: Reader) -> dict[str, dict[str, str]]:
    """What each box says, by group and value."""
    kinds = {"skill": _("Skills"), "offer": _("Can show"), "session": _("Sessions"), "want": _("Wants to learn")}
    return {
        "kind": {kind: kinds[kind] for kind in KINDS},
        "when": {
            "week": _("This week"),
            "month": _("This month"),
            "weekday": _("On a weekday"),
            "weekend": _("At the weekend"),
            "evening": _("In the evening"),
        },
        "left": {"yes": _("With places left")},
        "where": {"in_person": _("In person"), "online": _("Online")},
        "area": {NEAR: _("Near me"), **reader.shelves.areas},
        "half": {"practice": _("Only in what you do"), "theory": _("Only in why it works")},
        "topic": dict(reader.shelves.topics),
        "language": dict(reader.languages),
    }


def of(asked: Asked, reader: Reader) -> str:
    """All that is asked, in one line: “welding” · Can show · Northside."""
    boxes = of_boxes(reader)
    said = [_("“%(words)s”", words=asked.q)] if asked.q else []
    for group in BOXES:
        said += [words for value, words in boxes[group].items() if value in asked.box(group)]
    return " · ".join(said) or _("Everything")
