"""Pack and check the records of which a chunk of the log consists.

A chunk is the value of one LMDB entry: the records of one commit, one after the other. A record is a header of 56 bytes,
the key and the value:

    offset  0 checksum u32   CRC-32 (the one of zlib) over all that follows in this record
            4 flags u32      bit 0: the key is deleted
            8 key_size u32   12 value_size u32   16 sub u32   20 reserved u32
           24 revision i64   32 create_revision i64   40 version i64   48 lease i64
           56 key            then value

For the store's engine. Thread: any. Cost: one pass over the bytes (sixteen at a time for the checksum), one copy for `pack`.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcpy

from kcore.scalars cimport int64_t, uint8_t, uint32_t, uint64_t
from kcore.store._values cimport Mutation

cdef uint32_t TABLES[16][256]


cdef void fill_tables() noexcept nogil:
    """Precompute the CRC of every byte at each of sixteen distances (slicing by sixteen)."""
    cdef uint32_t i
    cdef uint32_t crc
    cdef int k
    for i in range(256):
        crc = i
        for k in range(8):
            crc = (crc >> 1) ^ (<uint32_t>0xEDB88320 if crc & 1 else <uint32_t>0)
        TABLES[0][i] = crc
    for i in range(256):
        crc = TABLES[0][i]
        for k in range(1, 16):
            crc = TABLES[0][crc & 0xFF] ^ (crc >> 8)
            TABLES[k][i] = crc


cdef inline uint32_t distant(uint64_t word, int k) noexcept nogil:
    """Return the CRC of eight bytes that k others follow."""
    return (
        TABLES[k + 7][word & 0xFF]
        ^ TABLES[k + 6][(word >> 8) & 0xFF]
        ^ TABLES[k + 5][(word >> 16) & 0xFF]
        ^ TABLES[k + 4][(word >> 24) & 0xFF]
        ^ TABLES[k + 3][(word >> 32) & 0xFF]
        ^ TABLES[k + 2][(word >> 40) & 0xFF]
        ^ TABLES[k + 1][(word >> 48) & 0xFF]
        ^ TABLES[k][word >> 56]
    )


cdef uint32_t checksum_of(uint32_t checksum, const uint8_t* data, size_t size) noexcept nogil:
    """Continue a CRC-32 over size bytes; starts from 0."""
    cdef uint32_t crc = checksum ^ <uint32_t>0xFFFFFFFF
    cdef uint64_t words[2]
    while size >= 16:
        memcpy(words, data, 16)
        words[0] ^= crc
        crc = distant(words[0], 8) ^ distant(words[1], 0)
        data += 16
        size -= 16
    while size:
        crc = TABLES[0][(crc ^ data[0]) & 0xFF] ^ (crc >> 8)
        data += 1
        size -= 1
    return crc ^ <uint32_t>0xFFFFFFFF


cdef int64_t check_record(const uint8_t* data, size_t size, Header* header) except? -1 nogil:
    """Read the header at data, verify the checksum, and return the record's whole size; -1 if it does not hold."""
    cdef int64_t whole
    if size < HEADER_SIZE:
        return -1
    memcpy(header, data, HEADER_SIZE)
    whole = <int64_t>HEADER_SIZE + header.key_size + header.value_size
    if whole > <int64_t>size or checksum_of(0, data + 4, <size_t>(whole - 4)) != header.checksum:
        return -1
    return whole


cdef void sign(uint8_t* data, size_t size) noexcept nogil:
    """Fill in the checksum of every record of a chunk."""
    cdef Header header
    cdef size_t whole
    while size:
        memcpy(&header, data, HEADER_SIZE)
        whole = <size_t>HEADER_SIZE + header.key_size + header.value_size
        header.checksum = checksum_of(0, data + 4, whole - 4)
        memcpy(data, &header.checksum, 4)
        data += whole
        size -= whole


def checksum(const uint8_t[::1] data not None):
    """Return the CRC-32 of data, equal to zlib.crc32; for tests of this module."""
    if data.shape[0] == 0:
        return 0
    return checksum_of(0, &data[0], <size_t>data.shape[0])


def pack(list records not None):
    """Return the chunk of some mutations."""
    cdef Py_ssize_t whole = 0
    cdef Mutation record
    cdef Header header
    cdef uint8_t* target
    for record in records:
        whole += HEADER_SIZE + len(record.key) + (0 if record.value is None else len(record.value))
    cdef bytes chunk = PyBytes_FromStringAndSize(NULL, whole)
    cdef uint8_t* start = <uint8_t*>PyBytes_AS_STRING(chunk)
    target = start
    header.checksum = 0
    header.reserved = 0
    for record in records:
        header.flags = FLAG_DELETE if record.value is None else 0
        header.key_size = <uint32_t>PyBytes_GET_SIZE(record.key)
        header.value_size = 0 if record.value is None else <uint32_t>PyBytes_GET_SIZE(record.value)
        header.sub = <uint32_t>record.sub
        header.revision = record.revision
        header.create_revision = record.create_revision
        header.version = record.version
        header.lease = record.lease
        memcpy(target, &header, HEADER_SIZE)
        memcpy(target + HEADER_SIZE, PyBytes_AS_STRING(record.key), header.key_size)
        if header.value_size:
            memcpy(target + HEADER_SIZE + header.key_size, PyBytes_AS_STRING(record.value), header.value_size)
        target += HEADER_SIZE + header.key_size + header.value_size
    sign(start, <size_t>whole)  # with the interpreter's lock: a busy event loop would not give it back for 5 ms
    return chunk


SIZE = HEADER_SIZE
"""Bytes of a record's header."""


def value_of(const uint8_t[::1] chunk not None, Py_ssize_t offset, Py_ssize_t size, bytes key not None, int64_t revision):
    """Copy the value out of the record of key and revision at offset; a deletion has the value b"".

    Raises    ValueError if there is no such record or its checksum does not hold
    """
    cdef Header header
    if offset < 0 or size < 0 or offset + size > chunk.shape[0] or size < HEADER_SIZE:
        raise ValueError(f"no record at {offset}")
    cdef const uint8_t* data = &chunk[offset]
    cdef int64_t whole = check_record(data, <size_t>size, &header)
    if whole != size:
        raise ValueError(f"the checksum at {offset} does not hold")
    if header.revision != revision or (<const char*>data)[HEADER_SIZE:HEADER_SIZE + header.key_size] != key:
        raise ValueError(f"another record is at {offset}")
    return PyBytes_FromStringAndSize(<const char*>data + HEADER_SIZE + header.key_size, header.value_size)


def rows(const uint8_t[::1] chunk not None):
    """List a chunk's records as (key, revision, offset, size).

    Raises    ValueError with the offset at which a record does not hold
    """
    cdef Header header
    cdef Py_ssize_t offset = 0
    cdef Py_ssize_t size = chunk.shape[0]
    cdef int64_t whole
    cdef const uint8_t* data
    cdef list found = []
    while offset < size:
        data = &chunk[offset]
        whole = check_record(data, <size_t>(size - offset), &header)
        if whole < 0:
            raise ValueError(f"the checksum at {offset} does not hold")
        found.append((PyBytes_FromStringAndSize(<const char*>data + HEADER_SIZE, header.key_size), header.revision, offset, whole))
        offset += whole
    return found


cdef uint32_t one = 1
if sizeof(Header) != HEADER_SIZE or (<uint8_t*>&one)[0] != 1:
    raise ImportError("kcore.store._record needs a little endian machine")
fill_tables()
