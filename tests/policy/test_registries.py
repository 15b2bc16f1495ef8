from hostkit.policy.registries import npm_hosts, pip_hosts

PIP = """\
[global]
index-url = https://user:secret@Packages.example/simple
extra-index-url =
    https://more.example:443/simple
    http://plain.example/simple
# index-url = https://commented.example/
[install]
index_url = https://other.example:8443/simple
"""
NPM = """\
registry=https://npm.example/
; registry=https://commented.example/
@acme:registry = "https://scoped.example/npm/"
//npm.example/:_authToken=npm_secret
"""


def test_pips_indexes_are_read_from_its_files_and_its_environment_and_only_their_hosts():
    found = pip_hosts([PIP, "no ini file"], {"PIP_EXTRA_INDEX_URL": "https://env.example/simple https://10.0.0.1/x"})
    assert found == ("env.example", "more.example", "packages.example")


def test_npms_registries_are_read_with_those_of_single_scopes():
    assert npm_hosts([NPM], {"NPM_CONFIG_REGISTRY": "https://env.example"}) == (
        "env.example",
        "npm.example",
        "scoped.example",
    )


def test_where_nothing_is_set_nothing_is_found():
    assert pip_hosts([""], {}) == npm_hosts([""], {}) == ()
