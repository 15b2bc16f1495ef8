"""The way back: in which order, what is left alone, and what is said of what stays."""

import pytest

from hostkit.bootstrap.record import ABSENT, Record, Thing
from hostkit.bootstrap.touched import FENCE
from hostkit.bootstrap.undo import PROGRAM, plan

PASSWD = "hostkit-agent:x:999:999:hostkit agents:/nonexistent:/usr/sbin/nologin"


def text(word):
    return {"kind": "file", "mode": 0o644, "uid": 0, "gid": 0, "digest": word}


FOLDER = {"kind": "directory", "mode": 0o755, "uid": 0, "gid": 0}


def unit(enabled, *, active, there=True):
    return {"there": there, "enabled": enabled, "active": active}


NOT_THERE = unit("", active=False, there=False)


def changed(play, kind, name, was, now, *, sure=True):
    """Return a thing that hostkit changed from `was` to `now`."""
    return Thing(play, kind, name, was, was, now, sure)


def way(*things, **now):
    """Return the plan where all is as hostkit left it but for the names in `now`."""
    states = {thing.key: now.get(thing.name, thing.wrote or thing.was) for thing in things}
    return plan(Record(things), states)


def says(found):
    return [act.says for act in found.acts]


def test_the_plays_go_back_in_reverse_the_fence_before_all_and_an_empty_folder_after_its_files():
    found = way(
        changed("10-account", "account", "hostkit-agent", {"entry": None}, {"entry": PASSWD}),
        changed("30-ssh", "file", "/etc/ssh/sshd_config.d/10-hostkit.conf", ABSENT, text("ours")),
        changed("45-kernel", "sysctl", "kernel.kptr_restrict", {"value": "0"}, {"value": "2"}),
        changed("90-fence", "file", "/usr/local/lib/hostkit", ABSENT, FOLDER),
        changed("90-fence", "file", PROGRAM, ABSENT, text("program")),
        changed("90-fence", "unit", "hostkit-fence.service", NOT_THERE, unit("enabled", active=True)),
        changed("90-fence", "file", "/etc/systemd/system/hostkit-fence.service", ABSENT, text("unit")),
        changed("90-fence", "table", FENCE, {"there": False}, {"there": True}),
    )
    assert says(found) == [
        "take the fence down",
        "hostkit-fence.service: stop, disable",
        f"remove {PROGRAM}",
        "remove /etc/systemd/system/hostkit-fence.service",
        "remove /etc/ssh/sshd_config.d/10-hostkit.conf",
        "remove /usr/local/lib/hostkit",
        "let systemd read its units anew",
        "kernel.kptr_restrict = 0",
        "remove the account hostkit-agent",
    ]
    assert found.acts[0].commands == ((PROGRAM, "undo"),)
    assert found.acts[0].is_first
    assert found.stays == ()


def test_the_engine_is_never_stopped_with_the_fences_unit_its_drop_in_goes_first():
    found = way(
        changed("90-fence", "unit", "hostkit-fence.service", NOT_THERE, unit("enabled", active=True)),
        changed("90-fence", "file", "/etc/systemd/system/hostkit-fence.service", ABSENT, text("unit")),
        changed("90-fence", "file", "/etc/systemd/system/docker.service.d/10-hostkit.conf", ABSENT, text("drop-in")),
    )
    order = says(found)
    assert order == [
        "remove /etc/systemd/system/docker.service.d/10-hostkit.conf",
        "let systemd read its units anew",
        "hostkit-fence.service: stop, disable",
        "remove /etc/systemd/system/hostkit-fence.service",
        "let systemd read its units anew",
    ]


def test_what_hostkit_did_not_change_or_is_back_already_is_not_touched():
    alone = Thing("30-ssh", "file", "/etc/a", text("theirs"), text("theirs"))
    back = changed("30-ssh", "file", "/etc/b", text("theirs"), text("ours"))
    found = plan(Record((alone, back)), {alone.key: text("theirs, newer"), back.key: text("theirs")})
    assert (found.acts, found.stays) == ((), ())


