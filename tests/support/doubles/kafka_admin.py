"""A double of kafka-python's administration: what it takes and gives back; a test says how the broker answers.

Names, numbers and forms of answers are those of kafka-python 2.0.2 (kafka/admin, kafka/errors.py).
"""

from __future__ import annotations

from enum import IntEnum
from types import ModuleType
from typing import Any, NamedTuple


class ResourceType(IntEnum):
    """Of an access list entry."""

    ANY, TOPIC, GROUP = 1, 2, 3


class ACLOperation(IntEnum):
    """The library knows no number above 12."""

    ANY, ALL, READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE = 1, 2, 3, 4, 5, 6, 7, 8


class ACLPermissionType(IntEnum):
    """Of an access list entry."""

    ANY, DENY, ALLOW = 1, 2, 3


class ACLResourcePatternType(IntEnum):
    """Of a name."""

    ANY, MATCH, LITERAL, PREFIXED = 1, 2, 3, 4


class ResourcePattern(NamedTuple):
    """Which resources."""

    resource_type: ResourceType
    resource_name: str | None
    pattern_type: ACLResourcePatternType


class ACL(NamedTuple):
    """An access list entry."""

    principal: str | None
    host: str | None
    operation: ACLOperation
    permission_type: ACLPermissionType
    resource_pattern: ResourcePattern


class NewTopic(NamedTuple):
    """A topic to make."""

    name: str
    num_partitions: int
    replication_factor: int


class KafkaError(RuntimeError):
    """What the library raises."""


class NoBrokersAvailable(KafkaError):  # noqa: N818 - the library's name
    """Nobody answers, or the password is refused."""


class NoError(KafkaError):
    """What stands for success in an answer."""


class TopicAlreadyExistsError(KafkaError):
    """Of a topic that is there."""


class KafkaAdminClient:
    """A test gives the class what the broker answers, by name of the method; an exception is raised."""

    answers: dict[str, Any]
    asked: list[tuple[str, Any]]

    def __init__(self, **config: Any) -> None:
        self._answer("connect", config)

    def _answer(self, method: str, argument: Any) -> Any:
        self.asked.append((method, argument))
        answer = self.answers.get(method)
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def list_topics(self) -> Any:
        return self._answer("list_topics", None)

    def create_topics(self, new_topics: list[NewTopic]) -> Any:
        return self._answer("create_topics", new_topics)

    def describe_acls(self, acl_filter: ACL) -> Any:
        return self._answer("describe_acls", acl_filter)

    def create_acls(self, acls: list[ACL]) -> Any:
        return self._answer("create_acls", acls)

    def delete_acls(self, acl_filters: list[ACL]) -> Any:
        return self._answer("delete_acls", acl_filters)

    def close(self) -> None:
        self._answer("close", None)


def library() -> dict[str, ModuleType]:
    """What is imported where Debian's package is not installed, by the name of the module."""
    admin, errors = ModuleType("kafka.admin"), ModuleType("kafka.errors")
    for one in (
        *(ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType),
        *(KafkaAdminClient, NewTopic, ResourcePattern, ResourceType),
    ):
        setattr(admin, one.__name__, one)
    admin.ACLFilter, admin.ResourcePatternFilter = ACL, ResourcePattern  # type: ignore[attr-defined]
    for error in (KafkaError, NoBrokersAvailable, NoError, TopicAlreadyExistsError):
        setattr(errors, error.__name__, error)
    return {"kafka": ModuleType("kafka"), "kafka.admin": admin, "kafka.errors": errors}
