"""Kafka's own tools on a collector, as the broker's user: what a test changes or looks at by hand."""

from __future__ import annotations

import shlex

from support.lab.hosts import Booted

PROPERTIES = """
security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username="local.broker" password="$(cat /var/lib/vaern-kafka/secrets/broker)";
"""


def kafka_tool(lab: Booted, tool: str, arguments: str) -> str:
    """What one of Kafka's tools prints on hub1.

    Args:
        lab: the hosts.
        tool: its class in kafka.admin, as AclCommand or ConfigCommand.
        arguments: as they are typed in a shell.
    """
    java = f'java -Xshare:auto -XX:TieredStopAtLevel=1 -cp "/opt/$(ls /opt | grep ^kafka-)/*" kafka.admin.{tool}'
    where = "--bootstrap-server 127.0.0.1:9092 --command-config /root/admin.properties"
    script = f"umask 077; cat > /root/admin.properties <<END\n{PROPERTIES}END\n{java} {where} {arguments}"
    return lab.run("hub1", f"sh -c {shlex.quote(script)}")
