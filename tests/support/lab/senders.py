"""Real programs that send to a relay by the very text of their guide in the catalogue.

They run on one host, one after the other; each has an address of its own there, by which the relay knows its source.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from support.certificates import Authority
from support.lab.hosts import Booted
from support.lab.pipeline import RELAY
from support.programs import source_of
from support.relay_sources import keyed
from vaern.model.catalogue import Language, Vendor, kind_of
from vaern.model.senders import AUTHORITY_FILE, filled
from vaern.model.vocabulary import Protocol, SourceKind

HOST = "srv1"
FIRST = IPv4Address("198.51.102.1")
PACKAGES = (
    "bind9 dnsmasq isc-dhcp-server jq kcat kea-dhcp4-server openvpn postfix rsyslog rsyslog-openssl squid unbound"
)
FORWARDING = "# /etc/rsyslog.d/vaern.conf\n"
FOLDER = "/srv/senders"
ASK = f"ip netns exec client python3 {FOLDER}/ask.py dhcp"
AUDIT = (
    '[{"CreationTime":"2026-11-29T12:00:00","Id":"1","Operation":"FileDownloaded","Workload":"SharePoint",'
    '"UserId":"anna@kommune.example","ClientIP":"198.51.100.7"}]'
)
ACTIVITY = (
    '{"records":[{"time":"2026-11-29T12:00:00Z","category":"Administrative","callerIpAddress":"198.51.100.7",'
    '"operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE","resultType":"Success","identity":{"claims":'
    '{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"bo@kommune.example"}}}]}'
)
BROKER = f"""systemd-run --quiet --unit hub-of-the-guide sh -c \
  'sleep 120 | kcat -X test.mock.num.brokers=1 -b x -P -t activity -d mock 2> {FOLDER}/hub.log'
until address=$(grep -om1 '127.0.0.1:[0-9]*' {FOLDER}/hub.log); do sleep 0.1; done
kcat -P -b $address -t activity {FOLDER}/activity.json
printf 'bootstrap.servers=%s\\nauto.offset.reset=earliest\\n' $address > /etc/vaern/hub.conf"""
"""An event hub for the guide of one: librdkafka's own double of a broker, with one message of the hub in it."""
SCRIPT = f'cd {FOLDER}; setsid timeout 90 sh -c "$(cat guide.sh)" < /dev/null > /dev/null 2>&1 &'
"""What reads a hub never ends, and takes some seconds before it is given the first message."""
END = "process=$(cat {}); kill $process; while kill -0 $process 2> /dev/null; do sleep 0.1; done"
"""Ends a program, by the file with its number, and waits: the next one takes its port."""


@dataclass(frozen=True)
class Sender:
    """A program of Debian. Where `{}` stands in its configuration comes the guide's own part."""

    kind: SourceKind
    vendor: str
    protocol: Protocol
    file: str = ""
    configuration: str = "{}"
    start: str = "true"
    cause: str = "true"
    """A command that makes it write what its parser promises; it may go on after the command has returned."""

    @property
    def name(self) -> str:
        """Of its source."""
        return f"guide-{self.kind}-{self.vendor}"

    @property
    def entry(self) -> Vendor:
        """What the catalogue says of it."""
        return next(each for each in kind_of(self.kind).vendors if each.name == self.vendor)


