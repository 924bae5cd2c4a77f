"""What h2load prints is read, and counts only if what was asked for was done."""

from dataclasses import replace

import pytest

from kcore.load.bench import calls
from kcore.load.bench.calls import Told
from kcore.load.bench.plane import BenchError
from kcore.load.bench.rows import Requests

OUTPUT = """
finished in 1.59s, 1883.10 req/s, 1.35MB/s
requests: 3000 total, 3000 started, 3000 done, 2999 succeeded, 1 failed, 1 errored, 0 timeout
status codes: 2999 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 2.15MB (2259428) total, 8.86KB (9075) headers (space savings 96.27%), 2.02MB (2113922) data
                     min         max         mean         sd        +/- sd
time for request:      381us     84.95ms      1.02s     11.07ms    78.47%
time for connect:     1.02ms      1.02ms      1.02ms         0us   100.00%
"""
CREATE, GET = Requests("c", "create", 4, 10), Requests("g", "get", 4, 10)
TOLD = Told(100.0, 10, 10 * 705, 1.0, 2.0)


def test_rate_successes_bytes_and_times_are_read_in_their_units() -> None:
    assert calls.read(OUTPUT) == Told(1883.1, 2999, 2113922, 1020.0, 84.95)


def test_output_that_is_not_understood_is_no_figure() -> None:
    with pytest.raises(BenchError, match="nobody understands: finished early"):
        calls.read("finished early")


def test_creates_count_only_if_as_many_objects_are_there() -> None:
    calls.check(CREATE, TOLD, 10, 700)
    for told, found in ((TOLD, 9), (TOLD, 11), (replace(TOLD, succeeded=9), 9)):
        with pytest.raises(BenchError, match="instead of 10"):
            calls.check(CREATE, told, found, 700)


def test_gets_count_only_if_they_brought_the_object_each_time() -> None:
    calls.check(GET, TOLD, 0, 700)
    with pytest.raises(BenchError, match="10 gets of 700 bytes brought 50 bytes"):
        calls.check(GET, replace(TOLD, data_bytes=50), 0, 700)
    with pytest.raises(BenchError, match="1 objects were made instead of 0"):
        calls.check(GET, TOLD, 1, 700)
