"""What no attempt from inside a sandbox can show, why, and the test on a real engine that shows it instead."""

from typing import Final, NamedTuple


class Elsewhere(NamedTuple):
    """One thing that is shown by a test: what, why by no probe, and the test's file and name."""

    what: str
    why: str
    test: str


ELSEWHERE: Final = (
    Elsewhere(
        "Rules that are broken, empty, of an older generation or gone close the gateway, through a restart too.",
        "nothing inside reaches a gateway's rules",
        "tests/e2e/test_gateway.py::test_rules_that_are_broken_stop_everything_a_restart_included_until_they_are_whole",
    ),
    Elsewhere(
        "No key and no placeholder is in any record.",
        "nothing inside reads a gateway's records",
        "tests/e2e/test_clients.py::test_none_of_it_is_in_a_record",
    ),
    Elsewhere(
        "A rotated key is used without a restart, and the agent keeps its placeholder.",
        "only the host rotates a key, and a drill holds none of the client's",
        "tests/e2e/test_clients.py::test_a_rotated_key_is_used_without_a_restart_and_the_agent_keeps_its_placeholder",
    ),
    Elsewhere(
        "A key of another account than the policy names gets nobody anywhere.",
        "it takes a key of another account",
        "tests/e2e/test_clients.py::test_a_key_of_another_account_than_the_policys_is_good_for_nothing",
    ),
    Elsewhere(
        "Another client's placeholder is an alarm at both clients.",
        "alarms are told on the host, and the other client of a drill is nobody",
        "tests/e2e/test_alarms.py::test_another_clients_placeholder_is_denied_and_an_alarm_at_both",
    ),
)