SENDERS = (
    Sender(SourceKind.CLOUD, "azure-activity", Protocol.SYSLOG_TCP, "activity.json", ACTIVITY, BROKER, SCRIPT),
    Sender(SourceKind.MICROSOFT365, "unified-audit", Protocol.SYSLOG_TCP, "EXPORT.json", AUDIT, cause=SCRIPT),
    # Being asked for a command is a log-in.
    Sender(SourceKind.LINUX, "rsyslog", Protocol.SYSLOG_TLS),
    Sender(
        SourceKind.DNS,
        "bind",
        Protocol.SYSLOG_UDP,
        "named.conf",
        'options {{ directory "/var/cache/bind"; recursion no;'
        " listen-on port 5301 {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; }};\n{}",
        "named -c {file} -u bind",
        f"python3 {FOLDER}/ask.py dns 5301",
    ),
    Sender(
        SourceKind.DNS,
        "unbound",
        Protocol.SYSLOG_TCP,
        "unbound.conf",
        '{}\n  port: 5302\n  chroot: ""\n  pidfile: "/run/unbound.pid"\n  local-data: "www.example. A 192.0.2.1"\n',
        "unbound -c {file}",
        f"python3 {FOLDER}/ask.py dns 5302",
    ),
    Sender(
        SourceKind.DNS,
        "dnsmasq",
        Protocol.SYSLOG_TCP,
        "dnsmasq-dns.conf",
        "{}\nport=5303\nlisten-address=127.0.0.1\nbind-interfaces\naddress=/www.example/192.0.2.1\n",
        "dnsmasq --conf-file={file} --pid-file=/run/dnsmasq-dns.pid",
        f"python3 {FOLDER}/ask.py dns 5303",
    ),
    Sender(
        SourceKind.DHCP,
        "dnsmasq",
        Protocol.SYSLOG_TCP,
        "dnsmasq-dhcp.conf",
        "{}\nport=0\ninterface=dhcp0\nbind-interfaces\ndhcp-range=192.0.2.10,192.0.2.99,1h\n",
        "dnsmasq --conf-file={file} --pid-file=/run/dnsmasq-dhcp.pid",
        f"{ASK}; {END.format('/run/dnsmasq-dhcp.pid')}",
    ),
    Sender(
        SourceKind.DHCP,
        "isc-dhcpd",
        Protocol.SYSLOG_TCP,
        "dhcpd.conf",
        "subnet 192.0.2.0 netmask 255.255.255.0 {{ range 192.0.2.10 192.0.2.99; }}\n",
        "touch /run/dhcpd.leases; dhcpd -q -cf {file} -lf /run/dhcpd.leases -pf /run/dhcpd.pid dhcp0",
        f"{ASK}; {END.format('/run/dhcpd.pid')}",
    ),
    Sender(
        SourceKind.DHCP,
        "isc-kea",
        Protocol.SYSLOG_TCP,
        "kea.conf",
        '{{"Dhcp4": {{"interfaces-config": {{"interfaces": ["dhcp0"]}},'
        ' "lease-database": {{"type": "memfile", "persist": false}},'
        ' "subnet4": [{{"id": 1, "subnet": "192.0.2.0/24", "pools": [{{"pool": "192.0.2.10-192.0.2.99"}}]}}],\n{}}}}}',
        "install -d /run/kea; systemd-run --quiet --unit kea-of-the-guide kea-dhcp4 -c {file}; sleep 1",
        f"{ASK}; systemctl stop kea-of-the-guide",
    ),
    Sender(
        SourceKind.MAIL,
        "postfix",
        Protocol.SYSLOG_TCP,
        start="newaliases; postfix start",
        cause="printf 'Subject: x\\n\\nx\\n' | sendmail -f a@x.example root@localhost",
    ),
    Sender(
        SourceKind.PROXY,
        "squid",
        Protocol.SYSLOG_TCP,
        "squid.conf",
        "http_port 127.0.0.1:3128\nhttp_access allow localhost\nvisible_hostname px1\n"
        "pid_filename /run/squid.pid\ncache_log /run/squid.log\n{}\n",
        "install -o proxy /dev/null /run/squid.log; squid -f {file};"
        " timeout 60 bash -c 'until : 2>/dev/null </dev/tcp/127.0.0.1/3128; do sleep 0.1; done'",
        # Squid gives up for a client that has closed its half.
        "timeout 60 bash -c 'exec 3<>/dev/tcp/127.0.0.1/3128;"
        ' printf "GET http://127.0.0.1:9/ HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3\'',
    ),
    Sender(
        SourceKind.VPN,
        "openvpn",
        Protocol.SYSLOG_TCP,
        "openvpn.conf",
        "{}\ndev tun\nserver 10.8.0.0 255.255.255.0\ntopology subnet\nlocal 127.0.0.1\ndh none\n"
        f"ca {FOLDER}/ca.crt\ncert {FOLDER}/vpn1.crt\nkey {FOLDER}/vpn1.key\n",
        "openvpn --config {file} --daemon --writepid /run/openvpn.pid",
        f"setsid timeout 90 openvpn --client --dev null --remote 127.0.0.1 --nobind --ca {FOLDER}/ca.crt"
        f" --cert {FOLDER}/anna.crt --key {FOLDER}/anna.key --log /dev/null < /dev/null > /dev/null 2>&1 &",
    ),
)


