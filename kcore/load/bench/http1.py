"""As much of HTTP/1.1 over TLS as a load needs: many connections, read by one thread as they have something.

What h2load cannot do is measured with this: requests that differ, and answers that do not end. An HTTP library on the client's side
would take as long for an event as the server does. `request`, `Answers` and `Marks` are pure, `Lines` reads and writes.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import urllib.parse
from collections.abc import Iterator
from typing import Final, NamedTuple

from kcore.base import limits
from kcore.base.config import DataDir, Endpoints
from kcore.load.bench import http
from kcore.load.bench.plane import BenchError

END_OF_HEAD: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
STATUS: Final = slice(9, 12)
"""Where a head has its status: `HTTP/1.1 200 OK`."""

READ_BYTES: Final = 1 << 16


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    body: bytes


def request(method: str, path: str, token: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
    """A request as it is sent."""
    lines = [f"{method} {path} HTTP/1.1", "host: kcore", f"authorization: Bearer {token}", "accept: application/json"]
    if body:
        lines += [f"content-type: {content_type}", f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode() + END_OF_HEAD + body


class Answers:
    """Puts answers of a connection together. Each must have a length."""

    def __init__(self) -> None:
        self.data = b""

    def feed(self, data: bytes) -> list[Answer]:
        """The answers that are whole with what came now. Raises BenchError for one without a length."""
        self.data += data
        found = []
        while (end := self.data.find(END_OF_HEAD)) >= 0:
            length = LENGTH.search(self.data, 0, end)
            if length is None:
                raise BenchError(f"an answer has no length: {self.data[:end].decode('latin-1')}")
            start = end + len(END_OF_HEAD)
            stop = start + int(length[1])
            if len(self.data) < stop:
                break
            found.append(Answer(int(self.data[STATUS]), self.data[start:stop]))
            self.data = self.data[stop:]
        return found


class Marks:
    """Counts how often a text was in what came, wherever it was cut."""

    def __init__(self, mark: bytes) -> None:
        self.mark, self.rest, self.count = mark, b"", 0

    def feed(self, data: bytes) -> None:
        """Take what came now."""
        text = self.rest + data
        self.count += text.count(self.mark)
        self.rest = text[max(len(text) - len(self.mark) + 1, 0) :]


class Lines:
    """Connections to the HTTPS port, each known by its place."""

    def __init__(self, directory: DataDir) -> None:
        url, self.token = http.address(directory)
        where, found = urllib.parse.urlsplit(url), Endpoints.read(directory)
        self.host, self.port = where.hostname or "", where.port or 0
        self.context = ssl.create_default_context(cafile=found.ca if found is not None else None)
        self.sockets: list[ssl.SSLSocket] = []
        self.places: dict[int, int] = {}
        self.poll = select.epoll()

    def open(self) -> int:
        """Open a connection; -> its place."""
        plain = socket.create_connection((self.host, self.port), limits.BENCH_WATCH_TIMEOUT_S)
        line = self.context.wrap_socket(plain, server_hostname=self.host)
        line.setblocking(False)
        self.places[line.fileno()] = len(self.sockets)
        self.poll.register(line.fileno(), select.EPOLLIN)
        self.sockets.append(line)
        return len(self.sockets) - 1

    def send(self, place: int, data: bytes) -> None:
        """Send what is shorter than what the system takes at once."""
        self.sockets[place].sendall(data)

    def read(self) -> Iterator[tuple[int, bytes]]:
        """Wait until something comes; -> (place, data) of each that has something.

        Raises  BenchError if nothing comes, or a connection ends
        """
        ready = self.poll.poll(limits.BENCH_WATCH_TIMEOUT_S, len(self.sockets))
        if not ready:
            raise BenchError(f"nothing came within {limits.BENCH_WATCH_TIMEOUT_S:g} s")
        for number, _ in ready:
            place = self.places[number]
            if data := self.drained(self.sockets[place]):
                yield place, data

    def drained(self, line: ssl.SSLSocket) -> bytes:
        """All that a connection has at present; b'' where that is no more than a part of a record."""
        found = b""
        try:
            while data := line.recv(READ_BYTES):
                found += data
        except ssl.SSLWantReadError:
            return found
        raise BenchError("the server ended a connection")

    def ask(self, place: int, data: bytes) -> Answer:
        """Send a request on one connection and wait for its answer; nothing else may be under way."""
        answers = Answers()
        self.send(place, data)
        while True:
            for _, came in self.read():
                if found := answers.feed(came):
                    return found[0]

    def close(self) -> None:
        """Close all."""
        self.poll.close()
        for line in self.sockets:
            line.close()
