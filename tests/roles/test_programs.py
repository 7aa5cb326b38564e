"""The package of the programs on a host: installed, put right, upgraded, taken back and removed."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.lab.hosts import Booted, lab_hosts
from support.paths import program_packages

from vaern.runtime import programs

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "roles/programs/package/debian/units"
MODULE = "/usr/lib/python3/dist-packages/vaern_programs/relay/cpr.py"
LEFT = (
    "/usr/local/lib/vaern/archiver.py",
    "/usr/local/bin/vaern-spool",
    "/etc/vaern/log_shipper/clean",
    "/etc/systemd/system/vaern-watch.service",
    "/etc/systemd/system/vaern-ledger.timer",
)
DAEMONS = ("vaern-watch", "vaern-event-hubs-proxy")
pytestmark = pytest.mark.roles


@dataclass(frozen=True)
class Host:
    """One host with the role on it."""

    lab: Booted
    folder: Path

    def run(self, command: str, *, check: bool = True, stdin: str | None = None) -> str:
        return self.lab.run("gw1", command, check=check, stdin=stdin)

    def apply(self, *options: str, packages: list[str] | None = None) -> str:
        chosen = json.dumps({"programs_packages": packages or program_packages()})
        return self.play(self.folder / "play.json", "-e", chosen, *options)

    def play(self, *arguments: object) -> str:
        done = self.lab.playbook(self.folder, *map(str, arguments))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def version(self) -> str:
        return self.run("dpkg-query -W -f '${Version}' vaern-programs", check=False)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("programs")
    with lab_hosts({"gw1": {"uplink": "198.18.0.10/15"}}, folder) as lab:
        lab.inventory({"gateways": ["gw1"], "relays": [], "sensors": []}, folder)
        play = {"hosts": "gw1", "gather_facts": False, "roles": [str(ROOT / "roles" / "programs")]}
        (folder / "play.json").write_text(json.dumps([play]), encoding="utf-8")
        yield Host(lab, folder)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A package of the same programs, but for one line of the watch."""
    project = tmp_path_factory.mktemp("other")
    shutil.copytree(ROOT / programs.SOURCE, project / programs.SOURCE)
    module = project / programs.SOURCE / "vaern_programs" / "monitoring" / "watch" / "program.py"
    module.write_text(module.read_text(encoding="utf-8") + "# another line\n", encoding="utf-8")
    argv = [sys.executable, str(ROOT / programs.BUILDER), str(project), str(project / "built")]
    subprocess.run(argv, check=True, capture_output=True)
    (package,) = (project / "built").glob("*.deb")
    return str(package)


def test_a_dry_run_on_a_bare_host_says_what_it_would_do(host: Host) -> None:
    assert "changed=1" in host.apply("--check")
    assert host.version() == ""


def test_the_host_has_the_version_of_this_project(host: Host) -> None:
    host.apply()
    assert host.version() == programs.version(ROOT)
    assert host.run("dpkg --verify vaern-programs") == ""
    assert host.run("ls /var/cache/*.deb", check=False) == ""
    assert "changed=0" in host.apply()
    assert host.version() == programs.version(ROOT)


def test_it_brings_users_folders_units_and_compiled_modules(host: Host) -> None:
    host.run("id vaern-relay vaern-delivery vaern-kafka vaern-archiver vaern-alarms vaern-ledger vaern-notify")
    assert (
        host.run("stat -c '%a %U' /var/lib/vaern/alarms /var/lib/vaern-ledger")
        == "751 vaern-alarms\n750 vaern-ledger\n"
    )
    listed = host.run("systemctl list-unit-files --no-legend --plain --state=disabled 'vaern-*'")
    assert {line.split()[0] for line in listed.splitlines()} == {
        path.name for path in UNITS.iterdir() if "[Install]" in path.read_text(encoding="utf-8")
    }
    assert host.run(f"ls {Path(MODULE).parent}/__pycache__/cpr.*.pyc | wc -l") == "1\n"


def test_the_programs_find_their_modules(host: Host) -> None:
    for program in ("vaern-ledger", "vaern-spool", "/usr/lib/vaern/vaern-kafka-admin"):
        # What these need besides Python comes with the roles that run them.
        said = host.run(f"{program} --help 2>&1", check=False)
        missing = [f"No module named '{name}'" for name in ("confluent_kafka", "kafka", "zstandard")]
        assert any(words in said for words in ("usage: ", *missing))


