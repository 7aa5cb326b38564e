"""`vaern sbom`: the software of a host, as a bill of materials."""

from __future__ import annotations

from pathlib import Path

import click

from vaern.console import STANDARD_OUTPUT, OutputFile, print_document, say_aside, write_output
from vaern.errors import ExitCode
from vaern.runtime.paths import Project


@click.command()
@click.argument("host", metavar="HOST")
@click.option(
    "--output", type=OutputFile(), default="-", show_default=True, help="The file to write; - is standard output."
)
@click.pass_obj
def command(project: Project, host: str, output: Path) -> int:
    """List the software of a host, as a bill of materials.

    Writes CycloneDX 1.6 as JSON: every package that dpkg knows on that host, with version, package URL, supplier and,
    where Debian's copyright file says so in a form that programs read, licences; on a collector also the jars of Kafka,
    with digests. Only reads. HOST is a name in the inventory, such as favrskov-gw1 or hub1.

    \b
    Examples:
      vaern sbom hub1
      vaern sbom favrskov-gw1 --output favrskov-gw1.cdx.json
    """
    import json
    from datetime import UTC, datetime

    from vaern import __version__
    from vaern.verify.bill_of_materials import bill_of_materials
    from vaern.verify.software import list_software

    document = bill_of_materials(host, list_software(project, host), datetime.now(UTC), __version__)
    text = json.dumps(document, indent=2) + "\n"
    if output == STANDARD_OUTPUT:
        print_document(text)
    else:
        write_output(output, text)
        say_aside(f"{len(document['components'])} components of {host} in {output}")
    return ExitCode.OK
