"""An install without the clone holds all that hostkit reads."""

import subprocess
import sys
import zipfile
from pathlib import Path

from hostkit.shipped import shipped

ROOT = Path(__file__).parents[1]


def test_in_a_clone_it_is_beside_the_package():
    assert shipped("playbooks") == ROOT / "playbooks"


def test_elsewhere_it_is_where_an_install_puts_it(monkeypatch, tmp_path):
    monkeypatch.setattr("hostkit.shipped.__file__", str(tmp_path / "site-packages" / "hostkit" / "shipped.py"))
    assert shipped("sandbox") == Path(sys.prefix) / "share" / "hostkit" / "sandbox"


def test_a_wheel_holds_every_play_and_the_filter(tmp_path):
    source = tmp_path / "source"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    words = [
        "wheel",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
    ]
    subprocess.run([sys.executable, "-m", "pip", *words, str(source)], check=True, capture_output=True, timeout=120)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        inside = wheel.namelist()
        names = {name.partition(".data/data/share/hostkit/")[2] for name in inside}
    plays = [path for path in (ROOT / "playbooks").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    wanted = [
        ROOT / "requirements.lock",
        ROOT / "sandbox/hostkit-agent.apparmor",
        ROOT / "sandbox/seccomp.json",
        *plays,
    ]
    assert {str(path.relative_to(ROOT)) for path in wanted} <= names
    assert "hostkit/posture/scan/rules.yml" in inside
