"""The compliance tests: what `vaern verify` runs, and what anybody can run by hand.

    pytest tests/compliance --municipality favrskov [--control BASE-05] [--recorded FILE]

Every test is one control on one host. It compares what the host says of itself (`facts`) with the declaration
(`municipality`, `deployment`), never with a file Ansible rendered. Nothing is changed on a host.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from vaern.declaration import load_fleet
from vaern.errors import ProvisionError, UnreachableError, VaernError
from vaern.model.controls import load_catalogue
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment, HubRole
from vaern.model.fleet import Fleet
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern.runtime.secret_store import folder_of
from vaern.verify.facts import Facts
from vaern.verify.recording import Check
from vaern.verify.snapshot import Gathered, read_recorded, take_all
from vaern.verify.subjects import Subject, subjects

AUTHORITY = "authority"
"""In recorded answers, in the place of a host."""
FLEET = pytest.StashKey[Fleet]()
GATHERING = pytest.StashKey["Future[Gathered]"]()
CHECK = pytest.StashKey[Check]()
FINDINGS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """What to verify, and where to leave the findings."""
    group = parser.getgroup("vaern")
    group.addoption("--municipality", metavar="SLUG", help="folder of the municipality under inventories/")
    group.addoption("--control", action="append", default=[], metavar="ID", help="only this control; may be repeated")
    group.addoption("--recorded", type=Path, metavar="FILE", help="judge recorded answers instead of asking the hosts")
    group.addoption("--findings", type=Path, metavar="FILE", help="write one JSON object a finding to this file")


def pytest_configure(config: pytest.Config) -> None:
    """Load the declarations once. Without a municipality there is nothing to verify."""
    config.addinivalue_line("markers", "control(id): the control of data/controls.yml that the test checks")
    config.stash[FINDINGS] = []
    slug = config.getoption("municipality", None)
    if slug:
        try:
            fleet = config.stash[FLEET] = load_fleet(Project.find(), [slug])
        except VaernError as error:
            raise pytest.UsageError(f"{error}\n{error.fix}") from error
        if not (config.option.collectonly or config.getoption("recorded")):
            config.stash[GATHERING] = _start_gathering(slug, fleet.municipalities[slug], fleet.deployment)


def _start_gathering(slug: str, municipality: Municipality, deployment: Deployment) -> Future[Gathered]:
    """Ask every host, all at the same time, while pytest is still collecting the tests."""
    listeners = {subject.name: "" for subject in subjects(slug, municipality, deployment)}
    for hub in deployment.with_role(HubRole.COLLECTOR) if deployment.target is not Target.AZURE else ():
        listeners[hub.name] = f"[{deployment.overlay_address(hub)}]:{deployment.kafka_port}"
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        return pool.submit(take_all, listeners, Project.find().state / "ssh_config")
    finally:
        pool.shutdown(wait=False)


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """These tests need hosts; a run of the whole test suite, which names no municipality, leaves them out."""
    return None if FLEET in config.stash else True


def _control_of(item: pytest.Item | pytest.Metafunc) -> str:
    definition = item.definition if isinstance(item, pytest.Metafunc) else item
    marker = definition.get_closest_marker("control")
    if marker is None:
        raise pytest.UsageError(f"{definition.nodeid} is marked with no control")
    return str(marker.args[0])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each control on the hosts it applies to, and on no other."""
    control = load_catalogue()[_control_of(metafunc)]
    slug = metafunc.config.getoption("municipality")
    fleet = metafunc.config.stash[FLEET]
    hosts = subjects(slug, fleet.municipalities[slug], fleet.deployment)
    applying = [host for host in hosts if {"all", *host.roles}.intersection(control.applies_to)]
    metafunc.parametrize("subject", applying, ids=[host.name for host in applying])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only the controls that were asked for."""
    wanted = {control.upper() for control in config.getoption("control")}
    if wanted:
        left_out = [item for item in items if _control_of(item) not in wanted]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _control_of(item) in wanted]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[pytest.TestReport | None]:
    """Turn the outcome of a test into its finding, whichever way it ended."""
    report: pytest.TestReport = yield  # type: ignore[misc, assignment]
    if call.when == "call" or (call.when == "setup" and report.outcome != "passed"):
        error = call.excinfo.value if call.excinfo else None
        text = str(error).strip().partition("\n")[0] if error else ""
        skipped = text if report.outcome == "skipped" else ""
        unknown = text if isinstance(error, UnreachableError | ProvisionError) else ""
        finding = item.stash.get(CHECK, Check()).finding(
            item.config.getoption("municipality"),
            _control_of(item),
            item.callspec.params["subject"].name,  # type: ignore[attr-defined]
            error=f"{type(error).__name__}: {text}" if error and not (skipped or unknown) else "",
            skipped=skipped,
            unknown=unknown,
        )
        item.config.stash[FINDINGS].append(json.dumps(asdict(finding), ensure_ascii=False))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the findings for `vaern verify`."""
    target = session.config.getoption("findings", None)
    if target:
        target.write_text("".join(f"{line}\n" for line in session.config.stash[FINDINGS]), encoding="utf-8")


