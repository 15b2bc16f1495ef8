"""Going back on a real disk: what fails is said, the rest goes back, the record stays until all is."""

import pytest

from hostkit.bootstrap.disk import Disk
from hostkit.bootstrap.keep import FOLDER, Kept
from hostkit.bootstrap.restore import go_back, way_back
from hostkit.bootstrap.touched import Touch
from tests.conftest import FakeHost

PASSWD = "root:x:0:0::/root:/bin/bash\nagent:x:999:999:hostkit agents:/nonexistent:/usr/sbin/nologin\n"
PS = ("ps", "-e", "-o", "uid=")
FIND = ("find", "/", "-ignore_readdir_race", "(", "-path", "/proc", "-o", "-path", "/sys", "-o", "-path",
        "/var/lib/hostkit", ")", "-prune", "-o", "-uid", "999", "-print", "-quit")  # fmt: skip


@pytest.fixture
def disk(tmp_path):
    for folder in ("etc/ssh", "var/lib"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/ssh/sshd_config").write_text("theirs")
    return Disk(tmp_path)


def changed(disk, host, paths, change, after=None):
    touches = [Touch("30-ssh", kind, name) for kind, name in paths]
    Kept(disk).open_run(host, touches)
    change()
    Kept(disk).close_run(after or host, touches)


def back(disk, host):
    said = {"undone": [], "failed": [], "stays": []}
    whole = go_back(host, disk, lambda became, says: said[became].append(says))
    return whole, said["undone"], said["failed"] + said["stays"]


def test_all_goes_back_and_a_second_time_there_is_nothing(disk):
    paths = [("file", "/var/lib/hostkit"), ("file", "/etc/new"), ("file", "/etc/ssh/sshd_config")]

    def change():
        disk.at("/etc/new").write_text("ours")
        disk.at("/etc/ssh/sshd_config").write_text("ours")

    changed(disk, FakeHost(), paths, change)
    whole, done, failed = back(disk, FakeHost())
    assert (whole, failed) == (True, [])
    assert done == ["remove /etc/new", "put back /etc/ssh/sshd_config"]
    assert disk.at("/etc/ssh/sshd_config").read_text() == "theirs"
    assert not list(disk.at("/var/lib").iterdir())
    assert way_back(FakeHost(), disk) is None


def test_what_sshd_would_not_take_is_not_put_back_and_the_record_stays(disk):
    def change():
        disk.at("/etc/ssh/sshd_config").write_text("ours")
        disk.at("/etc/new").write_text("ours")

    changed(disk, FakeHost(), [("file", "/etc/ssh/sshd_config"), ("file", "/etc/new")], change)
    whole, done, failed = back(disk, FakeHost(files={"/usr/sbin/sshd": ""}))
    assert (whole, done) == (False, ["remove /etc/new"])
    assert failed == ["put back /etc/ssh/sshd_config: /usr/sbin/sshd -t: not taught"]
    assert disk.at("/etc/ssh/sshd_config").read_text() == "ours"
    assert Kept(disk).record() is not None

    whole, done, failed = back(disk, FakeHost({("/usr/sbin/sshd", "-t"): ""}, {"/usr/sbin/sshd": ""}))
    assert (whole, done, failed) == (True, ["put back /etc/ssh/sshd_config"], [])
    assert disk.at("/etc/ssh/sshd_config").read_text() == "theirs"


def test_what_the_owner_wrote_since_lies_beside_what_went_back(disk):
    changed(disk, FakeHost(), [("file", "/etc/new")], lambda: disk.at("/etc/new").write_text("ours"))
    disk.at("/etc/new").write_text("the owner's")
    assert back(disk, FakeHost())[0]
    assert not disk.at("/etc/new").exists()
    assert disk.at("/etc/new.hostkit-undo").read_text() == "the owner's"


def test_a_folder_in_which_somebody_keeps_files_stays_theirs(disk):
    changed(disk, FakeHost(), [("file", "/etc/hostkit")], disk.at("/etc/hostkit").mkdir)
    disk.at("/etc/hostkit/hostkit.yml").write_text("policy")
    assert back(disk, FakeHost()) == (True, [], ["remove /etc/hostkit: it is not empty"])
    assert disk.at("/etc/hostkit/hostkit.yml").read_text() == "policy"


def test_other_records_of_hostkits_keep_its_folder(disk):
    changed(disk, FakeHost(), [("file", "/var/lib/hostkit")], lambda: None)
    disk.at("/var/lib/hostkit/state.json").write_text("")
    assert back(disk, FakeHost())[0]
    assert [path.name for path in disk.at("/var/lib/hostkit").iterdir()] == ["state.json"]


@pytest.mark.parametrize(
    ("commands", "says"),
    [
        ({PS: "0\n999\n"}, "something still runs as agent; see it with ps -u agent"),
        ({PS: "0\n", FIND: "/srv/agents/one\n"}, "/srv/agents/one belongs to agent; give it to another account"),
        ({PS: "0\n", FIND: "", ("userdel", "agent"): ""}, ""),
        ({PS: "0\n", FIND: ""}, "userdel agent: not taught"),
    ],
)
def test_an_account_goes_only_when_nothing_is_its_own_any_more(disk, commands, says):
    before = FakeHost(files={"/etc/passwd": PASSWD.splitlines()[0]})
    after = FakeHost(commands, {"/etc/passwd": PASSWD, "/etc/group": "root:x:0:\n"})
    changed(disk, before, [("account", "agent")], lambda: None, after)
    whole, _, failed = back(disk, after)
    assert whole == (not says)
    assert (failed[0] if failed else "").removeprefix("remove the account agent: ").startswith(says)


def test_a_fence_that_does_not_come_down_stops_everything(disk):
    def change():
        disk.at("/etc/new").write_text("ours")

    files = {"/usr/sbin/nft": ""}
    changed(
        disk,
        FakeHost({("nft", "list", "tables"): "table ip nat\n"}, files),
        [("file", "/etc/new"), ("table", "inet hostkit")],
        change,
        FakeHost({("nft", "list", "tables"): "table inet hostkit\n"}, files),
    )
    whole, done, failed = back(disk, FakeHost({("nft", "list", "tables"): "table inet hostkit\n"}, files))
    assert (whole, done) == (False, [])
    assert failed == ["take the fence down: nft delete table inet hostkit: not taught"]
    assert disk.at("/etc/new").exists()
    assert disk.at(FOLDER).exists()
