"""sslyze on every TLS port that our hosts open, by the modern profile of Mozilla; what does not fit has its reason."""

from __future__ import annotations

import re

import pytest
from support.judges import PYTHON, SENDERS_NAME, Judged, ask, reasons
from support.lab.project import Lab

pytestmark = pytest.mark.judges
SENDERS_PORT = 6515
PORTS = {
    "broker": ("hub1", 9093),
    "syslog over TLS": ("favrskov-gw1", 6514),
    "syslog with certificates": ("favrskov-gw1", SENDERS_PORT),
    "RELP": ("favrskov-gw1", 20514),
}
OPENED = "ss -Hltn 'sport = :{port}' | awk '{{ print $4 }}'"


def network_of(lab: Lab, host: str) -> tuple[str, ...]:
    """What runs a program in the network of a host; from elsewhere its firewall lets in who is declared only."""
    configuration = (lab.project.state / "ssh_config").read_text(encoding="utf-8")
    (name,) = set(re.findall(r"--net=/run/netns/(\S+)", configuration))
    return ("ip", "netns", "exec", f"{name}-{host}")


@pytest.mark.parametrize("name", PORTS)
def test_what_sslyze_names_has_a_reason(onboarded: Lab, judged: Judged, name: str) -> None:
    if not PYTHON.exists():
        pytest.skip(f"not judged: no {PYTHON}; run `stacks/setup/setup --also judges`")
    host, port = PORTS[name]
    opened = onboarded.ssh(host, OPENED.format(port=port)).split()
    assert opened, f"nothing listens on port {port} of {host}"
    address = opened[0].rpartition(":")[0].strip("[]").replace("*", "127.0.0.1")
    pki = onboarded.project.state / "lab" / "hosts" / host / "root" / "etc" / "vaern" / "pki"
    # On that port nobody but the declared sender gets as far as an answer.
    own = onboarded.project.root / SENDERS_NAME if port == SENDERS_PORT else pki / "host"
    files = [str(pki / "ca.crt"), f"{own}.crt", f"{own}.key"]
    told = ask("judge_tls.py", address, str(port), host, *files, inside=network_of(onboarded, host))
    assert told["failed"] == [], "sslyze could not look at all of it"
    known = reasons("sslyze")
    unexplained = {issue: text for issue, text in told["issues"].items() if issue not in known}
    judged(
        f"sslyze on {host}:{port} ({name})", f"{len(told['issues'])} points off Mozilla's modern profile", unexplained
    )
