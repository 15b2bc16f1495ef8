"""What is minted, by whom it is taken and refused, and who may read the key behind it."""

import ssl
import stat
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509 import verification

from hostkit.errors import CannotTell, HostkitError
from hostkit.secrets import authority
from tests.secrets import tls

NAMES = ("api.example.com", "*.example.org")


@pytest.fixture
def state(tmp_path):
    (tmp_path / "state").mkdir(mode=0o700)
    return tmp_path / "state"


def issued(state, client="acme", names=NAMES, generation=1, now=tls.NOW):
    return authority.issue(client, names, generation, now, state)


def certificates(leaf):
    return x509.load_pem_x509_certificates(leaf.chain_pem)


def taken(root_pem, leaf, asked, folder):
    """Return "" if Python takes a leaf in a handshake, else its words."""
    (folder / "root.pem").write_bytes(root_pem)
    with tls.serving(leaf.chain_pem, leaf.key_pem, folder) as port:
        return tls.python_ssl(str(folder / "root.pem"), asked, port, folder)


@pytest.mark.parametrize("case", tls.CASES, ids=lambda case: case.what)
@pytest.mark.parametrize("client", tls.CLIENTS)
def test_each_client_takes_what_is_listed_and_refuses_what_is_not(client, case, tmp_path):
    if tls.missing(client):
        pytest.skip(f"{client} is not on this machine")
    root, shown, key = tls.chain(case)
    (tmp_path / "root.pem").write_bytes(root)
    with tls.serving(shown, key, tmp_path) as port:
        said = tls.CLIENTS[client](str(tmp_path / "root.pem"), case.asked, port, tmp_path)
    assert (said == "") is (case.taken or (client, case.what) in tls.LOOSE), said


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("a name outside", "permitted subtree violation"),
        ("a name that only ends alike", "permitted subtree violation"),
        ("a listed name beside one outside", "permitted subtree violation"),
        ("an address", "excluded subtree violation"),
        ("a name outside in the subject alone", "permitted subtree violation"),
        ("a leaf of last week", "certificate has expired"),
        ("an authority below the intermediate", "path length constraint exceeded"),
        ("another client's leaf", "unable to get local issuer certificate"),
    ],
)
def test_it_is_refused_for_that_reason_and_no_other(what, says, tmp_path):
    root, shown, key = tls.chain(next(case for case in tls.CASES if case.what == what))
    asked = next(case.asked for case in tls.CASES if case.what == what)
    assert taken(root, authority.Leaf(asked, shown, key), asked, tmp_path) == says


def test_what_is_issued_is_taken_by_python_as_it_is_and_by_the_web_pkis_rules(state, tmp_path):
    made = issued(state)
    assert [leaf.name for leaf in made.leaves] == ["*.example.org", "api.example.com"]
    for leaf, asked in zip(made.leaves, ("a.example.org", "api.example.com"), strict=True):
        assert taken(made.root_pem, leaf, asked, tmp_path) == ""
        store = verification.Store([x509.load_pem_x509_certificate(made.root_pem)])
        verifier = verification.PolicyBuilder().store(store).time(tls.NOW).build_server_verifier(x509.DNSName(asked))
        shown, above = certificates(leaf)
        assert len(verifier.verify(shown, [above])) == 3


def test_the_intermediate_permits_the_names_alone_and_no_address(state):
    above = certificates(issued(state).leaves[0])[1]
    limits = above.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert [name.value for name in limits.value.permitted_subtrees] == ["api.example.com", "example.org"]
    assert [str(address.value) for address in limits.value.excluded_subtrees] == ["0.0.0.0/0", "::/0"]
    assert above.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_the_root_stays_over_reloads_and_each_generation_has_an_intermediate_of_its_own(state):
    one, two = issued(state), issued(state, generation=2)
    assert one.root_pem == two.root_pem
    first, second = (certificates(made.leaves[0])[1] for made in (one, two))
    assert first.public_key() != second.public_key()
    assert "generation 2" in second.subject.rfc4514_string()


def test_two_clients_share_nothing(state, tmp_path):
    one, two = issued(state), issued(state, "other")
    assert one.root_pem != two.root_pem
    says = "unable to get local issuer certificate"
    assert taken(two.root_pem, one.leaves[1], "api.example.com", tmp_path) == says


def test_with_nothing_to_inspect_there_is_a_root_and_no_leaf(state):
    assert issued(state, names=()).leaves == ()