@pytest.fixture(scope="session")
def slug(pytestconfig: pytest.Config) -> str:
    """Folder name of the municipality."""
    return str(pytestconfig.getoption("municipality"))


@pytest.fixture(scope="session")
def municipality(pytestconfig: pytest.Config, slug: str) -> Municipality:
    """Its declaration."""
    return pytestconfig.stash[FLEET].municipalities[slug]


@pytest.fixture(scope="session")
def deployment(pytestconfig: pytest.Config) -> Deployment:
    """The declaration of the shared hosts."""
    return pytestconfig.stash[FLEET].deployment


@pytest.fixture(scope="session")
def gathered(pytestconfig: pytest.Config) -> dict[str, Facts | UnreachableError | ProvisionError]:
    """What every host answered, once for all checks."""
    recorded = pytestconfig.getoption("recorded")
    found = read_recorded(recorded) if recorded else pytestconfig.stash[GATHERING].result()
    return {
        host: sections if isinstance(sections, VaernError) else Facts(host, sections)
        for host, sections in found.items()
    }


@pytest.fixture(scope="session")
def authoritys_list(pytestconfig: pytest.Config) -> str:
    """SHA-256 of the authority's list of revoked certificates, as hex; of recorded answers, the recorded one.

    The one thing that no declaration says: it is where the authority is. Raises ProvisionError where that is not, so
    that nothing is said about a list that cannot be compared.
    """
    recorded = pytestconfig.getoption("recorded")
    try:
        if recorded:
            return read_recorded(recorded)[AUTHORITY]["revoked"].text
        return hashlib.sha256((folder_of(Project.find()) / "revoked.crl").read_bytes()).hexdigest()
    except (OSError, KeyError) as error:
        raise ProvisionError(
            "the authority's list is not on this machine", fix="verify where `vaern` enrols"
        ) from error


class Fleetwide:
    """The facts of every host by name, for controls that compare two ends."""

    def __init__(self, gathered: dict[str, Facts | UnreachableError | ProvisionError]) -> None:
        """`gathered` holds the error in place of a host that did not answer."""
        self._gathered = gathered

    def __getitem__(self, host: str) -> Facts:
        """Facts of one host. Raises UnreachableError when it did not answer, ProvisionError when it is not made."""
        found = self._gathered[host]
        if isinstance(found, VaernError):
            raise found
        return found


@pytest.fixture(scope="session")
def fleet(gathered: dict[str, Facts | UnreachableError | ProvisionError]) -> Fleetwide:
    """The facts of every host."""
    return Fleetwide(gathered)


@pytest.fixture
def facts(fleet: Fleetwide, subject: Subject) -> Facts:
    """The facts of the host under test."""
    return fleet[subject.name]


@pytest.fixture
def check(request: pytest.FixtureRequest) -> Check:
    """Records what was expected and observed, and fails when they differ."""
    request.node.stash[CHECK] = Check()
    return request.node.stash[CHECK]
