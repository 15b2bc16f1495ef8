"""The listeners of a proof hear who knocks, from outside and from the host itself."""

import socket
import threading
import time

from hostkit.launch.listeners import Listeners


def knock(address, port):
    socket.create_connection((address, port), timeout=2).close()


def heard(listeners, subnet):
    end = time.monotonic() + 2
    while not (found := listeners.heard(subnet)) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def test_a_connection_from_the_sandboxs_network_is_heard_at_its_address():
    with Listeners(["127.0.0.1"]) as listeners:
        knock(*listeners.targets[0])
        assert heard(listeners, "127.0.0.0/29") == {"127.0.0.1"}


def test_who_comes_while_it_is_asked_who_came_disturbs_nothing():
    listeners = Listeners([])

    def come():
        for number in range(300):
            listeners._peers.add((str(number), "10.231.0.3"))
            time.sleep(0)

    coming = threading.Thread(target=come)
    coming.start()
    while coming.is_alive():
        listeners.heard("10.231.0.0/29")
    assert len(listeners.heard("10.231.0.0/29")) == 300


def test_the_control_connection_is_not_taken_for_the_sandbox():
    with Listeners(["127.0.0.1"]) as listeners:
        assert listeners.reached() == {"127.0.0.1"}
        assert heard(listeners, "127.0.0.0/29") == {"127.0.0.1"}
        assert listeners.heard("10.231.0.0/29") == frozenset()


def test_an_address_that_is_not_the_hosts_has_no_listener():
    with Listeners(["192.0.2.254"]) as listeners:
        assert listeners.targets == []
        assert listeners.reached() == frozenset()
