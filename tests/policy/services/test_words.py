import pytest

from hostkit.policy.services.words import expanded, expanded_all, leaving_place


@pytest.mark.parametrize("name", ["host", "content-length", "transfer-encoding", "connection", "te"])
def test_a_key_leaves_in_no_header_that_the_gateway_itself_writes(name):
    with pytest.raises(ValueError, match="the gateway itself writes"):
        leaving_place(f"header:{name}={{}}")
    assert leaving_place("header:x-host={}") == "header:x-host={}"


def test_a_template_stands_once_for_each_choice_of_its_words():
    words = {"owner": ("acme",), "repositories": ("a", "b"), "none": ()}
    assert expanded("/$owner/$repositories.git", words) == ("/acme/a.git", "/acme/b.git")
    assert expanded("/plain", words) == ("/plain",)
    assert expanded("/$none/$owner", words) == ()
    assert expanded_all(("x", "$repositories"), words) == ("x", "a", "b")


def test_what_a_word_stands_for_is_not_read_again():
    assert expanded("$owner", {"owner": ("$repositories",), "repositories": ("b",)}) == ("$repositories",)
