"""As much of HTTP/2 as a client needs that opens many streams and counts gRPC messages on them. Pure: bytes in, bytes and counts out.

Watches are measured with this instead of grpcio, whose Python side takes as long for a message as the server does: with both on two cores
the client would be measured. Headers that come in are not read; a stream that ends is counted.

Source: RFC 9113 (frames), RFC 7541 (a literal header field without indexing), gRPC over HTTP/2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE: Final = 4
WINDOW: Final = (1 << 31) - 1 - 65_535
"""What is added to a window at once: all that fits, so that it need not be opened again."""

HEAD: Final = struct.Struct(">HBBBI")
MESSAGE_HEAD_BYTES: Final = 5
Header = tuple[str, str]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame: 24 bits of size, kind, flags, stream."""
    return HEAD.pack(len(payload) >> 8, len(payload) & 0xFF, kind, flags, stream) + payload


def opening() -> bytes:
    """What a client says first: it takes as much as ever comes."""
    settings = frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, WINDOW))
    return PREFACE + settings + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", WINDOW))


def call(stream: int, headers: Iterable[Header], message: bytes) -> bytes:
    """A gRPC call with one message."""
    block = b"".join(b"\x00" + text(name) + text(value) for name, value in headers)
    body = b"\x00" + struct.pack(">I", len(message)) + message
    return frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, body)


def text(value: str) -> bytes:
    """A string of a header: its size as an integer with a prefix of seven bits, then itself."""
    raw = value.encode()
    size, head = len(raw), bytearray()
    if size < 0x7F:
        head.append(size)
    else:
        head.append(0x7F)
        size -= 0x7F
        while size >= 0x80:
            head.append(size & 0x7F | 0x80)
            size >>= 7
        head.append(size)
    return bytes(head) + raw


class Messages:
    """Counts the gRPC messages of one stream, however they are cut into frames."""

    def __init__(self) -> None:
        self.count = 0
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take in what a frame brings."""
        rest = self._rest + data
        while len(rest) >= MESSAGE_HEAD_BYTES:
            size = MESSAGE_HEAD_BYTES + int.from_bytes(rest[1:MESSAGE_HEAD_BYTES], "big")
            if len(rest) < size:
                break
            self.count += 1
            rest = rest[size:]
        self._rest = rest


class Connection:
    """What comes in on one connection.

    messages   by stream
    ended      streams that the server has ended, or all when it goes away
    """

    def __init__(self, streams: Iterable[int]) -> None:
        self.messages = {stream: Messages() for stream in streams}
        self.ended: set[int] = set()
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Take in bytes; -> what has to be answered."""
        rest, answers, place = self._rest + data, [], 0
        while len(rest) - place >= HEAD.size:
            high, low, kind, flags, stream = HEAD.unpack_from(rest, place)
            end = place + HEAD.size + (high << 8 | low)
            if len(rest) < end:
                break
            answers.append(self._frame(kind, flags, stream, rest[place + HEAD.size : end]))
            place = end
        self._rest = rest[place:]
        return b"".join(answers)

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        if kind == DATA and stream in self.messages:
            self.messages[stream].feed(payload)
        if kind == GOAWAY:
            self.ended.update(self.messages)
        elif kind == RST_STREAM or (kind in (DATA, HEADERS) and flags & END_STREAM):
            self.ended.add(stream)
        elif kind in (SETTINGS, PING) and not flags & ACK:
            return frame(kind, ACK, 0, payload if kind == PING else b"")
        return b""
