"""Where things are: the project (declarations, roles) and its state directory.

The project root is `--project`, else `VAERN_PROJECT`, else the nearest folder upwards that holds both
`pyproject.toml` and `roles/`. State (engine, images, Pulumi backend, run logs) is `.vaern/` in the root,
or `VAERN_STATE`; two state directories are two separate labs.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vaern.errors import SetupError, StateError, UsageError

RUN = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"
"""Name of this run: when its process began, and the process. No other run has it."""


def _state(root: Path) -> Path:
    """The state directory, which need not be there yet. Raises StateError for something that is no directory."""
    named = os.environ.get("VAERN_STATE")
    state = Path(named).resolve() if named else root / ".vaern"
    if state.exists() and not state.is_dir():
        raise unusable_state(state, "it is not a directory")
    return state


def unusable_state(state: Path, why: str) -> StateError:
    """What is said of a state directory in which nothing can be kept."""
    return StateError(
        f"the state directory {state} cannot be used: {why}",
        fix="make room in it and make it writable, or name another one with VAERN_STATE",
    )


@dataclass(frozen=True, slots=True)
class Project:
    """The folders one run works in. `tools` is shared between labs; `state` is one lab's own."""

    root: Path
    state: Path
    accelerated: bool = False
    """Whether Ansible is run by Mitogen."""

    @classmethod
    def find(cls, given: Path | None = None, *, accelerated: bool = False) -> Project:
        """Locate the project. Raises UsageError when no folder upwards is one."""
        named = given or (Path(os.environ["VAERN_PROJECT"]) if "VAERN_PROJECT" in os.environ else None)
        start = (named or Path.cwd()).resolve()
        candidates = [start] if named else [start, *start.parents]
        for folder in candidates:
            if (folder / "pyproject.toml").is_file() and (folder / "roles").is_dir():
                return cls(folder, _state(folder), accelerated)
        raise UsageError(
            f"{start} is not a vaern project (no pyproject.toml with roles/ beside it)",
            fix="run from the project folder, or name it with --project DIR or VAERN_PROJECT",
        )

    @property
    def inventories(self) -> Path:
        """Declarations and what is generated from them, one folder a municipality."""
        return self.root / "inventories"

    @property
    def roles(self) -> Path:
        """The Ansible roles."""
        return self.root / "roles"

    @property
    def tools(self) -> Path:
        """What set-up made: engine, base image, package pool, Kafka jars. Never part of one lab's state."""
        return Path(os.environ.get("VAERN_TOOLS", self.root / ".vaern" / "tools"))

    def kafka_archive(self) -> Path:
        """The tar of Kafka's jars that set-up made. Raises SetupError without one."""
        found = sorted(self.tools.glob("kafka-*.tar"))
        if not found:
            raise SetupError(f"no kafka-*.tar in {self.tools}", fix="run `make setup`")
        return found[-1]

    @property
    def lab(self) -> Path:
        """Hosts and networks of this lab."""
        return self.state / "lab"

    @property
    def logs(self) -> Path:
        """The folder of this run's logs; no other run writes to it."""
        return self.state / "logs" / RUN

    @property
    def reports(self) -> Path:
        """Findings and pages, one folder a municipality."""
        return self.state / "reports"

    @property
    def lab_name(self) -> str:
        """Prefix of everything this lab makes on the machine: six characters, different for every state directory."""
        return "v" + hashlib.sha256(str(self.state).encode()).hexdigest()[:5]

    def municipality(self, slug: str) -> Path:
        """The folder of one municipality, or of the shared collectors (`shared`)."""
        return self.inventories / slug
