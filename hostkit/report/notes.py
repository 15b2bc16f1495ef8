"""What every report says at its end, whatever it was asked to leave out: what is excused, and what does not count."""

from collections import Counter

from hostkit.posture.model import SEVERITIES
from hostkit.posture.result import Report


def notes(report: Report) -> list[str]:
    """Return one line for each thing that makes this report kinder than the bare answers are."""
    return [line for line in (*report.remarks, _baseline(report), _profile(report), _below(report)) if line]


def _baseline(report: Report) -> str:
    found = [entry for entry in report.results if entry.baseline]
    faults = sum(len(entry.baseline) for entry in found)
    return f"the baseline hides {faults} known faults of {len(found)} checks" if found else ""


def _profile(report: Report) -> str:
    ids = ", ".join(entry.id for entry in report.left_out)
    return f"graded by {report.profile}, which does not ask: {ids}" if ids else ""


def _below(report: Report) -> str:
    found = Counter(entry.check.severity for entry in report.below)
    told = ", ".join(f"{found[severity]} {severity}" for severity in SEVERITIES if found[severity])
    return f"below --fail-on {report.floor}, so not in the exit code: {told} failed or unknown" if told else ""
