"""Attempts to get out of a sandbox, each seen to work where its walls are gone."""