def test_where_the_fence_stood_before_it_stays():
    assert says(way(changed("90-fence", "table", FENCE, {"there": True}, {"there": True}))) == []


@pytest.mark.parametrize(
    ("thing", "now"),
    [
        (changed("p", "file", "/etc/a", ABSENT, text("ours")), text("theirs")),
        (changed("p", "file", "/etc/a", text("before"), text("ours")), {**text("ours"), "mode": 0o600}),
        (changed("p", "file", "/etc/a", ABSENT, text("both"), sure=False), text("both")),
    ],
)
def test_what_somebody_else_may_have_written_is_kept_beside(thing, now):
    (act,) = way(thing, **{thing.name: now}).acts
    assert act.aside == {"/etc/a"}
    assert act.says.endswith("; what is there now is kept as /etc/a.hostkit-undo")


def test_what_a_killed_run_left_goes_back_though_nobody_came_to_say_what_it_was():
    thing = Thing("p", "file", "/etc/a", ABSENT, ABSENT)
    package = Thing("p", "package", "nftables", {"installed": False}, {"installed": False})
    now = {thing.key: text("half"), package.key: {"installed": True}}
    found = plan(Record((thing, package), running=True), now)
    assert says(found) == ["remove /etc/a; what is there now is kept as /etc/a.hostkit-undo"]
    assert found.stays == ("package nftables stays; to remove it: apt-get remove nftables",)
    assert plan(Record((thing, package)), now).acts == ()


def test_what_hostkit_alone_wrote_leaves_no_copy():
    (act,) = way(changed("p", "file", "/etc/a", text("theirs"), text("ours"))).acts
    assert (act.aside, act.says) == (frozenset(), "put back /etc/a")


def test_what_sshd_and_sudo_read_goes_back_together_and_only_if_they_take_it():
    found = way(
        changed("30-ssh", "file", "/etc/ssh/sshd_config", text("theirs"), text("ours")),
        changed("30-ssh", "file", "/etc/ssh/sshd_config.d/10-hostkit.conf", ABSENT, text("ours")),
        changed("10-account", "file", "/etc/sudoers.d/agent", text("theirs"), text("ours")),
    )
    assert [(len(act.files), act.check) for act in found.acts] == [
        (1, ("/usr/sbin/visudo", "-c", "-q", "-f", "/etc/sudoers.d/agent")),
        (2, ("/usr/sbin/sshd", "-t")),
    ]


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        (unit("enabled", active=True), unit("masked", active=False), ["unmask", "enable", "start"]),
        (unit("disabled", active=False), unit("enabled", active=True), ["disable", "stop"]),
        (unit("masked", active=False), unit("enabled", active=True), ["mask", "stop"]),
        (unit("static", active=True), unit("masked", active=False), ["unmask", "start"]),
        (unit("enabled", active=False), unit("disabled", active=False), ["enable"]),
    ],
)
def test_a_unit_goes_back_to_how_it_started_and_whether_it_ran(was, now, words):
    acts = way(changed("p", "unit", "autofs.service", was, now)).acts
    assert [command[2] for act in acts[1:] for command in act.commands] == words
    assert acts[0].commands == (("systemctl", "daemon-reload"),)


def test_a_unit_that_flushes_everybodys_tables_is_neither_started_nor_reloaded():
    running, ended = unit("enabled", active=True), unit("disabled", active=False)
    found = way(changed("90-fence", "unit", "nftables.service", running, ended))
    assert says(found)[1:] == ["nftables.service: enable"]
    assert found.stays == (
        "nftables.service loads its tables at the next boot; it flushes all others, so it is not started now",
    )
    found = way(
        changed("90-fence", "file", "/etc/hostkit/fence.nft", ABSENT, text("ours")),
        Thing("90-fence", "unit", "nftables.service", running, running),
    )
    assert [act for act in found.acts if "nftables" in act.says] == []


