"""The few requests of the Kafka protocol that keep topics, access lists and quotas as declared.

Debian's client library (confluent-kafka 1.7) has no access lists and no quotas, and each run of Kafka's own tools
costs a Java start. The versions used here are the newest with the plain encoding; Kafka 3.9 and 4.x speak them.
Layouts: https://kafka.apache.org/protocol. Only for the loopback listener: SASL/PLAIN without TLS.
"""

from __future__ import annotations

import socket
import struct
from types import TracebackType
from typing import NamedTuple, Self

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes; a longer answer is not from a broker."""


class KafkaError(Exception):
    """The broker refused, or what answers is not a broker."""


class Access(NamedTuple):
    """One access list entry; the numbers are those of the protocol."""

    resource: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int


def text(value: str | None) -> bytes:
    """A nullable string: length as int16, -1 for none."""
    if value is None:
        return struct.pack(">h", -1)
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def array(items: list[bytes]) -> bytes:
    """An array: count as int32, then the items."""
    return struct.pack(">i", len(items)) + b"".join(items)


class Answer:
    """Reads one answer from its first byte to its last."""

    def __init__(self, data: bytes) -> None:
        """Start at the first byte after the correlation id."""
        self.data = data
        self.position = 0

    def number(self, code: str) -> int:
        """An integer of that `struct` code, big endian."""
        (value,) = struct.unpack_from(">" + code, self.data, self.position)
        self.position += struct.calcsize(">" + code)
        return int(value)

    def real(self) -> float:
        """A float64."""
        (value,) = struct.unpack_from(">d", self.data, self.position)
        self.position += 8
        return float(value)

    def text(self) -> str | None:
        """A nullable string."""
        length = self.number("h")
        if length < 0:
            return None
        self.position += length
        return self.data[self.position - length : self.position].decode()

    def range(self) -> range:
        """The indices of an array; a null array is empty."""
        return range(max(0, self.number("i")))

    def refuse(self, what: str, *, allowed: tuple[int, ...] = (0,)) -> int:
        """Read an error code and its message. Raises KafkaError unless the code is allowed."""
        code, message = self.number("h"), self.text()
        if code not in allowed:
            raise KafkaError(f"{what}: {message or 'refused'} (Kafka error {code})")
        return code


class Broker:
    """A connection to the loopback listener of the broker."""

    def __init__(self, address: str, port: int, user: str, password: str, seconds: float = 10.0) -> None:
        """Connect and log in. Raises OSError when nobody answers, KafkaError when the password is refused."""
        self.socket = socket.create_connection((address, port), timeout=seconds)
        self.correlation = 0
        try:
            handshake = self.ask(17, 1, text("PLAIN"))
            if handshake.number("h") != 0:
                raise KafkaError("The listener does not take passwords")
            login = f"\0{user}\0{password}".encode()
            self.ask(36, 0, struct.pack(">i", len(login)) + login).refuse(f"Logging in as {user}")
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> Self:
        """For `with`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.socket.close()

    def ask(self, request: int, version: int, body: bytes) -> Answer:
        """Send one request and wait for its answer. Raises OSError, KafkaError."""
        self.correlation += 1
        head = struct.pack(">hhi", request, version, self.correlation) + text("vaern")
        self.socket.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
        (length,) = struct.unpack(">i", self._exactly(4))
        if not 4 <= length <= MAX_ANSWER:
            raise KafkaError(f"An answer of {length} bytes is not from a Kafka broker")
        data = self._exactly(length)
        if struct.unpack_from(">i", data)[0] != self.correlation:
            raise KafkaError("The answer belongs to another request")
        return Answer(data[4:])

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self.socket.recv(count - len(parts))
            if not part:
                raise ConnectionError("The broker closed the connection")
            parts += part
        return bytes(parts)

    def topics(self) -> set[str]:
        """The names of all topics."""
        answer = self.ask(3, 1, struct.pack(">i", -1))
        for _ in answer.range():
            answer.number("i"), answer.text(), answer.number("i"), answer.text()
        answer.number("i")
        names = set()
        for _ in answer.range():
            answer.number("h")
            names.add(answer.text() or "")
            answer.number("b")
            for _ in answer.range():
                answer.number("h"), answer.number("i"), answer.number("i")
                for _ in ("replicas", "in sync"):
                    for _ in answer.range():
                        answer.number("i")
        return names

    def create_topics(self, names: list[str], partitions: int) -> None:
        """Make topics; one that is there already is left alone."""
        wanted = [text(name) + struct.pack(">ihii", partitions, 1, 0, 0) for name in names]
        answer = self.ask(19, 4, array(wanted) + struct.pack(">i?", 10000, False))
        answer.number("i")
        for _ in answer.range():
            answer.refuse(f"Making topic {answer.text()}", allowed=(0, 36))

    def access(self) -> set[Access]:
        """All access list entries."""
        answer = self.ask(29, 1, struct.pack(">b", 1) + text(None) + b"\1" + text(None) + text(None) + b"\1\1")
        answer.number("i")
        answer.refuse("Reading the access lists")
        entries = set()
        for _ in answer.range():
            resource, name, pattern = answer.number("b"), answer.text() or "", answer.number("b")
            for _ in answer.range():
                principal, host = answer.text() or "", answer.text() or ""
                entries.add(Access(resource, name, pattern, principal, host, answer.number("b"), answer.number("b")))
        return entries

    def grant(self, entries: list[Access]) -> None:
        """Add access list entries."""
        answer = self.ask(30, 1, array([_entry(entry) for entry in entries]))
        answer.number("i")
        for _ in answer.range():
            answer.refuse("Granting access")

    def revoke(self, entries: list[Access]) -> None:
        """Remove access list entries."""
        answer = self.ask(31, 1, array([_entry(entry) for entry in entries]))
        answer.number("i")
        for _ in answer.range():
            answer.refuse("Revoking access")
            for _ in answer.range():
                answer.refuse("Revoking access")
                answer.number("b"), answer.text(), answer.number("b"), answer.text(), answer.text(), answer.number("h")

    def quotas(self) -> dict[str, dict[str, float]]:
        """The quotas of each user, by key."""
        answer = self.ask(48, 0, array([text("user") + b"\2" + text(None)]) + b"\1")
        answer.number("i")
        answer.refuse("Reading the quotas")
        found: dict[str, dict[str, float]] = {}
        for _ in answer.range():
            names = [(answer.text(), answer.text()) for _ in answer.range()]
            found[names[0][1] or ""] = {answer.text() or "": answer.real() for _ in answer.range()}
        return found

    def set_quotas(self, changes: dict[str, dict[str, float | None]]) -> None:
        """Set quotas of users; None removes one."""
        wanted = []
        for user, keys in changes.items():
            steps = [text(key) + struct.pack(">d?", value or 0.0, value is None) for key, value in keys.items()]
            wanted.append(array([text("user") + text(user)]) + array(steps))
        answer = self.ask(49, 0, array(wanted) + b"\0")
        answer.number("i")
        for _ in answer.range():
            answer.refuse("Setting a quota")
            for _ in answer.range():
                answer.text(), answer.text()


def _entry(entry: Access) -> bytes:
    head = struct.pack(">b", entry.resource) + text(entry.name) + struct.pack(">b", entry.pattern)
    return head + text(entry.principal) + text(entry.host) + struct.pack(">bb", entry.operation, entry.permission)