def sources() -> list[dict[str, str]]:
    """What the relay is told of them."""
    return [
        keyed(
            {
                "name": sender.name,
                "kind": sender.kind.value,
                "sector": "administration",
                "protocol": sender.protocol.value,
                "address": str(FIRST + number),
                "parser": sender.entry.parser,
                "timezone": "UTC",
            }
        )
        for number, sender in enumerate(SENDERS)
    ]


def prepare(lab: Booted, authority: Authority) -> None:
    """Begin to install the programs, none of which starts by itself, and put in place what they need."""
    install = f"DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Options::=--force-unsafe-io install {PACKAGES}"
    lab.run(
        HOST,
        "printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; apt-get -q update;"
        " systemd-run --quiet --unit install-senders --property=Type=oneshot --property=RemainAfterExit=yes --no-block"
        f" sh -c '{install}';"
        f" install -d {FOLDER} /etc/vaern; for number in $(seq 0 {len(SENDERS) - 1}); do"
        f" ip address add {FIRST.exploded.rpartition('.')[0]}.$((number + 1))/32 dev lan; done;"
        " ip netns add client; ip link add dhcp0 type veth peer name c0 netns client;"
        " ip address add 192.0.2.1/24 dev dhcp0; ip link set dhcp0 up;"
        " ip -n client address add 192.0.2.2/24 dev c0; ip -n client link set c0 up",
    )
    files = {f"{FOLDER}/ask.py": source_of("ask.py"), f"{FOLDER}/ca.crt": authority.certificate}
    files[f"/etc/ssl/{AUTHORITY_FILE}"] = authority.certificate
    for name in ("vpn1", "anna"):
        own = authority.issue(name)
        files |= {f"{FOLDER}/{name}.key": own.key, f"{FOLDER}/{name}.crt": own.certificate}
    for path, text in files.items():
        lab.run(HOST, f"umask 022; cat > {path}", stdin=text)


def installed(lab: Booted) -> None:
    """Wait until they are."""
    lab.run(
        HOST,
        "until systemctl is-active --quiet install-senders; do"
        " systemctl is-failed --quiet install-senders && exit 1; sleep 0.5; done",
    )


def send(lab: Booted, sender: Sender) -> None:
    """Set it up as its guide says, and let something happen."""
    own, _, forwarding = filled(sender.entry.setup, Language.EN, sender.protocol, RELAY)[1].partition(FORWARDING)
    address = str(FIRST + SENDERS.index(sender))
    lab.run(HOST, f"ip route replace {RELAY} dev lan src {address}; cat > /etc/rsyslog.d/vaern.conf", stdin=forwarding)
    # Asked for more than five times in ten seconds, systemd refuses.
    lab.run(HOST, "systemctl reset-failed rsyslog; systemctl restart rsyslog")
    if sender.file:
        text = sender.configuration if sender.cause == SCRIPT else sender.configuration.format(own)
        lab.run(HOST, f"cat > {FOLDER}/{sender.file}", stdin=text)
    lab.run(HOST, f"cat > {FOLDER}/guide.sh", stdin=own.splitlines()[-1] if own else "")
    lab.run(HOST, sender.start.replace("{file}", f"{FOLDER}/{sender.file}"))
    lab.run(HOST, sender.cause)
