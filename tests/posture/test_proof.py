"""A proof cannot be altered, and is worth nothing past its day, before it, or for another machine."""

import base64
import json
import os
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from hostkit.errors import CannotTell, Exit, HostkitError
from hostkit.policy import load
from hostkit.posture import keys, proof, seal
from hostkit.posture.identity import Identity, identify
from hostkit.posture.seal import opened, sealed, spelled
from tests.conftest import FakeHost

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(b"o" * 32)
MINI = Identity("mini-1", "a" * 32, "linux")
WAIVERS = (("c-one", "the office needs it", NOW.date()),)


def claimed(span=timedelta(days=7), made=NOW, **counts):
    found = counts or {"ok": 3, "waived": 1}
    return proof.claim(MINI, ("/etc/hostkit/hostkit.yml", "b" * 64), "c" * 64, found, WAIVERS, made, span)


GENUINE = sealed(proof.stated(claimed()), KEY)


def plain():
    return json.loads(proof.stated(claimed()))


def enveloped(payload, kind=seal.PAYLOAD_TYPE, key=KEY):
    """Return an envelope made by somebody else's code, signed as DSSE says."""
    signature = key.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload))
    signed = {"keyid": seal.key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}
    told = {"payload": base64.b64encode(payload).decode(), "payloadType": kind, "signatures": [signed]}
    return spelled(told) + b"\n"


def test_it_says_who_what_when_and_until_when():
    told = proof.read(opened(GENUINE, KEY.public_key()))
    assert told == claimed()
    assert proof.judge(told, NOW) == (Exit.STANDS, "it stands until 2026-12-06T12:00:00Z")


