"""Which stacks are compared, and what is said of hosts that were never enrolled."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern import provision
from vaern.declaration import load_fleet
from vaern.errors import ExitCode, ProvisionError, UnreachableError
from vaern.model.fleet import Fleet
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.workflows import drift
from vaern.workflows.drift import Comparison, Drifted, stacks_to_compare
from vaern_stacks.drift import Moved

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(Project(ROOT, ROOT / ".vaern"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """No record of any key, so nothing is enrolled."""
    return Project(tmp_path, tmp_path / "state")


def test_the_shared_stack_is_always_compared(project: Project, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provision, "stacks", lambda *_: ["favrskov", "samsoe", "shared", "withdrawn"])
    assert stacks_to_compare(project, fleet, ()) == ["shared", "favrskov", "samsoe"]
    assert stacks_to_compare(project, fleet, ("samsoe",)) == ["shared", "samsoe"]


@pytest.mark.parametrize(
    ("made", "asked", "fix"),
    [([], (), "vaern up"), (["shared"], ("favrskov",), "vaern onboard favrskov"), (["favrskov"], (), "vaern up")],
)
def test_what_is_not_made_does_not_pass_for_unmoved(
    project: Project, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, made: list[str], asked: tuple[str, ...], fix: str
) -> None:
    monkeypatch.setattr(provision, "stacks", lambda *_: made)
    with pytest.raises(ProvisionError, match="is not made") as caught:
        stacks_to_compare(project, fleet, asked)
    assert fix in caught.value.fix


def test_hosts_that_are_not_enrolled_are_not_asked_and_do_not_pass_for_unmoved(
    project: Project, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = [Moved("changed", "Vault", "vault", "tags.by", "", '"hand"'), Moved("gone", "Disk", "data-hub1")]
    monkeypatch.setattr(provision, "drift", lambda *_: moved)
    assert drift.drift(project, fleet, ["shared"], lambda _: None) == Comparison(
        moved=(
            Drifted("shared", "stack", "Vault vault", "tags.by", "", '"hand"'),
            Drifted("shared", "stack", "Disk data-hub1", "gone"),
        ),
        not_compared=("shared",),
    )


@pytest.mark.parametrize(
    ("moved", "not_compared", "expected"),
    [
        ((), (), ExitCode.OK),
        ((), ("favrskov",), ExitCode.FINDINGS),
        ((Drifted("shared", "hosts", "hub1", "does not answer"),), (), ExitCode.FINDINGS),
    ],
)
def test_only_what_was_compared_and_has_not_moved_is_well(
    moved: tuple[Drifted, ...], not_compared: tuple[str, ...], expected: ExitCode
) -> None:
    assert Comparison(moved, not_compared).exit_code is expected


def test_a_host_that_cannot_be_asked_is_a_finding_with_its_reason(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_: Project, host: str, __: str) -> None:
        if host == "hub1":
            raise UnreachableError("hub1 does not answer")
        ssh.require_made(project, (host,))

    monkeypatch.setattr(ssh, "run", run)
    assert drift._silent(project, ("hub1", "favrskov-gw1")) == {
        "hub1": "does not answer",
        "favrskov-gw1": "has not been made",
    }
