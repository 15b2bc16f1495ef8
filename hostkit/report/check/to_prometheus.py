"""Prometheus' text format, for node_exporter's textfile collector: without timestamps, which it refuses.

`hostkit_check_status != 0` is an alert that is not green by mistake; hostkit_check_run_timestamp_seconds says its age.
Write it with `--output prometheus=/var/lib/node_exporter/hostkit.prom`: a scrape finds the old file or the new one.
"""

from collections.abc import Iterable, Mapping

from hostkit.report.check.told import WORDS, Told

_VALUES = {"ok": 0, "fail": 1, "waived": 2, "unknown": 3, "skip": 4, "baseline": 5}
Sample = tuple[Mapping[str, str], float]


def render(told: Told) -> str:
    """Return each family with its help and type; the caller ends the last line."""
    meaning = ", ".join(f"{value} {word}" for word, value in _VALUES.items())
    told_of = [{"id": line.id, "severity": line.severity, "subject": line.subject} for line in told.lines]
    statuses = [(labels, _VALUES[line.word]) for labels, line in zip(told_of, told.lines, strict=True)]
    seconds = [({"id": line.id}, line.seconds) for line in told.lines]
    counts = [({"status": word}, told.counts.get(word, 0)) for word in WORDS]
    info = {"version": told.version, "host": told.host.name, "machine": told.host.machine}
    families = (
        _family("info", "hostkit and the machine it checked.", [(info, 1)]),
        _family("check_status", f"What a check found: {meaning}.", statuses),
        _family("check_seconds", "How long a check took.", seconds),
        _family("checks", "How many checks found what.", counts),
        _family("check_waivers", "Waivers in force.", [({}, len(told.waivers))]),
        _family("check_exit_code", "0 stands, 1 something fails, 3 could not tell.", [({}, int(told.exit))]),
        _family("check_whole", "1 if all checks ran, 0 if --only or --skip left some out.", [({}, int(told.whole))]),
        _family("check_run_timestamp_seconds", "When the checks were run.", [({}, told.at.timestamp())]),
    )
    return "\n".join(line for family in families for line in family)


def _family(name: str, meaning: str, samples: Iterable[Sample]) -> list[str]:
    head = [f"# HELP hostkit_{name} {meaning}", f"# TYPE hostkit_{name} gauge"]
    return [*head, *(f"hostkit_{name}{_labels(labels)} {value:.15g}" for labels, value in samples)]


def _labels(labels: Mapping[str, str]) -> str:
    shown = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{shown}}}" if shown else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
