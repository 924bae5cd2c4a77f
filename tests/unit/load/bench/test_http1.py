"""Requests and answers of the raw client: whatever pieces come, whole answers and all events are counted."""

import pytest

from kcore.load.bench.http1 import Answer, Answers, Marks, request
from kcore.load.bench.plane import BenchError

FIRST = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
SECOND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
EVENTS = b'a\r\n{"type":"ADDED"}\n\r\na\r\n{"type":"ADDED"}\n\r\n{"type":"DELETED"}\n'


def test_a_request_has_the_length_of_its_body_and_none_without_one() -> None:
    assert request("GET", "/a", "secret") == (
        b"GET /a HTTP/1.1\r\nhost: kcore\r\nauthorization: Bearer secret\r\naccept: application/json\r\n\r\n"
    )
    assert request("PATCH", "/a", "t", b"{}", "text/x").endswith(b"\r\ncontent-type: text/x\r\ncontent-length: 2\r\n\r\n{}")


@pytest.mark.parametrize("size", range(1, len(FIRST + SECOND) + 1))
def test_answers_are_put_together_wherever_they_are_cut(size: int) -> None:
    answers, data, found = Answers(), FIRST + SECOND, list[Answer]()
    for start in range(0, len(data), size):
        found += answers.feed(data[start : start + size])
    assert found == [Answer(200, b"hello"), Answer(404, b"")]


def test_an_answer_without_a_length_is_refused() -> None:
    with pytest.raises(BenchError, match="an answer has no length: HTTP/1"):
        Answers().feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


@pytest.mark.parametrize("size", range(1, len(EVENTS) + 1))
def test_marks_are_counted_once_wherever_they_are_cut(size: int) -> None:
    marks = Marks(b'{"type":"ADDED"')
    for start in range(0, len(EVENTS), size):
        marks.feed(EVENTS[start : start + size])
    assert marks.count == 2
