"""Several hosts from one place: each is asked over SSH, and what it answers is its own word."""
