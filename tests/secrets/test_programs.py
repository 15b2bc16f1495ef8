"""A program of root's that is asked for a secret: what it may be, and what is never told of its answer."""

import os
import time

import pytest

from hostkit.errors import HostkitError
from hostkit.policy.model import Secret
from hostkit.secrets import programs
from hostkit.secrets.providers import fetch

VALUE = "s3cr3t-v4lu3"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only what is root's is run")


@pytest.fixture
def place(tmp_path_factory, monkeypatch):
    """Return a folder that counts as the root of the tree: above it lies /tmp, which others write."""
    path = tmp_path_factory.mktemp("programs")
    whole = programs._passed
    monkeypatch.setattr(
        programs, "_passed", lambda *given: (step for step in whole(*given) if step[0].startswith(f"{path}"))
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def tool(place):
    def made(script, name="tool"):
        path = place / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return made


def refused(source, says):
    with pytest.raises(HostkitError, match=says) as caught:
        fetch("token", source)
    assert VALUE not in str(caught.value)
    assert VALUE not in repr(caught.value.__cause__) + repr(caught.value.__context__)


def test_what_it_prints_is_the_value_without_one_line_end(tool):
    assert fetch("token", f"exec:{tool(f'printf {VALUE}')}") == VALUE.encode()
    assert fetch("token", f"exec:{tool(f'echo {VALUE}; echo')}") == f"{VALUE}\n".encode()


def test_bytes_that_are_no_text_are_kept(tool):
    path = tool(r"printf '\377\000\001'")
    assert fetch("token", f"exec:{path}") == b"\xff\x00\x01"


def test_words_are_split_as_quoted_and_no_shell_reads_them(tool):
    path = tool('printf "%s|" "$@"')
    assert fetch("token", f"exec:{path} read 'op://a b/c' $HOME;id *") == b"read|op://a b/c|$HOME;id|*|"


def test_it_has_a_clean_environment_and_nothing_on_its_stdin(tool, monkeypatch):
    for name in ("ACME_TOKEN", "OP_SERVICE_ACCOUNT_TOKEN", "VAULT_TOKEN", "LD_PRELOAD", "HOME"):
        monkeypatch.setenv(name, "/mine")
    monkeypatch.setenv("VAULT_ADDR", "https://vault.example.com")
    told = fetch("token", f"exec:{tool('env; cat; echo end')}").decode()
    assert {line.partition("=")[0] for line in told.splitlines()} <= {
        *("PATH", "HOME", "LC_ALL", "VAULT_ADDR", "PWD", "OLDPWD", "SHLVL", "_", "end"),
        *programs._PASSED,
    }
    assert "/mine" not in told
    assert "VAULT_ADDR=https://vault.example.com" in told


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("op read x", "names no program by its whole path"),
        ("", "names no program by its whole path"),
        ("/usr/bin/op 'read", "No closing quotation; quote it as for a shell"),
        ("/not/there", "No such file or directory"),
        ("/usr/bin", "is no program"),
        ("/etc/passwd", "is no program"),
        ("/proc/self/exe/x", "Not a directory"),
    ],
)
def test_a_line_that_names_no_program_is_refused(line, says):
    refused(f"exec:{line}", says)


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_a_program_that_others_can_write_is_refused_and_named(tool, mode):
    path = tool("echo x")
    path.chmod(mode)
    refused(f"exec:{path}", rf"{path} has mode {mode:04o}; others can write it")


def test_a_folder_on_the_way_that_others_can_write_is_refused_and_named(tool, place):
    (place / "open").mkdir(mode=0o755)
    path = tool("echo x", "open/tool")
    (place / "open").chmod(0o1777)
    refused(f"exec:{path}", rf"{place}/open has mode 1777; others can write it")


def test_a_program_of_somebody_elses_is_refused(tool):
    path = tool("echo x")
    os.chown(path, 12345, 12345)
    refused(f"exec:{path}", "belongs to uid 12345, not to root")


