"""The posture of this host: what checks see, and what the policy says it should be."""

from hostkit.posture.model import Check, Status, Verdict, check, fail, ok, skip, unknown

__all__ = ["Check", "Status", "Verdict", "check", "fail", "ok", "skip", "unknown"]
