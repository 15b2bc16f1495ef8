"""The one policy file: frozen types, strict loading, trust levels, JSON Schema."""

import os

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # no other package reads a policy along, or is looked for

from hostkit.policy.egress import Egress
from hostkit.policy.host import GATEWAY_ACCOUNT, HostPolicy, Waiver
from hostkit.policy.load import PolicyError, load, parse
from hostkit.policy.model import Agent, Client, Limits, Policy, Secret
from hostkit.policy.vpn import Vpn

__all__ = [
    "GATEWAY_ACCOUNT",
    "Agent",
    "Client",
    "Egress",
    "HostPolicy",
    "Limits",
    "Policy",
    "PolicyError",
    "Secret",
    "Vpn",
    "Waiver",
    "load",
    "parse",
]
