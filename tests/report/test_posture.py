import json

from hostkit.posture.model import collect
from hostkit.report import posture as report


def test_every_check_is_listed_and_explained():
    checks = collect()
    assert [entry["id"] for entry in json.loads(report.list_json(checks))] == [entry.id for entry in checks]
    assert len(report.list_text(checks).splitlines()) == len(checks)
    assert all(entry.why in report.explain(entry) and entry.fix in report.explain(entry) for entry in checks)
