"""The lab target through the real engine: idempotent, mended, and gone without a trace, also after kill -9."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from vaern import provision
from vaern.errors import BusyError, ProvisionError
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.runtime.paths import Project
from vaern_stacks.changes import Change, Step
from vaern_stacks.lab import machine, network, sweep
from vaern_stacks.lab.spec import Lab

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parents[2]
SLUG = "favrskov"
GATEWAY = "favrskov-gw1"
SENSOR = "favrskov-sensor1"


def read(path: str) -> dict[str, object]:
    return dict(YAML(typ="safe").load(ROOT / "inventories" / path))


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return Deployment.model_validate(read("shared/collector.yml"))


@pytest.fixture(scope="module")
def favrskov() -> Municipality:
    return Municipality.model_validate(read("favrskov/municipality.yml"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, deployment: Deployment) -> Iterator[Project]:
    """One lab with its collectors for the tests of this file; each leaves it without municipalities or whole."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root: network namespaces and systemd-nspawn")
    project = Project(ROOT, tmp_path_factory.mktemp("stacks") / "state")
    planned = provision.preview_shared(project, deployment)
    assert {change.name for change in planned} == {"wan", "hub1"}
    assert not provision.lab_hosts(project), "a preview made hosts"
    try:
        provision.provision_shared(project, deployment)
        yield project
    finally:
        assert provision.down(project) == []
        assert_no_process_of(project)


@pytest.fixture
def connected(project: Project, deployment: Deployment, favrskov: Municipality) -> Project:
    """The lab with Favrskov in it: made once, then found unchanged."""
    provision.provision_municipality(project, deployment, favrskov, SLUG)
    return project


@pytest.fixture
def unconnected(project: Project) -> Iterator[Project]:
    """The lab with its collectors only, before and after."""
    for stack in provision.stacks(project):
        if stack != "shared":
            provision.destroy_municipality(project, stack)
    yield project
    for stack in provision.stacks(project):
        if stack != "shared":
            provision.destroy_municipality(project, stack)
    assert list(provision.lab_hosts(project)) == ["hub1"]
    assert network.namespaces(project.lab_name) == [project.lab_name, f"{project.lab_name}-hub1"]
    assert_no_process_of(project)


def lab_of(project: Project) -> Lab:
    return Lab(project.lab_name, str(project.lab), str(project.tools))


def ssh(project: Project, host: str, command: str) -> str:
    argv = ["ssh", "-F", str(project.state / "ssh_config"), host, command]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout


def processes_of(project: Project) -> list[str]:
    """Engine and provider processes that work for this state, by what they were started with."""
    marker = str(project.state / "pulumi").encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environ, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if marker in environ and b"pulumi" in command:
                found.append(f"{entry.name} {command!r}")
    return found


def assert_no_process_of(project: Project) -> None:
    """An engine tells its providers to end, and may itself be gone a moment before they are."""
    limit = time.monotonic() + 60
    while left := processes_of(project):
        assert time.monotonic() < limit, left
        time.sleep(0.05)


def test_up_twice_changes_nothing(connected: Project, deployment: Deployment, favrskov: Municipality) -> None:
    project = connected
    steps: list[Step] = []
    shared = provision.provision_shared(project, deployment, steps.append)
    made = provision.provision_municipality(project, deployment, favrskov, SLUG, steps.append)
    assert not steps
    assert provision.preview_shared(project, deployment) == []
    assert provision.preview_municipality(project, deployment, favrskov, SLUG) == []
    assert provision.refresh(project, SLUG) == []
    assert provision.shared_outputs(project) == shared
    assert provision.municipality_outputs(project, SLUG) == made
    assert [host.name for host in made.hosts] == [GATEWAY, SENSOR]
    for host in (*shared.hosts, *made.hosts):
        assert ssh(project, host.name, "cat /etc/hostname").strip() == host.name
    assert "Packages" in ssh(project, GATEWAY, "apt-get update 2>&1")
    assert (project.state / "ssh_config").stat().st_mode & 0o777 == 0o600
    assert (project.state / "pulumi" / "passphrase").stat().st_mode & 0o777 == 0o600


def kill_init(lab: Lab) -> None:
    init = machine.init(lab, GATEWAY)
    assert init is not None
    os.kill(init, signal.SIGKILL)
    until(lambda: not machine.running(lab, GATEWAY))


def unplug(lab: Lab) -> None:
    network.remove_link(f"{lab.name}-{GATEWAY}", "lan")


def drop_address(lab: Lab) -> None:
    flush = ["address", "flush", "dev", "uplink", "scope", "global"]
    subprocess.run(["ip", "-n", f"{lab.name}-{GATEWAY}", *flush], check=True)


