import re
import string

from hypothesis import given
from hypothesis import strategies as st

from hostkit.gateway.marks import ALPHABET, LENGTH, RANDOM, find_marks, mark, sealed

CLIENTS = st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True)
DRAWN = st.text(ALPHABET, min_size=RANDOM, max_size=RANDOM)
AROUND = st.binary(max_size=60) | st.text(string.ascii_letters + string.digits + "hk", max_size=60).map(str.encode)


@given(CLIENTS, DRAWN)
def test_a_mark_has_one_form_and_is_known_for_its_clients(client, drawn):
    whole = sealed(client, drawn)
    assert re.fullmatch(rf"{mark(client)}[0-9a-z]{{24}}", whole)
    assert len(whole) == LENGTH
    assert find_marks(whole.encode()) == {mark(client)}


@given(CLIENTS, DRAWN, AROUND, AROUND)
def test_it_is_found_whatever_stands_around_it(client, drawn, before, after):
    assert find_marks(before + sealed(client, drawn).encode() + after) == {mark(client)}


@given(CLIENTS, CLIENTS, DRAWN)
def test_two_clients_marks_side_by_side_are_both_found(one, two, drawn):
    assert find_marks((sealed(one, drawn) + sealed(two, drawn[::-1])).encode()) == {mark(one), mark(two)}


@given(CLIENTS, DRAWN, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_with_one_letter_changed_it_is_no_mark(client, drawn, place, letter):
    whole = sealed(client, drawn)
    changed = whole[:place] + letter + whole[place + 1 :]
    assert find_marks(changed.encode()) == ({mark(client)} if changed == whole else set())


@given(st.binary(max_size=2000) | st.text("hk0123456789abcdef", max_size=2000).map(str.encode))
def test_what_nobody_sealed_is_no_mark(text):
    assert find_marks(text) == set()


def test_a_beginning_without_its_seal_is_no_mark():
    assert find_marks(f"{mark('acme')}{'0' * 24}".encode()) == set()
    assert find_marks(sealed("acme", "x" * RANDOM)[:-1].encode()) == set()
