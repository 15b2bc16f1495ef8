import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostkit.posture.versions import compared, older

SORTED = ["0~~", "0~~a", "0~", "0", "0+b1", "1.0~rc1-1", "1.0-1", "1.0-1+deb12u1", "1.0-1+deb12u9", "1.0-1+deb12u10",
          "1.0a-1", "1.0.1-1", "1.10-1", "1:0.1-1", "2:0-1"]  # fmt: skip


def test_versions_come_in_debians_order():
    for place, version in enumerate(SORTED):
        assert [older(version, other) for other in SORTED] == [place < number for number in range(len(SORTED))]


@pytest.mark.parametrize(("one", "other"), [("1.0", "1.0-0"), ("1.00", "1.0"), ("0:1", "1"), ("1.0-", "1.0")])
def test_two_spellings_of_one_version_are_equal(one, other):
    assert compared(one, other) == 0


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is Debian's")
@settings(max_examples=150, deadline=None)
@given(*[st.from_regex(r"\A([0-9]:)?[0-9][0-9a-zA-Z.+~]{0,6}(-[0-9a-zA-Z.+~]{1,4})?\Z")] * 2)
def test_dpkg_says_the_same(one, other):
    said = subprocess.run(["dpkg", "--compare-versions", one, "lt", other], check=False, capture_output=True).returncode
    assert older(one, other) == (said == 0), (one, other)