def test_links_of_roots_are_followed_and_everything_they_lead_through_is_looked_at(tool, place):
    (place / "bin").mkdir(mode=0o755)
    (place / "mid").symlink_to("bin")
    path = tool('printf "%s" "$0"', "bin/tool")
    (place / "link").symlink_to("mid/../mid/tool")
    assert fetch("token", f"exec:{place / 'link'}").endswith(b"bin/tool")
    os.chown(place / "mid", 12345, 12345, follow_symlinks=False)
    refused(f"exec:{place / 'link'}", r"/mid belongs to uid 12345, not to root")
    assert path.exists()


def test_links_in_a_ring_are_refused(place):
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    refused(f"exec:{place / 'a'}", "too many links")


def test_without_others_above_it_the_real_tree_is_looked_at(tmp_path):
    path = tmp_path / "tool"
    path.write_text("#!/bin/sh\necho x\n")
    path.chmod(0o755)
    refused(f"exec:{path}", r"/tmp\S* has mode 1777; others can write it")


def test_a_failure_tells_the_first_line_of_its_errors_escaped_and_cut_and_never_what_it_printed(tool):
    script = f"echo {VALUE}; printf '\\n\\033[31mnot signed in\\033[0m\\n{VALUE}\\n' >&2; exit 6"
    refused(f"exec:{tool(script)}", r"ended with 6: \\x1b\[31mnot signed in\\x1b\[0m; run it")
    path = tool("head -c 3000 /dev/zero | tr '\\0' x >&2; exit 1")
    refused(f"exec:{path}", r": x{200}; run it")


@pytest.mark.parametrize("printed", [VALUE, f"user=x {VALUE}"])
def test_an_error_that_repeats_what_was_printed_is_not_shown(tool, printed):
    refused(f"exec:{tool(f'echo {printed}; echo bad token {VALUE}, sorry >&2; exit 1')}", "so it is not shown")


@pytest.mark.parametrize("script", ["true", "echo", f"echo {VALUE} >&2"])
def test_a_program_that_prints_nothing_is_refused(tool, script):
    refused(f"exec:{tool(script)}", "printed nothing")


def test_a_program_that_says_too_much_is_ended(tool):
    refused(f"exec:{tool(f'yes {VALUE}')}", "says more than 65536 bytes")
    refused(f"exec:{tool(f'yes {VALUE} >&2')}", "says more than 65536 bytes")


def test_a_program_that_hangs_is_ended_with_what_it_started(tool, place, monkeypatch):
    monkeypatch.setattr(programs, "_TIMEOUT", 0.5)
    started = time.monotonic()
    refused(f"exec:{tool(f'echo {VALUE}; (sleep 2; touch {place}/alive) & sleep 60')}", r"gave no answer in 0.5 s")
    assert time.monotonic() - started < 2
    time.sleep(2)
    assert not (place / "alive").exists()


def test_a_child_that_keeps_the_pipe_open_is_ended_too(tool, place, monkeypatch):
    monkeypatch.setattr(programs, "_TIMEOUT", 0.5)
    refused(f"exec:{tool(f'(sleep 2; touch {place}/alive) & echo {VALUE}')}", r"gave no answer in 0.5 s")
    time.sleep(2)
    assert not (place / "alive").exists()


def test_a_file_that_cannot_be_executed_is_told(tool):
    path = tool("")
    path.write_text("#!/no/such/interpreter\n")
    refused(f"exec:{path}", "cannot be run: No such file or directory")


def test_a_program_of_this_very_system_is_run():
    assert fetch("token", "exec:/bin/echo the-value") == b"the-value"


def test_the_policy_lets_a_program_be_named_by_its_whole_path_only():
    assert Secret(source="exec:/usr/bin/op read op://vault/item").source
    with pytest.raises(ValueError, match="should match pattern"):
        Secret(source="exec:op read op://vault/item")
