"""Results as text and JSON; nothing is judged here."""
