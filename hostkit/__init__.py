"""hostkit: run an always-on agent on your own machine as an untrusted actor."""

__version__ = "0.1.0"
