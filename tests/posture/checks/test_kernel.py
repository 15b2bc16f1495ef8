from hostkit.bootstrap.kernel import SETTINGS, path
from hostkit.posture.checks import kernel as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
LIVE = {path(name): f"{value}\n" for name, value in SETTINGS.items()}
LIMIT = ("systemctl", "show", "--property=DefaultLimitCORE", "--value")
INSIDE = {"/run/systemd/container": "docker"}
REDIRECTS = path("net.ipv4.conf.all.accept_redirects")


def kernel(limit="0", inside=None, **changed):
    files = {**LIVE, **{path(name.replace("__", ".")): value for name, value in changed.items()}, **(inside or {})}
    return FakeHost({LIMIT: f"{limit}\n"}, files=files)


CASES = [
    (subject.settings_are_in_force, kernel(), P, "ok", f"{len(SETTINGS)} settings"),
    (subject.settings_are_in_force, kernel(kernel__dmesg_restrict="0"), P, "fail", "kernel.dmesg_restrict is 0"),
    (subject.settings_are_in_force, kernel(kernel__unprivileged_bpf_disabled="1"), P, "ok", "settings"),
    (
        subject.settings_are_in_force,
        kernel(inside=INSIDE, kernel__dmesg_restrict="0"),
        P,
        "ok",
        "around this container",
    ),
    (subject.settings_are_in_force, FakeHost(files={**LIVE, **INSIDE, REDIRECTS: "1"}), P, "fail", "redirects is 1"),
    (subject.settings_are_in_force, FakeHost(), P, "fail", "shows none of them"),
    (subject.settings_are_in_force, FakeHost(facts=dict.fromkeys(LIVE, "there")), P, "unknown", "not taught"),
    (subject.nothing_dumps_core, kernel(), P, "ok", "nowhere"),
    (subject.nothing_dumps_core, kernel(kernel__core_pattern="core"), P, "fail", "core_pattern is core"),
    (subject.nothing_dumps_core, kernel("infinity"), P, "fail", "DefaultLimitCORE is infinity"),
    (subject.nothing_dumps_core, kernel("infinity", INSIDE), P, "fail", "services may dump core"),
    (subject.nothing_dumps_core, kernel(inside=INSIDE, kernel__core_pattern="core"), P, "ok", "around this container"),
    (subject.nothing_dumps_core, FakeHost(), P, "unknown", "not taught"),
]
