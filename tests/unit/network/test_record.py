"""The address record on disk: what was acknowledged is found again, what was torn is cut off, what is damaged is named."""

import errno
import os
from pathlib import Path

import pytest

from kcore.base import limits
from kcore.network.ipam import NodeIpam
from kcore.network.record import HEADER, Entry, FileRecord, RecordError, decode, encode

A = Entry("a", ("10.1.0.2", "fd00::2"))
B = Entry("b", ("10.1.0.3", "fd00::3"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ipam"


def reopened(path: Path) -> list[Entry]:
    record = FileRecord(path)
    entries = record.entries()
    record.close()
    return entries


def written(path: Path, *entries: Entry) -> bytes:
    record = FileRecord(path)
    for entry in entries:
        record.append(entry)
    record.close()
    return path.read_bytes()


def test_lines_survive_encoding_and_decoding() -> None:
    for entry in (A, Entry("b", ("10.1.0.3",), held=False)):
        line = encode(entry)
        assert line.endswith(b"\n")
        assert decode(line[:-1]) == entry


def test_a_changed_byte_is_noticed() -> None:
    line = bytearray(encode(A)[:-1])
    line[-1] ^= 1
    assert decode(bytes(line)) is None


def test_what_was_appended_is_found_again(path: Path) -> None:
    written(path, A, B, Entry("a", A.addresses, held=False))
    assert reopened(path) == [Entry("a", (address,), held=False) for address in A.addresses] + [B]


@pytest.mark.parametrize("cut", range(1, len(encode(B))))
def test_a_torn_last_line_is_cut_off(path: Path, cut: int) -> None:
    whole = written(path, A, B)
    path.write_bytes(whole[:-cut])
    assert reopened(path) == [A]
    assert path.read_bytes() == HEADER + encode(A)


def test_a_garbled_last_line_is_cut_off(path: Path) -> None:
    whole = written(path, A, B)
    path.write_bytes(whole[:-5] + b"\0\0\0\0\n")
    assert reopened(path) == [A]


def test_a_torn_header_is_a_new_file(path: Path) -> None:
    path.write_bytes(HEADER[:4])
    assert reopened(path) == []
    assert path.read_bytes() == HEADER


def test_a_damaged_line_that_was_acknowledged_is_an_error(path: Path) -> None:
    whole = bytearray(written(path, A, B))
    whole[len(HEADER) + 3] ^= 1
    path.write_bytes(bytes(whole))
    with pytest.raises(RecordError, match=r"line 2 of .* is damaged"):
        FileRecord(path)


def test_another_format_is_named(path: Path) -> None:
    path.write_bytes(b"kcore-ipam 2\n")
    with pytest.raises(RecordError, match="not an address record of this version"):
        FileRecord(path)


def test_two_processes_cannot_hold_one_record(path: Path) -> None:
    record = FileRecord(path)
    with pytest.raises(RecordError, match="held by another process"):
        FileRecord(path)
    record.close()
    assert reopened(path) == []


def test_a_failed_write_leaves_no_trace(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = FileRecord(path)
    record.append(A)
    whole_write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: whole_write(file, data[:7]))
        with pytest.raises(RecordError, match="7 of"):
            record.append(B)
    record.append(Entry("c", ("10.1.0.4", "fd00::4")))
    record.close()
    assert [entry.owner for entry in reopened(path)] == ["a", "c"]


def test_after_a_failed_fsync_the_record_refuses_to_go_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(file: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    record = FileRecord(path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing)
        with pytest.raises(RecordError, match="must be opened again"):
            record.append(A)
    with pytest.raises(RecordError, match="must be opened again"):
        record.append(B)
    record.close()


def test_history_is_dropped_now_and_then(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IPAM_RECORD_LINES_SPARE", 8)
    record = FileRecord(path)
    record.append(B)
    for _ in range(50):
        record.append(A)
        record.append(Entry("a", A.addresses, held=False))
    record.close()
    assert path.read_bytes().count(b"\n") < 20
    assert reopened(path) == [Entry("a", (address,), held=False) for address in A.addresses] + [B]


def test_an_address_that_was_released_in_two_pairs_is_there_once(path: Path) -> None:
    """Families of different size pair their addresses anew; the one released last counts."""
    first, second = Entry("a", ("10.1.0.2", "fd00::2")), Entry("b", ("10.1.0.2", "fd00::3"))
    written(path, first, Entry("a", first.addresses, held=False), second, Entry("b", second.addresses, held=False))
    assert [entry.addresses for entry in reopened(path)] == [("fd00::2",), ("10.1.0.2",), ("fd00::3",)]


def test_ipam_over_a_file_goes_on_where_it_stopped(path: Path) -> None:
    record = FileRecord(path)
    ipam = NodeIpam(["10.1.0.0/28"], record)
    for owner in "abc":
        ipam.allocate(owner)
    ipam.release("b")
    record.close()
    record = FileRecord(path)
    again = NodeIpam(["10.1.0.0/28"], record)
    assert again.owners() == {"a", "c"}
    assert again.allocate("d") == ("10.1.0.5",)
    assert again.retain(["d"]) == ("a", "c")
    record.close()
