"""Words that a host said, made plain: whatever form they go into, they stay one line of what they are."""

LINE = 400
"""Characters of a host's words that a terminal is given."""
FIELD = 2000
"""Characters of a host's words in a field of a form: all its answers fit the 4 MiB that a fleet hears of a host."""


def safe(text: str, longest: int = LINE) -> str:
    """Return one line of at most `longest` characters with everything a terminal or a parser would obey escaped.

    That is what is not printable: every kind of line end, escapes, NUL, directions of writing, half a surrogate pair.
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:longest])
    return shown + (" [cut]" if len(text) > longest else "")
