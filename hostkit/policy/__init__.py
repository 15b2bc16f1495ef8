"""The one policy file: frozen types, strict loading, trust levels, JSON Schema."""

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
