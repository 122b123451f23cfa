"""Text as people and programs write it, brought to one way of writing."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """A text without the space around it, in composed Unicode (NFC): what looks alike is alike."""
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)
