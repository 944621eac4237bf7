"""Clients for the benchmarks: raw sockets that keep their connection, so that what is measured is the server."""

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from time import perf_counter

TIMEOUT_SECONDS = 30.0
_sent = count()


@dataclass(frozen=True)
class Answer:
    """One answer: how long it took from the first byte sent to the last one read, and what came."""

    seconds: float
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection to a server on this machine, kept alive from request to request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = self._connect()

    def ask(self, request: bytes) -> Answer:
        """Send `request` and read the whole answer. Raises OSError when the server is gone or silent."""
        began = perf_counter()
        self.connection.sendall(request)
        head, body = self._read()
        seconds = perf_counter() - began
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        if headers.get("connection", "").lower() == "close":
            self.close()
            self.connection = self._connect()
        return Answer(seconds, int(status_line.split()[1]), headers, body)

    def close(self) -> None:
        """Hang up."""
        self.connection.close()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _read(self) -> tuple[bytes, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._some()
        head, _, body = received.partition(b"\r\n\r\n")
        length = _content_length(head)
        while len(body) < length:
            body += self._some()
        return head, body

    def _some(self) -> bytes:
        received = self.connection.recv(65536)
        if not received:
            raise ConnectionError("the server hung up in the middle of an answer")
        return received


def get(path: str, cookie: str = "") -> bytes:
    """The bytes of a GET as a browser would send it, but without asking for compression."""
    return _head("GET", path, cookie) + b"\r\n"


def post(path: str, form: str, cookie: str) -> bytes:
    """The bytes of a form being sent."""
    body = form.encode()
    extra = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    return _head("POST", path, cookie) + extra.encode() + body


def take_turns(
    one: Client, ones: Sequence[bytes], other: Client, others: Sequence[bytes], at_once: int = 10
) -> tuple[list[Answer], list[Answer]]:
    """Send each list through its client, a few of one, then a few of the other: what slows the machine slows both."""
    answers: tuple[list[Answer], list[Answer]] = ([], [])
    for start in range(0, max(len(ones), len(others)), at_once):
        answers[0].extend(one.ask(request) for request in ones[start : start + at_once])
        answers[1].extend(other.ask(request) for request in others[start : start + at_once])
    return answers


def all_at_once(port: int, requests: Sequence[bytes], clients: int) -> tuple[list[Answer], float]:
    """Send `requests` from several clients at the same time; the answers, and how many seconds it took."""
    began = perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(lambda n: _one_of_many(port, requests[n::clients]), range(clients)))
    return [answer for some in answers for answer in some], perf_counter() - began


def percentile_ms(answers: Sequence[Answer], part: float) -> float:
    """The time, in milliseconds, within which `part` (0 to 1) of the answers came."""
    times = sorted(answer.seconds for answer in answers)
    return round(times[min(len(times) - 1, int(len(times) * part))] * 1000, 2)


def _one_of_many(port: int, requests: Sequence[bytes]) -> list[Answer]:
    client = Client(port)
    try:
        return [client.ask(request) for request in requests]
    finally:
        client.close()


def _head(method: str, path: str, cookie: str) -> bytes:
    """Each request comes from another network, as if through a proxy: the rates for one network are not measured."""
    n = next(_sent)
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"X-Forwarded-For: 10.{n // 250 % 250}.{n % 250}.1",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language: en,es;q=0.5",
        *([f"Cookie: {cookie}"] if cookie else []),
    ]
    return "\r\n".join([*lines, ""]).encode()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
