"""Topics and access lists of the broker on this host, through kafka-python (Debian: python3-kafka). Decision 33."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    NewTopic,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import KafkaError, NoBrokersAvailable, NoError, TopicAlreadyExistsError

from vaern_programs.collector.kafka.declared import Access
from vaern_programs.collector.kafka.failure import BrokerError

ANYTHING = ACLFilter(
    principal=None,
    host=None,
    operation=ACLOperation.ANY,
    permission_type=ACLPermissionType.ANY,
    resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
)

# The library logs each failed attempt and raises the last one, which the program reports.
logging.getLogger("kafka").addHandler(logging.NullHandler())
logging.getLogger("kafka").propagate = False


class _ExpiredError(Exception):
    """No OSError: those the library takes for a broken connection, and tries again."""


@contextmanager
def answered_within(what: str, seconds: float) -> Iterator[None]:
    """Raise BrokerError, which names the request, when the block fails or takes longer than so many seconds.

    The library itself waits for ever for a broker that has gone away.
    """

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise _ExpiredError

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except (NoBrokersAvailable, _ExpiredError):
        # The library does not say which: it logs in by a way that knows no reasons. The broker's log has them.
        raise BrokerError(
            f"{what}: the broker does not answer, or does not take the password (journalctl -u vaern-kafka)"
        ) from None
    # The library fails an assertion when a broker that has just started does not name a controller yet.
    except (KafkaError, AssertionError) as error:
        raise BrokerError(f"{what}: {str(error) or type(error).__name__}") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Broker:
    """A connection to the loopback listener of the broker, as its own user: SASL/PLAIN without TLS."""

    def __init__(self, address: str, user: str, password: str, seconds: float = 10.0) -> None:
        """Connect and log in.

        Args:
            address: host and port of the listener.
            user: name of the user.
            password: of that user.
            seconds: how long the broker may take for each answer.

        Raises:
            BrokerError: nobody answers, or the password is refused.
        """
        self.seconds = seconds
        with answered_within(f"Connecting to {address}", seconds):
            self.client = KafkaAdminClient(
                bootstrap_servers=address,
                security_protocol="SASL_PLAINTEXT",
                sasl_mechanism="PLAIN",
                sasl_plain_username=user,
                sasl_plain_password=password,
                api_version_auto_timeout_ms=int(seconds * 500),
            )

    def __enter__(self) -> Self:
        """For `with`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.client.close()

    def topics(self) -> set[str]:
        """The names of all topics. Raises BrokerError."""
        with answered_within("Reading the topics", self.seconds):
            return set(self.client.list_topics())

    def create_topics(self, names: list[str], partitions: int) -> None:
        """Make topics; one that is there already is left alone. Raises BrokerError."""
        # One at a time: of several that fail, the library names the first only.
        for name in names:
            with answered_within(f"Making topic {name}", self.seconds):
                try:
                    self.client.create_topics([NewTopic(name, partitions, 1)])
                except TopicAlreadyExistsError:
                    continue

    def access(self) -> set[Access]:
        """All access list entries. Raises BrokerError, also for an entry of a kind that the library does not know."""
        with answered_within("Reading the access lists", self.seconds):
            try:
                entries, _ = self.client.describe_acls(ANYTHING)
            except ValueError as error:
                raise BrokerError(
                    f"Reading the access lists: an entry is of a kind that vaern never makes ({error}); see it with "
                    "Kafka's kafka.admin.AclCommand --list, and remove it"
                ) from error
        return {_access(entry) for entry in entries}

    def grant(self, entries: list[Access]) -> None:
        """Add access list entries. Raises BrokerError when one is refused."""
        wanted = [ACL(*_terms(entry), ResourcePattern(*_resource(entry))) for entry in entries]
        with answered_within("Granting access", self.seconds):
            answer = self.client.create_acls(wanted)
        for entry, error in answer["failed"]:
            raise BrokerError(f"Granting access: {_access(entry)}: {error}")

    def revoke(self, entries: list[Access]) -> None:
        """Remove access list entries. Raises BrokerError when one is refused."""
        unwanted = [ACLFilter(*_terms(entry), ResourcePatternFilter(*_resource(entry))) for entry in entries]
        with answered_within("Revoking access", self.seconds):
            answers = self.client.delete_acls(unwanted)
        for entry, (_, removed, refusal) in zip(entries, answers, strict=True):
            for error in (refusal, *(error for _, error in removed)):
                if error is not NoError:
                    raise BrokerError(f"Revoking access: {entry}: {error.__name__}")


def _terms(entry: Access) -> tuple[str, str, ACLOperation, ACLPermissionType]:
    return entry.principal, entry.host, ACLOperation(entry.operation), ACLPermissionType(entry.permission)


def _resource(entry: Access) -> tuple[ResourceType, str, ACLResourcePatternType]:
    return ResourceType(entry.resource), entry.name, ACLResourcePatternType(entry.pattern)


def _access(entry: ACL) -> Access:
    pattern = entry.resource_pattern
    return Access(
        int(pattern.resource_type),
        pattern.resource_name,
        int(pattern.pattern_type),
        entry.principal,
        entry.host,
        int(entry.operation),
        int(entry.permission_type),
    )