def test_leaves_live_a_week_and_are_due_when_a_third_is_left(state):
    made, week = issued(state), timedelta(days=7)
    chain = made.leaves[0].chain_pem
    assert made.renew == tls.NOW + week * 2 / 3
    assert all(entry.not_valid_after_utc == tls.NOW + week for entry in certificates(made.leaves[0]))
    assert not authority.due(chain, made.renew - timedelta(minutes=1))
    assert authority.due(chain, made.renew)
    assert authority.due(chain, tls.NOW - timedelta(days=1))


def test_a_root_that_nears_its_end_is_certified_anew_and_both_copies_take_the_same_leaf(state, tmp_path):
    old = issued(state, now=tls.NOW - authority.ROOT_LIFE + timedelta(days=179))
    new = issued(state)
    assert old.root_pem != new.root_pem
    assert x509.load_pem_x509_certificate(new.root_pem).not_valid_after_utc == tls.NOW + authority.ROOT_LIFE
    for root in (old.root_pem, new.root_pem):
        assert taken(root, new.leaves[1], "api.example.com", tmp_path) == ""
    assert issued(state, now=tls.NOW + timedelta(days=1)).root_pem == new.root_pem


def test_the_roots_key_is_the_owners_alone_and_no_other_key_is_written(state):
    leaf = issued(state).leaves[0]
    files = {path.relative_to(state): path for path in state.rglob("*")}
    assert [str(name) for name in sorted(files)] == ["authority", "authority/acme", "authority/acme/root.pem"]
    assert [stat.S_IMODE(path.stat().st_mode) for _, path in sorted(files.items())] == [0o700, 0o700, 0o600]
    assert leaf.key_pem not in (state / "authority/acme/root.pem").read_bytes()
    assert "PRIVATE" not in repr(leaf) + repr(issued(state))


@pytest.mark.parametrize(("path", "mode"), [("acme/root.pem", 0o640), ("acme", 0o750), (".", 0o711)])
def test_a_key_that_others_could_have_read_signs_nothing(state, path, mode):
    issued(state)
    (state / "authority" / path).chmod(mode)
    with pytest.raises(CannotTell, match="that only its owner"):
        issued(state)


def test_a_link_in_the_place_of_the_key_is_not_followed(state, tmp_path):
    issued(state)
    (state / "authority/acme/root.pem").rename(tmp_path / "elsewhere")
    (state / "authority/acme/root.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotTell, match="symbolic links"):
        issued(state)


@pytest.mark.parametrize("content", ["", "words", "half"])
def test_a_file_that_is_no_root_and_its_key_is_refused_and_told_without_what_it_holds(state, content):
    issued(state)
    path = state / "authority/acme/root.pem"
    issued(state, "other")
    certificate = (state / "authority/other/root.pem").read_text().partition("-----BEGIN CERT")
    half = path.read_text().partition("-----BEGIN CERT")[0] + "".join(certificate[1:])
    path.write_text({"half": half}.get(content, content))
    with pytest.raises(CannotTell, match="holds no root and its key") as caught:
        issued(state)
    assert "PRIVATE" not in str(caught.value)


def test_what_is_removed_is_gone_and_what_comes_after_is_another(state):
    old = issued(state)
    authority.remove("acme", state)
    assert list((state / "authority").iterdir()) == []
    authority.remove("acme", state)
    assert issued(state).root_pem != old.root_pem


@pytest.mark.parametrize("name", ["..", "../other", "", "a/b", "Acme", "acme\n"])
def test_what_is_no_clients_name_is_no_folder(state, name):
    with pytest.raises(HostkitError, match="is no client's name"):
        issued(state, name)
    with pytest.raises(HostkitError, match="is no client's name"):
        authority.remove(name, state)


def test_a_link_in_the_place_of_the_folder_deletes_nothing_elsewhere(state, tmp_path):
    issued(state)
    (state / "authority/acme").rename(tmp_path / "elsewhere")
    (state / "authority/acme").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotTell, match="delete it by hand"):
        authority.remove("acme", state)
    assert (tmp_path / "elsewhere/root.pem").exists()


def test_python_without_the_stricter_flags_takes_it_too(state, tmp_path):
    made = issued(state)
    context = ssl.create_default_context(cadata=made.root_pem.decode())
    leaf = made.leaves[1]
    with tls.serving(leaf.chain_pem, leaf.key_pem, tmp_path) as port:
        assert tls.dialled(context, "api.example.com", port) == ""
