"""A data folder: who may open it, what is refused, and what damage is noticed."""

from __future__ import annotations

import os
from pathlib import Path

import lmdb
import pytest

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.store import Delete, Engine, Put, StoreError, Txn


def open_store(path: Path) -> Engine:
    return Engine(path, VirtualClock(), SeededEntropy(1), threaded=False, sync=False, quota_bytes=1 << 26)


def filled(path: Path, count: int = 3) -> None:
    engine = open_store(path)
    for number in range(count):
        engine.submit(Txn(success=[Put(b"/key-%d" % number, b"value-%d" % number)]))
        engine.flush()
    engine.close()


def edit(path: Path, database: bytes, key: bytes, value: bytes | None) -> None:
    """Change an entry behind the store's back."""
    environment = lmdb.open(str(path), max_dbs=2, map_size=1 << 26)
    with environment.begin(write=True, db=environment.open_db(database)) as txn:
        if value is None:
            assert txn.delete(key)
        else:
            assert txn.put(key, value)
    environment.close()


def test_a_second_opener_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    engine = open_store(tmp_path / "s")
    with pytest.raises(StoreError, match=f"held by process {os.getpid()}") as caught:
        open_store(tmp_path / "s")
    assert caught.value.kind == "locked"
    engine.close()
    open_store(tmp_path / "s").close()


def test_a_folder_of_another_format_is_named_and_left_alone(tmp_path: Path) -> None:
    filled(tmp_path / "s")
    edit(tmp_path / "s", b"meta", b"format", b"kcore-store-99")
    with pytest.raises(StoreError, match="kcore-store-99") as caught:
        open_store(tmp_path / "s")
    assert caught.value.kind == "format"
    edit(tmp_path / "s", b"meta", b"format", None)
    with pytest.raises(StoreError, match="holds a file without a format"):
        open_store(tmp_path / "s")


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "data.mdb").write_bytes(b"something else" * 1_000)
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path / "s")
    assert caught.value.kind == "format"


def test_a_damaged_record_is_found_when_the_store_is_opened(tmp_path: Path) -> None:
    filled(tmp_path / "s")
    data = (tmp_path / "s" / "data.mdb").read_bytes()
    (tmp_path / "s" / "data.mdb").write_bytes(data.replace(b"value-1", b"value-X"))
    with pytest.raises(StoreError, match=r"chunk 2 of the log, after revision 2: the checksum at 0") as caught:
        open_store(tmp_path / "s")
    assert caught.value.kind == "corrupt"


def test_a_chunk_with_an_odd_name_is_damage(tmp_path: Path) -> None:
    filled(tmp_path / "s")
    edit(tmp_path / "s", b"log", b"odd", b"")
    with pytest.raises(StoreError, match="a chunk by the name b'odd'") as caught:
        open_store(tmp_path / "s")
    assert caught.value.kind == "corrupt"


def test_a_record_damaged_while_the_store_is_open_is_found_when_it_is_read(tmp_path: Path) -> None:
    filled(tmp_path / "s")
    engine = open_store(tmp_path / "s")
    with open(tmp_path / "s" / "data.mdb", "r+b") as file:
        data = file.read()
        file.seek(data.rindex(b"value-1"))
        file.write(b"value-X")
    assert engine.get(b"/key-0") is not None
    with pytest.raises(StoreError, match="does not hold") as caught:
        engine.get(b"/key-1")
    assert caught.value.kind == "corrupt"
    engine.close()


def test_revisions_go_on_where_they_ended_even_if_nothing_is_left(tmp_path: Path) -> None:
    filled(tmp_path / "s")
    engine = open_store(tmp_path / "s")
    for number in range(3):
        key = b"/key-%d" % number
        engine.submit(Txn(success=[Put(key, b"again")]))
        engine.revert(engine.head_revision)
    engine.submit(Txn(success=[Delete(b"/", b"0")]))
    engine.flush()
    newest = engine.revision
    engine.submit(Txn(success=[Put(b"/last", b"")]))
    engine.submit(Txn(success=[Delete(b"/last")]))
    engine.flush()
    engine.compact(engine.revision - 1)
    engine.flush()
    engine.compact(engine.revision)
    engine.flush()
    engine.close()
    again = open_store(tmp_path / "s")
    assert (again.revision, len(again.index)) == (newest + 2, 0)
    again.close()
