"""Asks sslyze about one TLS port and prints what does not fit the modern profile of Mozilla, as JSON.

Run by the Python of the judges:
    judge_tls.py ADDRESS PORT NAME AUTHORITY CERTIFICATE KEY

NAME is what the client says it looks for; Java takes no address there. `issues` has Mozilla's name of each point that
does not fit and what was found; `failed` what sslyze could not find out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sslyze import (
    CertificateInfoExtraArgument,
    ClientAuthenticationCredentials,
    ScanCommandAttemptStatusEnum,
    ScanCommandsExtraArguments,
    Scanner,
    ServerNetworkConfiguration,
    ServerNetworkLocation,
    ServerScanRequest,
)
from sslyze.mozilla_tls_profile.tls_config_checker import (
    SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER,
    MozillaTlsConfiguration,
    ServerNotCompliantWithTlsConfiguration,
    TlsConfigurationEnum,
    check_server_against_tls_configuration,
)


def main(address: str, port: str, name: str, authority: str, certificate: str, key: str) -> dict[str, Any]:
    """What sslyze found there."""
    own = ClientAuthenticationCredentials(Path(certificate), Path(key))
    location = ServerNetworkLocation(hostname=address, port=int(port), ip_address=address)
    request = ServerScanRequest(
        server_location=location,
        network_configuration=ServerNetworkConfiguration(
            tls_server_name_indication=name, tls_client_auth_credentials=own
        ),
        scan_commands=SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER,
        scan_commands_extra_arguments=ScanCommandsExtraArguments(
            certificate_info=CertificateInfoExtraArgument(custom_ca_file=Path(authority))
        ),
    )
    # A port of vaern refuses an address that opens many connections at once.
    scanner = Scanner(per_server_concurrent_connections_limit=2)
    scanner.queue_scans([request])
    (result,) = scanner.get_results()
    if result.scan_result is None:
        return {"failed": [f"no connection: {result.connectivity_error_trace}"[-300:]]}
    attempts = {one: getattr(result.scan_result, one.value) for one in SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER}
    failed = [
        f"{command.value}: {attempt.error_reason}"
        for command, attempt in attempts.items()
        if attempt.status != ScanCommandAttemptStatusEnum.COMPLETED
    ]
    if failed:
        return {"failed": sorted(failed)}
    issues: dict[str, str] = {}
    try:
        check_server_against_tls_configuration(result, MozillaTlsConfiguration.get(TlsConfigurationEnum.MOZILLA_MODERN))
    except ServerNotCompliantWithTlsConfiguration as error:
        issues = error.issues
    return {"failed": [], "issues": issues}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
