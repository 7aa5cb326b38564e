"""Quotas of the broker's users, through Kafka's own tool (kafka.admin.ConfigCommand). Decision 33.

No released client library for Python has quotas. Each call is a Java start of about a second, so callers read once and
change only the users that differ.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from vaern_programs.collector.kafka.declared import EVERYBODY
from vaern_programs.collector.kafka.failure import BrokerError

SECONDS = 60.0
"""A Java start on a busy host, and the ten seconds the broker has for its answer."""

FOUND = re.compile(r"Quota configs for (?:user-principal '(?P<user>.*)'|the default user-principal) are (?P<keys>.+)")
THROWN = re.compile(r"[\w.$]+(Exception|Error)\b")
PACKAGE = re.compile(r"\b([a-z]\w*\.)+(?=[A-Z]\w*(Exception|Error)\b)")
OTHERS = ("SCRAM credential configs for ", "INFO ", "WARN ", "ERROR ")
"""How lines begin that the tool prints besides: other settings of users, and its log."""

PROPERTIES = """\
security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username="{user}" password="{password}";
request.timeout.ms=10000
default.api.timeout.ms=10000
"""


class Quotas:
    """Reads and changes the quotas of users; each call starts the tool once."""

    def __init__(self, jars: Path, log4j: Path, address: str, user: str, password: str) -> None:
        """How to reach the broker.

        Args:
            jars: the folder with the jars of Apache Kafka.
            log4j: the settings of its log.
            address: host and port of the loopback listener.
            user: name of the user.
            password: of that user.
        """
        self.command = [
            *("/usr/bin/java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"),
            *(f"-Dlog4j.configuration=file:{log4j}", "-cp", f"{jars}/*", "kafka.admin.ConfigCommand"),
            # By standard input: a file with the password would have to be removed again, come what may.
            *("--bootstrap-server", address, "--command-config", "/dev/stdin", "--entity-type", "users"),
        ]
        self.properties = PROPERTIES.format(user=user, password=password)

    def found(self) -> dict[str, dict[str, float]]:
        """The quotas of each user, by key. Raises BrokerError."""
        return parse(self._run("Reading the quotas", "--describe"))

    def change(self, user: str, keys: dict[str, float | None]) -> None:
        """Set quotas of one user; None removes one. Raises BrokerError."""
        whose = ["--entity-default"] if user == EVERYBODY else ["--entity-name", user]
        self._run(f"Setting the quota of {user or 'everybody'}", "--alter", *whose, *options(keys))

    def _run(self, what: str, *arguments: str) -> str:
        command = [*self.command, *arguments]
        try:
            done = subprocess.run(
                command, input=self.properties, capture_output=True, text=True, check=False, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            raise BrokerError(f"{what}: Kafka's ConfigCommand has not ended after {SECONDS:.0f} s") from None
        except OSError as error:
            raise BrokerError(f"{what}: Java cannot be started: {error}") from error
        if done.returncode != 0:
            raise BrokerError(f"{what}: {reason(done.stderr) or f'Kafka ended with exit code {done.returncode}'}")
        return done.stdout


def options(keys: dict[str, float | None]) -> list[str]:
    """What the tool takes to set these keys, and to remove those that are None."""
    wanted = [f"{key}={value!r}" for key, value in keys.items() if value is not None]
    unwanted = [key for key, value in keys.items() if value is None]
    return [
        *(["--add-config", ",".join(wanted)] if wanted else []),
        *(["--delete-config", ",".join(unwanted)] if unwanted else []),
    ]


def parse(printed: str) -> dict[str, dict[str, float]]:
    """The quotas of each user, by key, as the tool prints them. Raises BrokerError for a line it cannot read."""
    found = {}
    for line in printed.splitlines():
        if not line or line.startswith(OTHERS):
            continue
        match = FOUND.fullmatch(line)
        try:
            if match is None:
                raise ValueError("unknown form")
            pairs = (pair.split("=") for pair in match["keys"].split(", "))
            found[match["user"] or EVERYBODY] = {key: float(value) for key, value in pairs}
        except ValueError as error:
            raise BrokerError(f"Reading the quotas: Kafka's ConfigCommand says {line!r}: {error}") from error
    return found


def reason(printed: str) -> str:
    """Why the tool failed, from its stack trace: the innermost cause, else what was thrown, else the last line."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    thrown = [line for line in lines if THROWN.match(line)]
    found = next(iter([*causes[-1:], *thrown[:1], *lines[-1:]]), "")
    return PACKAGE.sub("", found)