@pytest.mark.parametrize(
    ("damage", "refresh"), [(kill_init, True), (kill_init, False), (unplug, True), (drop_address, False)]
)
def test_damage_is_noticed_and_mended(
    connected: Project,
    deployment: Deployment,
    favrskov: Municipality,
    damage: Callable[[Lab], None],
    refresh: bool,
) -> None:
    ssh(connected, GATEWAY, "echo kept > /root/kept")
    before = provision.municipality_outputs(connected, SLUG)
    damage(lab_of(connected))
    if refresh:
        assert provision.refresh(connected, SLUG) == [Change("update", "Host", GATEWAY)]
    steps: list[Step] = []
    assert provision.provision_municipality(connected, deployment, favrskov, SLUG, steps.append) == before
    assert {step.change for step in steps} == {Change("update", "Host", GATEWAY)}
    assert ssh(connected, GATEWAY, "cat /root/kept") == "kept\n"


def test_mirror_copies_what_devices_send_and_receive(connected: Project) -> None:
    project = connected
    listener = (
        "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); s.bind(('tap0', 0));"
        "s.settimeout(60); print('ready', flush=True); seen = set()\n"
        "while len(seen) < 2:\n p = s.recv(2000)\n"
        " if b'sent' in p: seen.add('sent')\n if b'answered' in p: seen.add('answered')\n"
        "print(*sorted(seen))"
    )
    argv = ["ssh", "-F", str(project.state / "ssh_config"), SENSOR, "python3", "-"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tap:
        assert tap.stdin is not None
        assert tap.stdout is not None
        tap.stdin.write(listener)
        tap.stdin.close()
        assert tap.stdout.readline() == "ready\n"
        devices = provision.municipality_outputs(project, SLUG).device_namespaces["raadhus"]
        send = (
            "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('198.51.100.20', 0));"
            "s.sendto(b'sent', ('198.51.100.10', 9))"
        )
        subprocess.run(["ip", "netns", "exec", devices, sys.executable, "-c", send], check=True)
        ssh(project, GATEWAY, "bash -c 'echo answered > /dev/udp/198.51.100.20/9'")
        assert tap.stdout.read().split() == ["answered", "sent"]


def test_leftovers_names_what_is_there(connected: Project) -> None:
    left = "\n".join(sweep.leftovers(lab_of(connected)))
    assert f"namespace {connected.lab_name}-hub1" in left
    assert f"machine {connected.lab_name}-hub1" in left
    assert "mount " in left


def test_collectors_stay_while_a_municipality_uses_them_and_destroy_leaves_nothing_of_it(connected: Project) -> None:
    ssh(connected, GATEWAY, "true")
    with pytest.raises(ProvisionError, match=SLUG):
        provision.destroy_shared(connected)
    provision.destroy_municipality(connected, SLUG)
    assert list(provision.lab_hosts(connected)) == ["hub1"]
    assert network.namespaces(connected.lab_name) == [connected.lab_name, f"{connected.lab_name}-hub1"]
    assert GATEWAY not in (connected.state / "ssh_config").read_text()
    # Not below: what runs in the host that stays makes and removes folders.
    assert not [path for part in ("hosts", "records") for path in (connected.lab / part).glob(f"*{SLUG}*")]


def start_in_own_process(project: Project) -> subprocess.Popen[bytes]:
    """A run of its own, as the command line starts one, in its own process group."""
    program = (
        "import sys; from pathlib import Path; from ruamel.yaml import YAML\n"
        "from vaern import provision; from vaern.runtime.paths import Project\n"
        "from vaern.model.declaration import Municipality; from vaern.model.deployment import Deployment\n"
        "root, state = map(Path, sys.argv[1:]); read = YAML(typ='safe').load; p = Project(root, state)\n"
        "d = Deployment.model_validate(read(root / 'inventories/shared/collector.yml'))\n"
        "m = Municipality.model_validate(read(root / 'inventories/favrskov/municipality.yml'))\n"
        "provision.provision_municipality(p, d, m, 'favrskov')\n"
    )
    argv = [sys.executable, "-c", program, str(project.root), str(project.state)]
    return subprocess.Popen(argv, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until(seen: Callable[[], bool], within: float = 120.0) -> None:
    deadline = time.monotonic() + within
    while not seen():
        assert time.monotonic() < deadline, f"not seen within {within:.0f} s"
        time.sleep(0.005)


MOMENTS: dict[str, Callable[[Project], bool]] = {
    "engine started": lambda project: any((project.state / "pulumi/backend/.pulumi/locks").rglob(f"{SLUG}/*.json")),
    "site recorded": lambda project: any((project.lab / "records" / SLUG).glob("site.*")),
    "host recorded": lambda project: any((project.lab / "records" / SLUG).glob("host.*")),
    "host booting": lambda project: (project.lab / "hosts" / SENSOR / "pid").exists(),
}


def kill_caller(run: subprocess.Popen[bytes]) -> None:
    run.kill()


def kill_everything(run: subprocess.Popen[bytes]) -> None:
    """Caller, engine and provider at once.

    The caller is halted first, so that it starts no further engine meanwhile.
    """
    os.kill(run.pid, signal.SIGSTOP)
    signal_started(run, signal.SIGKILL)
    run.kill()


def signal_started(run: subprocess.Popen[bytes], number: int) -> None:
    """Signal engine and provider: they are in the caller's session, each in a group of its own."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != run.pid:
            # Any of them may end meanwhile, such as an `ip` of the provider.
            with contextlib.suppress(OSError):
                session = int((entry / "stat").read_text().rpartition(")")[2].split()[3])
                if session == run.pid:
                    os.kill(int(entry.name), number)


@pytest.mark.parametrize(
    ("moment", "kill"),
    [
        ("engine started", kill_everything),
        ("site recorded", kill_caller),
        ("host recorded", kill_everything),
        ("host booting", kill_caller),
    ],
)
def test_killed_up_is_finished_by_the_next(
    unconnected: Project,
    deployment: Deployment,
    favrskov: Municipality,
    moment: str,
    kill: Callable[[subprocess.Popen[bytes]], None],
) -> None:
    run = start_in_own_process(unconnected)
    until(lambda: MOMENTS[moment](unconnected))
    kill(run)
    run.wait()
    made = provision.provision_municipality(unconnected, deployment, favrskov, SLUG)
    for host in made.hosts:
        assert ssh(unconnected, host.name, "cat /etc/hostname").strip() == host.name
    assert provision.refresh(unconnected, SLUG) == []
    assert provision.preview_municipality(unconnected, deployment, favrskov, SLUG) == []


@pytest.mark.parametrize(("moment", "kill"), [("host recorded", kill_caller), ("host booting", kill_everything)])
def test_destroy_right_after_a_kill_leaves_nothing(
    unconnected: Project, moment: str, kill: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    run = start_in_own_process(unconnected)
    until(lambda: MOMENTS[moment](unconnected))
    kill(run)
    run.wait()
    provision.destroy_municipality(unconnected, SLUG)


def test_a_state_whose_attributes_were_never_written_is_read(connected: Project) -> None:
    """A kill right then: the engine says no more of such a state than EOF."""
    state = connected.state / "pulumi/backend/.pulumi"
    torn = [state / "meta.yaml.attrs", state / f"stacks/vaern/{SLUG}.json.attrs"]
    assert all(path.stat().st_size for path in torn)
    for path in torn:
        path.write_bytes(b"")
    assert provision.refresh(connected, SLUG) == []


def test_two_at_once(unconnected: Project, deployment: Deployment, favrskov: Municipality) -> None:
    other = favrskov.model_copy(update={"code": "0746", "name": "Skanderborg"})
    second = start_in_own_process(unconnected)
    made = provision.provision_municipality(unconnected, deployment, other, "skanderborg")
    assert second.wait(timeout=300) == 0
    assert set(provision.lab_hosts(unconnected)) == {
        "hub1", GATEWAY, SENSOR, "skanderborg-gw1", "skanderborg-sensor1"
    }  # fmt: skip
    for host in (*made.hosts, *provision.municipality_outputs(unconnected, SLUG).hosts):
        assert ssh(unconnected, host.name, "cat /etc/hostname").strip() == host.name


def test_two_state_directories_are_two_labs(project: Project, deployment: Deployment, tmp_path: Path) -> None:
    elsewhere = Project(ROOT, tmp_path / "state")
    try:
        provision.provision_shared(elsewhere, deployment)
        provision.destroy_shared(elsewhere)
    finally:
        assert provision.down(elsewhere) == []
    assert provision.lab_hosts(project)["hub1"]


def test_the_same_at_once_is_refused(
    unconnected: Project, deployment: Deployment, favrskov: Municipality, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaern_stacks.engine_locks.PATIENCE_SECONDS", 0.0)
    run = start_in_own_process(unconnected)
    # Earlier the engine holds the stack for a moment only, to make it, and lets go of it again.
    until(lambda: MOMENTS["site recorded"](unconnected))
    # It does not end before it is met.
    signal_started(run, signal.SIGSTOP)
    try:
        with pytest.raises(BusyError, match=SLUG):
            provision.provision_municipality(unconnected, deployment, favrskov, SLUG)
    finally:
        signal_started(run, signal.SIGCONT)
    assert run.wait(timeout=300) == 0