def test_a_program_changed_by_hand_is_put_right(host: Host) -> None:
    host.run(f"echo 'MODES = ()' >> {MODULE}")
    assert MODULE in host.run("dpkg --verify vaern-programs", check=False)
    assert "changed=1" in host.apply("--check")
    assert MODULE in host.run("dpkg --verify vaern-programs", check=False)
    host.apply()
    assert host.run("dpkg --verify vaern-programs") == ""
    assert "changed=0" in host.apply()


def test_what_versions_before_there_was_a_package_left_is_removed(host: Host) -> None:
    for path in LEFT:
        host.run(f"mkdir -p $(dirname {path}) && echo '[Service]' > {path}")
    wanted = "/etc/systemd/system/multi-user.target.wants/vaern-watch.service"
    host.run(f"mkdir -p $(dirname {wanted}) && ln -s /etc/systemd/system/vaern-watch.service {wanted}")
    host.apply("--check")
    assert host.run(f"ls {' '.join(LEFT)} | wc -l") == f"{len(LEFT)}\n"
    host.apply()
    assert host.run(f"ls -d {' '.join(LEFT)} /usr/local/lib/vaern 2> /dev/null", check=False) == ""
    assert host.run(f"test -L {wanted} || echo gone") == "gone\n"
    assert host.run("systemctl show -P FragmentPath vaern-watch") == "/usr/lib/systemd/system/vaern-watch.service\n"
    assert "changed=0" in host.apply()


def older_alarm_service(host: Host, *, anew: bool) -> None:
    """What a version from before the new name leaves; `anew`: beside this one, as when that was taken back."""
    if anew:
        host.run("useradd --system vaern-sentry")
        host.run("install -d -o vaern-alarms -g vaern-alarms /var/lib/vaern-alarms")
        host.run("echo stale > /var/lib/vaern-alarms/memory.json")
    else:
        host.run("usermod --login vaern-sentry vaern-alarms && groupmod --new-name vaern-sentry vaern-alarms")
    host.run("install -d -o vaern-sentry -g vaern-sentry -m 750 /var/lib/vaern-sentry /var/lib/vaern/alarms")
    host.run("echo open > /var/lib/vaern/alarms/0710.jsonl && echo kept > /var/lib/vaern-sentry/memory.json")
    host.run("chown vaern-sentry:vaern-archiver /var/lib/vaern/alarms/0710.jsonl")
    unit = "[Service]\nUser=vaern-sentry\nRuntimeDirectory=vaern-sentry\nExecStart=/usr/bin/sleep infinity\n"
    host.run("cat > /etc/systemd/system/vaern-sentry.service", stdin=f"{unit}[Install]\nWantedBy=multi-user.target\n")
    host.run("systemctl daemon-reload && systemctl enable --now vaern-sentry")


@pytest.mark.parametrize("anew", [False, True], ids=["renamed", "taken_back"])
def test_the_alarm_service_takes_over_what_it_had_under_its_older_name(host: Host, other: str, *, anew: bool) -> None:
    older_alarm_service(host, anew=anew)
    host.apply(packages=[other])
    assert host.run("systemctl is-active vaern-sentry", check=False) == "inactive\n"
    assert host.run("getent passwd vaern-sentry; getent group vaern-sentry", check=False) == ""
    assert host.run("find / -xdev -name 'vaern-sentry*'; ls -d /run/vaern-sentry", check=False) == ""
    assert host.run("cat /var/lib/vaern-alarms/memory.json /var/lib/vaern/alarms/0710.jsonl") == "kept\nopen\n"
    owners = host.run("stat -c '%U %G' /var/lib/vaern/alarms /var/lib/vaern/alarms/0710.jsonl")
    assert owners == "vaern-alarms vaern-alarms\nvaern-alarms vaern-archiver\n"
    assert "vaern-archiver" in host.run("id vaern-alarms")
    assert "changed=0" in host.apply(packages=[other])
    host.apply()
    host.run("rm -r /var/lib/vaern-alarms /var/lib/vaern/alarms/0710.jsonl")


def test_only_what_has_changed_is_restarted_and_a_version_can_be_taken_back(host: Host, other: str) -> None:
    for name in DAEMONS:
        folder = f"/etc/systemd/system/{name}.service.d"
        text = "[Unit]\nRequires=\n[Service]\nType=exec\nExecStart=\nExecStart=/usr/bin/sleep infinity\n"
        host.run(f"mkdir -p {folder} && cat > {folder}/test.conf", stdin=text)
    host.run("printf '[Socket]\\nListenStream=127.0.0.1:7999\\n' > /etc/systemd/system/vaern-event-hubs-proxy.socket")
    host.run(f"systemctl daemon-reload && systemctl start {' '.join(DAEMONS)}")

    def started() -> list[str]:
        return [host.run(f"systemctl show -P InvocationID {name}").strip() for name in DAEMONS]

    before = started()
    host.apply(packages=[other])
    assert host.version() == Path(other).name.split("_")[1] != programs.version(ROOT)
    upgraded = started()
    assert (upgraded[0] == before[0], upgraded[1] == before[1]) == (False, True)
    assert "changed=0" in host.apply(packages=[other])
    host.apply()
    assert host.version() == programs.version(ROOT)
    assert (started()[0] == upgraded[0], started()[1] == before[1]) == (False, True)


