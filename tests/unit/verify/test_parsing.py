"""Parsers on what Debian's commands really print; lines are recorded from lab hosts, oddities are added by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vaern.verify import parsing
from vaern.verify.parsing import Socket

SOCKETS = """\
udp UNCONN 0      0      198.51.100.10:514   0.0.0.0:* users:(("rsyslogd",pid=2804,fd=4))
udp UNCONN 0      0               [::]:60367    [::]:* users:(("wireguard-go",pid=1780,fd=14))
udp UNCONN 0      0               [::]:51820    [::]:*
tcp LISTEN 0      50      [::ffff:127.0.0.1]:9090        *:* users:(("java",pid=2439,fd=226))
tcp LISTEN 0      50     [fd5a:1c3e:9b27::1]:9093     [::]:* users:(("java",pid=2439,fd=258))
tcp LISTEN 0      50     [fe80::1%lan]:80     [::]:* users:(("nginx",pid=1,fd=2))
"""


def test_sockets() -> None:
    assert parsing.listening(SOCKETS.splitlines()) == {
        Socket("udp", "198.51.100.10", 514, "rsyslogd"),
        Socket("udp", "::", 60367, "wireguard-go"),
        Socket("udp", "::", 51820, "kernel"),
        Socket("tcp", "127.0.0.1", 9090, "java"),
        Socket("tcp", "fd5a:1c3e:9b27::1", 9093, "java"),
        Socket("tcp", "fe80::1", 80, "nginx"),
    }


def test_only_loopback_is_local() -> None:
    local = {socket for socket in parsing.listening(SOCKETS.splitlines()) if socket.local}
    assert local == {Socket("tcp", "127.0.0.1", 9090, "java")}


def test_tunnels_keep_no_secret_and_read_never() -> None:
    lines = [
        "vaern0\thidden\tPUBLIC=\t51820\toff",
        "vaern0\tPEER=\thidden\t198.18.0.10:51820\tfd00::1/128,fd00::2/128\t1795494078\t460000\t666616\t25",
        "vaern0\tOTHER=\tnone\t(none)\t(none)\t0\t0\t0\toff",
    ]
    tunnel = parsing.tunnels(lines)["vaern0"]
    first, second = tunnel.peers
    assert (tunnel.public_key, tunnel.port) == ("PUBLIC=", 51820)
    assert (first.preshared, first.allowed, first.keepalive) == (True, {"fd00::1/128", "fd00::2/128"}, 25)
    assert (second.preshared, second.allowed, second.keepalive, second.handshake) == (False, frozenset(), 0, 0)


def test_certificate() -> None:
    text = "subject=C=DK, O=x, CN=favrskov-gw1\nnotAfter=Feb 22 04:14:40 2027 GMT\n/etc/vaern/pki/host.crt: OK\n"
    assert parsing.certificate(text) == ("favrskov-gw1", datetime(2027, 2, 22, 4, 14, 40, tzinfo=UTC), True)
    assert parsing.certificate("Could not open file") == ("", None, False)


def test_modes_keep_spaces_in_paths() -> None:
    access = parsing.modes(["2750 vaern-archiver vaern-0710 d /var/lib/vaern/archive/07 10"])
    assert str(access["/var/lib/vaern/archive/07 10"]) == "2750 vaern-archiver:vaern-0710"


def test_units_of_any_order() -> None:
    text = "MainPID=55\nId=ssh.service\nActiveState=active\n\nId=chrony.service\nActiveState=failed"
    found = parsing.units(text)
    assert found["ssh.service"]["MainPID"] == "55"
    assert found["chrony.service"]["ActiveState"] == "failed"


@pytest.mark.parametrize("state", ["UNCONN ", ""], ids=["with-state", "as-in-trixie"])
def test_captures(state: str) -> None:
    line = f'p_raw {state}0 0 *:tap0 * users:(("Suricata-Main",pid=9,fd=6))'
    assert parsing.capturing([line]) == {("Suricata-Main", "tap0")}
