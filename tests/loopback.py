"""Tests may open sockets to this machine only. Importing this module switches the rule on, for good.

Python's audit hook sees each connection and each name look-up before it happens, whichever library makes it.
"""

import sys
from ipaddress import ip_address

CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
LOOKING_UP = {"socket.getaddrinfo", "socket.gethostbyname"}


class LeftTheMachine(RuntimeError):
    """A test tried to reach another machine."""


def refuse_other_machines(event: str, details: tuple[object, ...]) -> None:
    """Raise LeftTheMachine for an address or a host name that is not this machine's own."""
    if event in CONNECTING:
        address = details[1]
        # Only internet addresses are tuples: a Unix socket's is a path, and cannot leave the machine.
        host = address[0] if isinstance(address, tuple) else None
    elif event in LOOKING_UP:
        host = details[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if not is_this_machine(host):
        raise LeftTheMachine(f"{event}: {host}")


def is_this_machine(host: object) -> bool:
    if host in (None, "", "localhost"):
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


sys.addaudithook(refuse_other_machines)
