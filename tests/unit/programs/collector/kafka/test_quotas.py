"""What Kafka's own tool is told about quotas, and how its answers are read: texts as Kafka 3.9.2 printed them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern_programs.collector.kafka import quotas
from vaern_programs.collector.kafka.failure import BrokerError

PRINTED = """\
Quota configs for the default user-principal are producer_byte_rate=7.0
Quota configs for user-principal 'o'brien, x=y' are producer_byte_rate=7.0
Quota configs for user-principal 'favrskov-gw1' are producer_byte_rate=1.048576E8
Quota configs for user-principal 'aarhus-gw1' are consumer_byte_rate=5.0, producer_byte_rate=1.048576E8
SCRAM credential configs for user-principal 's' are SCRAM-SHA-256=iterations=4096
"""

REFUSED = """\
Error while executing config command with args '--alter --entity-type users --entity-name a'
java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.InvalidRequestException: cannot be a fraction.
\tat java.base/java.util.concurrent.CompletableFuture.reportGet(CompletableFuture.java:396)
\tat kafka.admin.ConfigCommand.main(ConfigCommand.scala)
Caused by: org.apache.kafka.common.errors.InvalidRequestException: cannot be a fraction.
"""


def tool(tmp_path: Path, script: str) -> quotas.Quotas:
    """The quotas of a broker, with a program of the test in the place of Java."""
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\n{script}\n")
    java.chmod(0o755)
    made = quotas.Quotas(tmp_path / "jars", tmp_path / "log4j", "127.0.0.1:9092", "local.broker", "s3cret")
    made.command[0] = str(java)
    return made


def test_the_quotas_of_each_user_are_read() -> None:
    assert quotas.parse(PRINTED) == {
        "": {"producer_byte_rate": 7.0},
        "o'brien, x=y": {"producer_byte_rate": 7.0},
        "favrskov-gw1": {"producer_byte_rate": 104857600.0},
        "aarhus-gw1": {"consumer_byte_rate": 5.0, "producer_byte_rate": 104857600.0},
    }
    assert quotas.parse("") == {}


@pytest.mark.parametrize(
    "line", ["Quotas of user 'a': 5", "Quota configs for user-principal 'a' are producer_byte_rate=much"]
)
def test_a_line_that_cannot_be_read_is_no_quota_of_nobody(line: str) -> None:
    with pytest.raises(BrokerError, match="ConfigCommand says"):
        quotas.parse(line)


def test_keys_are_set_and_removed_in_one_call() -> None:
    keys = {"producer_byte_rate": 104857600.0, "consumer_byte_rate": None, "request_percentage": None}
    assert quotas.options(keys) == [
        *("--add-config", "producer_byte_rate=104857600.0"),
        *("--delete-config", "consumer_byte_rate,request_percentage"),
    ]


def test_the_reason_is_what_kafka_says_and_not_its_stack_trace() -> None:
    assert quotas.reason(REFUSED) == "InvalidRequestException: cannot be a fraction."
    assert quotas.reason(REFUSED.rpartition("Caused by")[0]).endswith(
        ": InvalidRequestException: cannot be a fraction."
    )
    missing = "Error: Could not find or load main class kafka.admin.ConfigCommand\n"
    assert quotas.reason(missing) == missing.strip()
    assert quotas.reason("") == ""


def test_the_password_is_neither_an_argument_nor_in_a_file(tmp_path: Path) -> None:
    made = tool(tmp_path, f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/input')
    made.change("aarhus-gw1", {"producer_byte_rate": 5.0})
    assert 'password="s3cret"' in (tmp_path / "input").read_text()
    arguments = (tmp_path / "arguments").read_text()
    assert arguments.endswith("--alter --entity-name aarhus-gw1 --add-config producer_byte_rate=5.0\n")
    assert "s3cret" not in arguments


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "echo 'Caused by: a.b.XException: no such user' >&2; exit 1",
            "Setting the quota of a: XException: no such user",
        ),
        ("exit 9", "Kafka ended with exit code 9"),
        ("exec sleep 60", "has not ended after"),
    ],
)
def test_a_tool_that_fails_is_an_error_that_says_why(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    said: str,
) -> None:
    if "sleep" in script:  # The others have all the time that a busy machine makes them take.
        monkeypatch.setattr(quotas, "SECONDS", 0.3)
    with pytest.raises(BrokerError, match=said):
        tool(tmp_path, script).change("a", {"producer_byte_rate": 5.0})


def test_a_host_without_java_is_an_error_that_says_so(tmp_path: Path) -> None:
    made = quotas.Quotas(tmp_path, tmp_path, "127.0.0.1:9092", "local.broker", "s3cret")
    made.command[0] = str(tmp_path / "nothing")
    with pytest.raises(BrokerError, match="Java cannot be started"):
        made.found()
