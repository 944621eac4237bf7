"""Noticing that something was looked for in vain. Kept in memory, so that a search writes nothing; see `Buffer`.

Something counts as not found when nobody offers it: no offer and no session holds all the words. A page of a skill
that nobody shows, or a want, is no answer to somebody who wants to learn.

Never counted: what holds quotes or operators, more than four words, digits in a row or anything like an address
(such words may be about a person), searches narrowed down by more than one area, and pages after the first.
"""

import re
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import date

from skillshare import limits
from skillshare.models.gaps import Sought, Tally, first_of_month

from .analysis import small_words, words_of
from .asking import NEAR, Asked, Reader
from .results import Answer

LEARN_FROM = ("offer", "session")
PERSONAL = re.compile(r"@|://|www\.|\d\D{0,2}\d\D{0,2}\d")
"""An address, or three digits in a row however they are set apart."""


def not_found(asked: Asked, answer: Answer, reader: Reader) -> tuple[str, str, str] | None:
    """What was looked for in vain: the words folded, as written, and the area; None when it does not count."""
    guessed = answer.correction is not None and not any(result.is_called_so for result in answer.results)
    said = asked.q if guessed else answer.correction or asked.q  # something of that name: a mistake in typing
    if not _is_plain(asked, said, reader) or not answer.from_index or (_can_be_learned(answer) and not guessed):
        return None
    words = list(words_of(said))
    small = frozenset().union(*(small_words(language) for language in reader.languages))
    telling = [word for word in words if word.folded not in small]
    term = " ".join(word.folded for word in telling)
    written = " ".join(word.written.lower() for word in telling)
    if not term or len(words) > limits.GAP_WORDS or max(len(term), len(written)) > limits.GAP_TERM:
        return None
    return term, written, next(iter(asked.box("area")), "")


def _is_plain(asked: Asked, said: str, reader: Reader) -> bool:
    if asked.page > 1 or PERSONAL.search(said) or '"' in said:
        return False
    areas = asked.box("area")
    if set(asked.ticked) - {"area"} or len(areas) > 1 or NEAR in areas:
        return False
    parsed = asked.parsed(reader)
    text = parsed.text
    operators = parsed.filters or parsed.left or parsed.after or parsed.before
    return bool(text.words) and not (text.phrases or text.excluded or text.skills or operators) and ":" not in said


def _can_be_learned(answer: Answer) -> bool:
    """Whether an offer or a session holds all the words, or might for all we know."""
    if answer.counts is None:
        return True
    if not any(answer.counts.get("kind", {}).get(kind) for kind in LEARN_FROM):
        return False
    if any(result.why.whole and result.kind in LEARN_FROM for result in answer.results):
        return True
    return answer.more and all(result.why.whole for result in answer.results)


class Buffer:
    """Counts until they are written down: bounded, shared by all threads of a process. What is lost is no harm."""

    def __init__(self, most: int = limits.GAPS_BUFFER) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._tallies: dict[Sought, Tally] = {}
        self._day: date | None = None
        self._of_member: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._tallies)

    def note(self, gap: tuple[str, str, str], day: date, member_id: int | None) -> None:
        """Count one search. A member counts towards the floor of SPEC 8, a visitor (None) only towards the number.

        Of one member at most `limits.GAPS_A_DAY` count in a day, or one could fill the table.
        """
        term, said, area = gap
        if self._is_one_too_many(day, member_id):
            return
        tally = Tally(said, times=1)
        if member_id is not None:
            tally.days.add(day)
            tally.member_ids.add(member_id)
        self.put_back({Sought(term, area, first_of_month(day)): tally})

    def _is_one_too_many(self, day: date, member_id: int | None) -> bool:
        with self._lock:
            if self._day != day:
                self._day = day
                self._of_member.clear()
            if member_id is not None:
                self._of_member[member_id] += 1
            return member_id is not None and self._of_member[member_id] > limits.GAPS_A_DAY

    def put_back(self, tallies: Mapping[Sought, Tally]) -> None:
        """Add these to what is counted here; new words are left out when there are too many."""
        with self._lock:
            for sought, tally in tallies.items():
                mine = self._tallies.get(sought)
                if mine is None:
                    if len(self._tallies) >= self._most:
                        continue
                    mine = self._tallies[sought] = Tally(tally.said)
                mine.times += tally.times
                mine.days |= tally.days
                mine.member_ids |= tally.member_ids

    def take(self) -> dict[Sought, Tally]:
        """All that was counted so far; it is the caller's now, to write down or to put back."""
        with self._lock:
            taken, self._tallies = self._tallies, {}
        return taken