def test_the_envelope_is_dsses_and_the_statement_in_totos():
    assert enveloped(proof.stated(claimed())) == GENUINE
    statement = json.loads(base64.b64decode(json.loads(GENUINE)["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "check.json", "digest": {"sha256": "c" * 64}}]


def refused(text, key=KEY):
    """Return the exit code and what is said of a proof that must not pass."""
    with pytest.raises(HostkitError) as why:
        proof.read(opened(text, key.public_key()))
    return why.value.code, str(why.value)


@given(st.integers(0, len(GENUINE) - 1), st.integers(1, 255))
@settings(max_examples=400, deadline=None)
def test_no_byte_of_it_can_be_altered(place, change):
    altered = bytearray(GENUINE)
    altered[place] ^= change
    assert refused(bytes(altered))[0] in {Exit.FOUND, Exit.REFUSED}


@given(st.integers(0, len(GENUINE)), st.binary(min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_nothing_can_be_put_in_or_behind_it(place, more):
    assert refused(GENUINE[:place] + more + GENUINE[place:])[0] in {Exit.FOUND, Exit.REFUSED}


@given(st.integers(0, len(GENUINE) - 1))
@settings(max_examples=200, deadline=None)
def test_no_part_of_it_is_a_proof(length):
    assert refused(GENUINE[:length])[0] in {Exit.FOUND, Exit.REFUSED}


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_garbage_is_bad_input(garbage):
    assert refused(garbage)[0] is Exit.REFUSED


def test_another_key_is_told():
    assert refused(GENUINE, OTHER) == (
        Exit.FOUND,
        "the signature is not that key's over these words; trust nothing that it says",
    )


def test_another_statement_under_the_same_signature_is_told():
    envelope = json.loads(GENUINE)
    better = plain()
    better["predicate"]["counts"] = {"ok": 99}
    envelope["payload"] = base64.b64encode(spelled(better)).decode()
    assert refused(spelled(envelope) + b"\n")[0] is Exit.FOUND


def test_an_envelope_that_names_another_key_is_refused():
    envelope = json.loads(GENUINE)
    envelope["signatures"][0]["keyid"] = seal.key_id(OTHER.public_key())
    code, said = refused(spelled(envelope) + b"\n")
    assert (code, "spelled in another way" in said) == (Exit.REFUSED, True)


REFUSALS = {
    "has something behind it": GENUINE + b"{}",
    "it has 'payload' twice": GENUINE.replace(b'{"payload":', b'{"payload":"","payload":', 1),
    "it has 'sig' twice": GENUINE.replace(b'"sig":', b'"sig":"","sig":'),
    "the payload's type is 'application/json'": enveloped(proof.stated(claimed()), "application/json"),
    "the payload's type is ['application": GENUINE.replace(
        b'"application/vnd.in-toto+json"', b'["application/vnd.in-toto+json"]'
    ),
    "spelled in another way": json.dumps(json.loads(GENUINE)).encode(),
    "is over 1 MiB": b" " * (seal.LONGEST + 1),
    "is not UTF-8": b"\xff" + GENUINE,
    "is not JSON": b"-----BEGIN PUBLIC KEY-----",
    "NaN is no number": b'{"payload":NaN}',
    "no DSSE envelope": b"[]",
    "not JSON that has one meaning": b"[" * 500_000,
    "not just one signature": spelled({**json.loads(GENUINE), "signatures": json.loads(GENUINE)["signatures"] * 2}),
    "is not base64": GENUINE.replace(b'"payload":"', b'"payload":"*'),
}


@pytest.mark.parametrize("says", REFUSALS)
def test_what_is_no_proof_is_refused_by_name(says):
    code, said = refused(REFUSALS[says])
    assert (code, says in said) == (Exit.REFUSED, True), said


def altered(**changes):
    """Return a statement of the genuine key with other words in its predicate."""
    statement = plain()
    statement["predicate"].update(changes)
    return enveloped(spelled(statement))


SIGNED_NONSENSE = {
    "'predicate.counts.green.[key]'": altered(counts={"green": 1}),
    "'predicate.more': extra_forbidden": altered(more=1),
    "'predicate.made_at'": altered(made_at="2026-11-29T12:00:00+00:00"),
    "no such time": altered(made_at="2026-02-30T12:00:00Z"),
    "no such day": altered(waivers=[{"id": "a", "why": "b", "until": "2026-02-30"}]),
    "not a time that hostkit gives": altered(expires_at="2026-11-29T12:00:00Z"),
    "from 2026-11-29T12:00:00Z to 2027-03-01": altered(expires_at="2027-03-01T12:00:00Z"),
    "'_type'": enveloped(spelled({**plain(), "_type": "https://in-toto.io/Statement/v0.1"})),
    "'predicateType'": enveloped(spelled({**plain(), "predicateType": "https://slsa.dev/provenance/v1"})),
    "'subject'": enveloped(spelled({**plain(), "subject": []})),
    "it has '_type' twice": enveloped(b'{"_type":"",' + proof.stated(claimed())[1:]),
    "something behind it": enveloped(proof.stated(claimed()) + b"{}"),
}


@pytest.mark.parametrize("says", SIGNED_NONSENSE)
def test_what_the_right_key_signed_and_hostkit_never_writes_is_refused_by_name(says):
    code, said = refused(SIGNED_NONSENSE[says])
    assert (code, says in said) == (Exit.REFUSED, True), said


@pytest.mark.parametrize(
    ("counts", "after", "code", "says"),
    [
        ({"ok": 1}, timedelta(), 0, "stands until"),
        ({"ok": 1, "waived": 2, "skip": 1}, timedelta(days=6, hours=23), 0, "stands until"),
        ({"ok": 1}, timedelta(days=7), 3, "ran out at 2026-12-06T12:00:00Z"),
        ({"ok": 1}, timedelta(minutes=-5), 0, "stands until"),
        ({"ok": 1}, timedelta(minutes=-6), 3, "yet to come"),
        ({"ok": 9, "fail": 1}, timedelta(), 1, "1 of the checks failed"),
        ({"ok": 9, "fail": 1}, timedelta(days=300), 1, "1 of the checks failed"),
        ({"ok": 9, "unknown": 2}, timedelta(), 3, "2 of the checks could not tell"),
        ({"skip": 9}, timedelta(), 3, "0 of the checks could not tell"),
        ({"waived": 1}, timedelta(), 3, "0 of the checks could not tell"),
    ],
)
def test_what_a_genuine_proof_is_worth(counts, after, code, says):
    verdict = proof.judge(claimed(**counts), NOW + after)
    assert (int(verdict[0]), says in verdict[1]) == (code, True), verdict


def test_a_clock_that_was_set_back_makes_no_proof():
    with pytest.raises(CannotTell, match=r"the clock says 2026-11-29T12:00:00Z, and a check was run at 2026-12-01"):
        proof.refuse_clock(NOW, datetime(2026, 12, 1, tzinfo=UTC))
    proof.refuse_clock(NOW, NOW + timedelta(minutes=4))
    proof.refuse_clock(NOW, None)


@pytest.mark.parametrize(
    "word", ["0d", "91d", "2161h", "7", "d", "-1d", "1.5d", "7d ", "7D", "1w", "1\u0663d", "9" * 400 + "d"]
)
def test_no_proof_stands_longer_than_ninety_days_or_for_a_word_that_means_nothing(word):
    with pytest.raises(HostkitError, match="not a time up to 90 days"):
        proof.lasts(word)


def test_how_long_it_stands_is_days_or_hours():
    assert (proof.lasts("90d"), proof.lasts("12h")) == (timedelta(days=90), timedelta(hours=12))


def test_nobodys_posture_is_not_attested():
    for host in (Identity("", "a" * 32, "linux"), Identity("mini-1", "", "linux")):
        with pytest.raises(CannotTell, match="name or its id cannot be read"):
            proof.claim(host, ("p", "b" * 64), "c" * 64, {"ok": 1}, (), NOW, timedelta(days=1))


def test_a_policy_that_changed_while_the_host_was_checked_is_not_attested(tmp_path):
    path = tmp_path / "hostkit.yml"
    path.write_text("version: 1\nhost:\n  resolvers: [198.51.100.53]\n")
    policy = load(path)
    assert proof.policy_digest(policy) == "a464b6a2e4e08311c044a94cee22e9871550e8d6de295eb2bd0b4fdcf611c1df"
    for text in ("version: 1\nhost:\n  resolvers: [198.51.100.54]\n", "[", "\udcff"):
        path.write_text(text, errors="surrogateescape")
        with pytest.raises(HostkitError, match="was changed while the host was checked"):
            proof.policy_digest(policy)
    path.unlink()
    with pytest.raises(HostkitError, match="was changed while"):
        proof.policy_digest(policy)


class TestKeys:
    """The key of a host is made once, and is its own only."""

    def test_it_is_made_on_first_use_and_stays(self, tmp_path):
        state = tmp_path / "state"
        first = keys.public_pem(keys.private_key(state))
        assert keys.public_pem(keys.private_key(state)) == first
        shown = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (state, *state.rglob("*"))}
        assert shown == {"state": 0o700, "attest": 0o700, "key.pem": 0o600}

    def test_two_first_uses_at_once_agree(self, tmp_path):
        found = []
        both = [
            threading.Thread(target=lambda: found.append(keys.public_pem(keys.private_key(tmp_path)))) for _ in range(8)
        ]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert len(found) == 8
        assert len(set(found)) == 1

    def test_one_that_others_may_know_is_refused(self, tmp_path):
        keys.private_key(tmp_path)
        (tmp_path / "attest/key.pem").chmod(0o640)
        with pytest.raises(HostkitError, match=r"not a file that only its owner reads \(mode 0640"):
            keys.private_key(tmp_path)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
    def test_one_of_somebody_else_is_refused(self, tmp_path):
        keys.private_key(tmp_path)
        os.chown(tmp_path / "attest/key.pem", 4242, 4242)
        with pytest.raises(HostkitError, match="uid 4242"):
            keys.private_key(tmp_path)

    def test_a_link_is_not_followed_and_a_pipe_does_not_hang(self, tmp_path):
        keys.private_key(tmp_path)
        file = tmp_path / "attest/key.pem"
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(HostkitError, match="symbolic links"):
            keys.private_key(tmp_path)
        file.unlink()
        os.mkfifo(file, 0o600)
        with pytest.raises(HostkitError, match="not a file that only its owner reads"):
            keys.private_key(tmp_path)

    @pytest.mark.parametrize(
        "text", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
    )
    def test_what_is_no_key_is_refused_and_never_replaced(self, tmp_path, text):
        keys.private_key(tmp_path)
        file = tmp_path / "attest/key.pem"
        file.write_bytes(text)
        with pytest.raises(HostkitError, match="no Ed25519 key in PEM"):
            keys.private_key(tmp_path)
        assert file.read_bytes() == text

    def test_only_an_ed25519_public_key_verifies(self, tmp_path):
        own, file = keys.private_key(tmp_path), tmp_path / "pub"
        file.write_text(keys.public_pem(own))
        assert seal.key_id(keys.public_key(file)) == seal.key_id(own.public_key())
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
        file.write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        with pytest.raises(HostkitError, match="no Ed25519 public key"):
            keys.public_key(file)
        with pytest.raises(HostkitError, match="No such file"):
            keys.public_key(tmp_path / "none")

    def test_a_private_key_is_not_taken_for_a_public_one(self, tmp_path):
        keys.private_key(tmp_path)
        with pytest.raises(HostkitError, match="a private key; it never leaves its host"):
            keys.public_key(tmp_path / "attest/key.pem")

    def test_the_key_is_in_no_proof_and_no_refusal(self, tmp_path):
        key = keys.private_key(tmp_path)
        raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        text = sealed(proof.stated(claimed()), key)
        for spelling in (raw, raw.hex().encode(), base64.b64encode(raw)[:42]):
            assert spelling not in text


def test_a_machine_keeps_its_word_when_its_name_changes_and_its_number_is_not_told():
    files = {"/etc/machine-id": "0123456789abcdef0123456789abcdef\n"}
    one, two = (identify(FakeHost(files={**files, "/proc/sys/kernel/hostname": name})) for name in ("a\n", "b\n"))
    assert (one.name, two.name, one.machine == two.machine) == ("a", "b", True)
    assert "0123456789abcdef" not in one.machine
    assert identify(FakeHost()) == Identity("", "", "linux")


def test_a_mac_is_known_by_its_platforms_number():
    said = '    "IOPlatformUUID" = "00000000-1111-2222-3333-444444444444"\n'
    commands = {("hostname",): "mini.local\n", ("ioreg", "-rd1", "-c", "IOPlatformExpertDevice"): said}
    found = identify(FakeHost(commands, platform="darwin"))
    assert (found.name, len(found.machine)) == ("mini.local", 32)
    assert "4444" not in found.machine
