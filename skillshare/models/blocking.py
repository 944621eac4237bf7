"""Blocking somebody, with all that follows from it: it touches places in sessions, hence stands last."""

from .members import Member
from .seats import part_ways
from .visibility import Block


def block(by: Member, on: Member) -> Block:
    """From now on the two do not exist for each other. Nobody is told. Raises `NotAllowed` for oneself."""
    made = Block.put(by, on)
    part_ways(by, on)
    return made
