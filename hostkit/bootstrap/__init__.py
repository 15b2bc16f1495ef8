"""Hardening this host: the fence's text, the refusals, the plays through ansible-runner, and the confirmation."""
