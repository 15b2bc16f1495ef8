"""Run `python -m hostkit` as `hostkit`."""

from hostkit.cli import main

main()
