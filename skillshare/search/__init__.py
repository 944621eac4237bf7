"""The derived index: it finds keys, and never shows text. The database stays the truth."""

from flask import Flask

from skillshare.config import Settings


def start(app: Flask, settings: Settings) -> None:
    """Choose the engine of this instance."""
