"""No test reaches a network."""

import socket
import sys

import pytest

from tests.loopback import LeftTheMachine

# These addresses and names are for documentation: nobody owns them. The hook is asked through `sys.audit`,
# not by connecting, so that nothing leaves the machine even where the rule is broken.


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.org", b"example.org", "127.0.0.1.example.org"])
@pytest.mark.parametrize("event", ["socket.connect", "socket.sendto"])
def test_another_machine_is_refused(event, host):
    with pytest.raises(LeftTheMachine):
        sys.audit(event, None, (host, 80))


def test_a_name_is_not_looked_up():
    with pytest.raises(LeftTheMachine):
        sys.audit("socket.getaddrinfo", "example.org", 80, 0, 0, 0)


def test_this_machine_may_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()
