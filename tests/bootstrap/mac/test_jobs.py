import plistlib

from hostkit.bootstrap.mac.jobs import PROGRAM, jobs
from tests.conftest import make_policy

JOBS = jobs(make_policy(), "/opt/hk/bin/hostkit", "/Users/hostkit-agent", "/opt/homebrew/bin/colima")
PLAIN = {name: plistlib.loads(job["plist"].encode()) for name, job in JOBS.items()}


def test_each_job_is_whole_and_called_as_its_file_is():
    assert {job["label"] for job in JOBS.values()} == {"org.hostkit.pf", "org.hostkit.check", "org.hostkit.vm"}
    assert all(PLAIN[name]["Label"] == JOBS[name]["label"] for name in JOBS)
    assert all(plain["RunAtLoad"] for plain in PLAIN.values())


def test_the_fence_is_asserted_at_boot_every_minute_and_when_its_parent_changes():
    told = PLAIN["pf"]
    assert (told["ProgramArguments"], told["StartInterval"]) == ([PROGRAM, "assert"], 60)
    assert told["WatchPaths"] == ["/etc/pf.conf"]
    assert "UserName" not in told


def test_the_vm_runs_as_the_agents_account_and_mounts_nothing():
    told = PLAIN["vm"]
    assert told["UserName"] == told["GroupName"] == "hostkit-agent"
    assert told["ProgramArguments"][:3] == ["/opt/homebrew/bin/colima", "start", "--foreground"]
    assert {"--mount=none", "--port-forwarder=none", "--save-config=false"} < set(told["ProgramArguments"])
    assert told["EnvironmentVariables"]["HOME"] == "/Users/hostkit-agent"
    assert told["Umask"] == 0o077


def test_the_checks_paths_are_arguments_and_no_part_of_its_lines():
    words = PLAIN["check"]["ProgramArguments"]
    assert words[:2] == ["/bin/sh", "-c"]
    assert words[3:] == ["/opt/hk/bin/hostkit", "/etc/hostkit/hostkit.yml"]
    assert "/opt" not in words[2]
    assert "/etc" not in words[2]
