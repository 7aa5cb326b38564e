"""ssh on Azure: what is generated, as ssh itself reads it, and the way through Bastion with a stand-in for it."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from vaern.declaration import load_deployment, load_municipality
from vaern.model.declaration import Way
from vaern.model.outputs import HostOutput
from vaern_stacks.azure.access import SshFiles, write_access
from vaern_stacks.azure.target import declared_hosts

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = ROOT / "cli" / "vaern" / "provision" / "bastion_tunnel.py"
STACKS = {
    "shared": [
        HostOutput("hub1", "10.80.0.10", "ssh-ed25519 AAAAhub1"),
        HostOutput("hub2", "10.80.0.11", "ssh-ed25519 B"),
    ],
    "favrskov": [
        HostOutput("favrskov-gw1", "fd5a:1c3e:9b27:710::1", ""),
        HostOutput("favrskov-sensor1", "198.51.100.11", ""),
    ],
}
TUNNEL = """#!{python} -S
# Stands in for the Azure CLI: `az network bastion tunnel` listens on --port and passes on; here, to an echo.
import socket, sys
assert sys.argv[1:4] == ["network", "bastion", "tunnel"], sys.argv
given = dict(zip(sys.argv[5::2], sys.argv[6::2]))
open("{told}", "w").write(repr(given))
listener = socket.create_server(("127.0.0.1", int(given["--port"])))
while True:
    connection = listener.accept()[0]
    while data := connection.recv(65536):
        connection.sendall(data.upper())
    connection.close()
"""


def written(folder: Path) -> Path:
    deployment = load_deployment(ROOT / "docs" / "examples" / "azure" / "collector.yml")
    (folder / "inventories" / "favrskov").mkdir(parents=True, exist_ok=True)
    return write_access(deployment, STACKS, SshFiles(folder / "inventories", folder, PROGRAM))


def asked(config: Path, host: str) -> dict[str, str]:
    """What ssh makes of the configuration for one host."""
    done = subprocess.run(["ssh", "-G", "-F", str(config), host], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


def test_a_hub_is_reached_through_bastion_with_the_key_azure_told(tmp_path: Path) -> None:
    config = written(tmp_path)
    hub = asked(config, "hub1")
    assert (hub["user"], hub["hostname"], hub["hostkeyalias"]) == ("vaern", "10.80.0.10", "hub1")
    assert hub["stricthostkeychecking"] in {"true", "yes"}
    assert hub["proxycommand"].endswith("/providers/Microsoft.Compute/virtualMachines/hub1 %p")
    assert "00000000-0000-4000-8000-000000000001 rg-faelles-prod-shared bastion /subscriptions/" in hub["proxycommand"]
    assert (tmp_path / "known_hosts").read_text() == "hub1 ssh-ed25519 AAAAhub1\nhub2 ssh-ed25519 B\n"
    assert config.stat().st_mode & 0o777 == 0o600


def test_a_municipality_is_reached_over_a_hub_and_then_its_gateway(tmp_path: Path) -> None:
    config = written(tmp_path)
    gateway, sensor = asked(config, "favrskov-gw1"), asked(config, "favrskov-sensor1")
    assert (gateway["proxyjump"], gateway["user"]) == ("hub1", "root")
    assert sensor["proxyjump"] == "favrskov-gw1"
    assert gateway["userknownhostsfile"] == str(tmp_path / "inventories" / "favrskov" / "known_hosts")


def test_a_declared_way_is_taken_for_its_own_host_alone(tmp_path: Path) -> None:
    favrskov = load_municipality(ROOT / "docs" / "examples" / "azure" / "municipality.yml")
    way = Way(port=2222, jump="jump.favrskov.example", jump_user="drift")
    gateway, sensor = favrskov.hosts
    deployment = load_deployment(ROOT / "docs" / "examples" / "azure" / "collector.yml")
    declared = favrskov.model_copy(update={"hosts": (gateway.model_copy(update={"ssh": way}), sensor)})
    stacks = STACKS | {"favrskov": declared_hosts(deployment, declared, "favrskov")}
    config = write_access(deployment, stacks, SshFiles(tmp_path / "inventories", tmp_path, PROGRAM))
    found = asked(config, "favrskov-gw1")
    assert [found[key] for key in ("hostname", "port", "user", "proxyjump")] == [
        *("198.51.100.10", "2222", "root", "drift@jump.favrskov.example"),
    ]
    assert "proxyjump" not in asked(config, "favrskov-sensor1"), "its gateway's tunnel is not up"
    assert (asked(config, "hub1")["user"], asked(config, "hub1")["port"]) == ("vaern", "22")
    straight = declared.model_copy(update={"hosts": (gateway.model_copy(update={"ssh": Way()}), sensor)})
    stacks = STACKS | {"favrskov": declared_hosts(deployment, straight, "favrskov")}
    write_access(deployment, stacks, SshFiles(tmp_path / "inventories", tmp_path, PROGRAM))
    assert "proxyjump" not in asked(config, "favrskov-gw1")


def test_a_file_that_a_municipality_brings_is_not_read(tmp_path: Path) -> None:
    """Seen: `Host *` in one municipality's ssh_config decided how every host was reached, and by which command."""
    own = "Host *\n    ProxyCommand touch /tmp/pwned\n    User eve\n"
    folder = tmp_path / "inventories" / "favrskov"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ssh_config").write_text(own)
    config = written(tmp_path)
    for host in ("hub1", "favrskov-gw1"):
        assert asked(config, host)["user"] in {"root", "vaern"}
        assert "pwned" not in asked(config, host).get("proxycommand", "")
    text = config.read_text(encoding="utf-8")
    assert "Include" not in text
    assert "pwned" not in text


def through_tunnel(folder: Path, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-S", str(PROGRAM), "sub", "group", "bastion", "/machine", "22"]
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60, env=environment)


def test_the_tunnel_carries_both_ways_and_is_closed_afterwards(tmp_path: Path) -> None:
    (tmp_path / "az").write_text(TUNNEL.format(python=sys.executable, told=tmp_path / "told"))
    (tmp_path / "az").chmod(0o755)
    done = through_tunnel(tmp_path, b"ssh-2.0 hello" * 10000)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"SSH-2.0 HELLO" * 10000
    told = (tmp_path / "told").read_text()
    port = int(told.partition("'--port': '")[2].partition("'")[0])
    assert "'--target-resource-id': '/machine'" in told
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_tunnel_that_azure_refuses_is_said_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "az").write_text("#!/bin/sh\necho 'ERROR: please run az login' >&2\nexit 1\n")
    (tmp_path / "az").chmod(0o755)
    done = through_tunnel(tmp_path, b"")
    assert done.returncode == 1
    assert b"please run az login" in done.stderr
    assert b"az network bastion tunnel` ended with 1" in done.stderr
