"""The one policy file: frozen types, strict loading, trust levels, JSON Schema."""

import os

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # no other package reads a policy along, or is looked for

from hostkit.policy.load import PolicyError, load, parse
from hostkit.policy.model import Agent, Client, Egress, HostPolicy, Limits, Policy, Secret, Waiver

__all__ = [
    "Agent",
    "Client",
    "Egress",
    "HostPolicy",
    "Limits",
    "Policy",
    "PolicyError",
    "Secret",
    "Waiver",
    "load",
    "parse",
]