def test_the_tools_of_debian_13_build_the_same_bytes(host: Host) -> None:
    """Set-up runs on Debian 12 and 13."""
    assert host.run("cut -d. -f1 /etc/debian_version") == "13\n"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as file:
        for path in (
            programs.SOURCE,
            Path("cli/vaern/runtime"),
            Path("cli/vaern/errors.py"),
            Path("cli/vaern/__init__.py"),
        ):
            file.add(ROOT / path, arcname=str(path))
    argv = ["ssh", "-F", str(host.lab.config), "gw1", "mkdir /root/project && tar -x -C /root/project"]
    subprocess.run(argv, input=archive.getvalue(), check=True, capture_output=True)
    host.run(f"cd /root/project && umask 077 && PYTHONPATH=cli python3 {programs.BUILDER} . /root/built")
    package, *_ = program_packages()
    here = subprocess.run(["sha256sum", package], check=True, capture_output=True, text=True).stdout.split()[0]
    assert host.run("sha256sum /root/built/*.deb").split()[0] == here


def test_a_relay_has_the_reader_of_its_release_and_rsyslog_loads_it(host: Host) -> None:
    installed = "dpkg-query -W -f '${Version}' vaern-reader"
    assert host.run(installed, check=False) == "", "this host is no relay"
    host.run("apt-get -q update")
    relay = ("-e", json.dumps({"programs_reader": True}))
    host.apply(*relay)
    assert host.run(installed).startswith(f"{programs.version(ROOT, programs.READER_SOURCE)}~deb13.")
    assert "changed=0" in host.apply(*relay)
    identity = {"municipality": "0710", "relay": "gw1", "site": "raadhus", "cpr": "mask"}
    source = {"name": "s", "kind": "firewall", "sector": "administration", "parser": "fortigate", "timezone": "UTC"}
    settings = {**identity, "parsers": "/usr/share/vaern/parsers", "sources": [source]}
    host.run("cat > /root/reader.json", stdin=json.dumps(settings))
    said = host.run(
        "VAERN_READER=/root/reader.json /usr/sbin/rsyslogd -N1 -f /dev/stdin 2>&1",
        stdin='module(load="vaern")\ntemplate(name="line" type="plugin" plugin="vaern")\n'
        'action(type="omfile" file="/root/out" template="line")\n',
    )
    assert "error" not in said
    module = "/usr/lib/x86_64-linux-gnu/rsyslog/vaern.so"
    host.run(f"echo >> {module}")
    host.apply(*relay)
    assert host.run("dpkg --verify vaern-reader") == ""


def test_a_host_that_no_reader_fits_is_told(host: Host) -> None:
    others = [path for path in program_packages() if "~deb13" not in path]
    chosen = json.dumps({"programs_packages": others, "programs_reader": True})
    done = host.lab.playbook(host.folder, str(host.folder / "play.json"), "-e", chosen)
    assert done.returncode != 0
    assert "is the reader for deb13 on amd64" in done.stdout


def test_off_boarding_removes_it_whole_and_keeps_what_was_recorded(host: Host) -> None:
    spool = "/var/spool/vaern-log-shipper"
    host.run(f"echo evidence > /var/lib/vaern-ledger/kept; mkdir -p {spool}/sample {spool}/segments")
    host.play(ROOT / "roles" / "offboard.yml")
    assert host.version() == ""
    left = "ls -d /usr/lib/vaern /usr/lib/python3/dist-packages/vaern_programs /usr/bin/vaern-* /usr/share/vaern"
    assert (
        host.run(f"{left} /usr/lib/*/rsyslog/*vaern* /usr/lib/systemd/system/vaern-* 2> /dev/null", check=False) == ""
    )
    assert host.run("cat /var/lib/vaern-ledger/kept") == "evidence\n"
    assert host.run(f"ls {spool}") == "segments\n"
    assert "changed=0" in host.play(ROOT / "roles" / "offboard.yml")
