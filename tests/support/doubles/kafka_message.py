"""Stands in for a message of confluent-kafka: what the archiver asks of one."""

from __future__ import annotations

from dataclasses import dataclass

KEY = ("logs.0710", 0)
"""Topic and partition that they are in."""


@dataclass(frozen=True)
class Message:
    """A record as a reader gives it: its offset, value and key. It was sent in the second of its offset."""

    number: int
    text: bytes
    name: bytes = b"gw1"

    def topic(self) -> str:
        return KEY[0]

    def partition(self) -> int:
        return KEY[1]

    def offset(self) -> int:
        return self.number

    def key(self) -> bytes:
        return self.name

    def value(self) -> bytes:
        return self.text

    def timestamp(self) -> tuple[int, int]:
        return 2, 1000 * self.number