def test_what_runs_on_reads_the_files_that_went_back_but_the_engine_is_left_running():
    running = unit("enabled", active=True)
    found = way(
        changed("30-ssh", "file", "/etc/ssh/sshd_config", text("theirs"), text("ours")),
        Thing("30-ssh", "unit", "ssh.service", running, running),
        changed("60-engine", "file", "/etc/docker/daemon.json", ABSENT, text("ours")),
        Thing("60-engine", "unit", "docker.service", running, running),
        Thing("50-journal", "unit", "systemd-journald.service", running, running),
    )
    reloads = [act for act in found.acts if "read its files anew" in act.says]
    assert [(act.commands, act.needed) for act in reloads] == [
        ((("systemctl", "try-reload-or-restart", "ssh.service"),), False)
    ]
    assert found.stays == (
        "an engine that runs goes on as it was set; to let it read its files anew: systemctl restart docker",
    )


@pytest.mark.parametrize(
    ("thing", "now"),
    [
        (changed("p", "sysctl", "kernel.a", {"value": "0"}, {"value": "2"}), {"value": "1"}),
        (
            changed("p", "unit", "a.service", unit("enabled", active=True), unit("masked", active=False)),
            unit("disabled", active=False),
        ),
        (changed("p", "account", "agent", {"entry": None}, {"entry": "a"}), {"entry": "b"}),
    ],
)
def test_what_somebody_else_set_since_is_left_and_said(thing, now):
    found = way(thing, **{thing.name: now})
    assert found.acts == ()
    (line,) = found.stays
    assert line.startswith(f"{thing.kind} {thing.name}: somebody else has changed it since hostkit did")


def test_a_unit_that_came_to_run_since_is_not_somebody_elses_work():
    thing = changed("p", "unit", "a.service", unit("disabled", active=False), unit("enabled", active=False))
    assert "a.service: disable, stop" in says(way(thing, **{"a.service": unit("enabled", active=True)}))


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        (
            changed("p", "package", "nftables", {"installed": False}, {"installed": True}),
            "package nftables stays; to remove it: apt-get remove nftables",
        ),
        (
            changed("p", "package", "ntp", {"installed": True}, {"installed": False}),
            "package ntp was taken out; to have it again: apt-get install ntp",
        ),
        (
            changed("p", "unit", "auditd.service", NOT_THERE, unit("enabled", active=True)),
            "auditd.service came with a package and stays; to end it: systemctl disable --now auditd.service",
        ),
        (
            changed("p", "account", "agent", {"entry": "agent:old"}, {"entry": "agent:new"}),
            "account agent was agent:old; to have it so again: vipw",
        ),
        (
            changed("p", "file", "/etc/fstab", text("theirs"), text("ours")),
            "shares that were unmounted stay so; to mount them again: mount -a",
        ),
        (
            changed("p", "file", "/etc/apparmor.d/hostkit-agent", ABSENT, text("ours")),
            "the kernel holds the profile hostkit-agent until the next boot: agents may run under it",
        ),
        (
            changed("p", "file", "/etc/a", {"kind": "big", "size": 99}, text("ours")),
            "/etc/a: it was big, now it is file: not kept; put it back by hand",
        ),
        (
            changed("p", "file", "/etc/a", text("theirs"), FOLDER),
            "/etc/a: it was file, now it is directory: not kept; put it back by hand",
        ),
    ],
)
def test_what_does_not_go_back_is_said_with_what_to_do(thing, says):
    assert way(thing).stays == (says,)


def test_cut_short_it_still_knows_its_own_units_from_a_packages():
    own = changed("p", "unit", "a.service", NOT_THERE, unit("enabled", active=True))
    file = changed("p", "file", "/etc/systemd/system/a.service", ABSENT, text("unit"))
    found = way(own, file, **{"a.service": unit("", active=True, there=False), file.name: ABSENT})
    assert says(found) == ["a.service: stop", "let systemd read its units anew"]
    assert found.stays == ()


def test_without_the_fences_program_its_table_goes_all_the_same():
    table = changed("p", "table", FENCE, {"there": False}, {"there": True})
    program = changed("p", "file", PROGRAM, ABSENT, text("program"))
    assert way(table, program, **{PROGRAM: ABSENT}).acts[0].commands == (("nft", "delete", "table", "inet", "hostkit"),)
