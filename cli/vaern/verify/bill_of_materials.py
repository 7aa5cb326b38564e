"""The software of a host as a bill of materials in CycloneDX.

The document has few keys and is written here. The library of CycloneDX would bring six packages to every operator; it
judges the document in `make check` instead.
"""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from vaern.runtime import programs
from vaern.verify.software import Software

SPECIFICATION = "1.6"
JAR = re.compile(r"(?P<name>.+?)-(?P<version>\d[^/]*)\.jar")
Component = dict[str, Any]


def bill_of_materials(host: str, software: Software, made: datetime, version: str) -> dict[str, Any]:
    """The CycloneDX document of a host; `made` is the time of the list (UTC), `version` that of vaern."""
    name, release, codename = software.release
    components = [_package(*package, software) for package in sorted(software.packages)]
    components += [_jar(path, digest) for path, digest in software.files]
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPECIFICATION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "vaern", "version": version}]},
            "component": {"type": "device", "name": host, "bom-ref": host},
        },
        "components": [
            {"type": "operating-system", "name": name, "version": release, "description": codename, "bom-ref": "os"},
            *components,
        ],
    }


REPLACED = "replace"
"""What a host says of its packages may hold half a character, which UTF-8 has no bytes for."""


def purl(name: str, version: str, architecture: str, release: tuple[str, str, str]) -> str:
    """The package URL of a Debian package; the package of vaern's own programs has another vendor."""
    vendor = "vaern" if name == programs.NAME else release[0]
    distribution = f"&distro={quote(release[2], errors=REPLACED)}" if vendor == release[0] else ""
    written = f"{quote(name, errors=REPLACED)}@{quote(version, ':~', errors=REPLACED)}"
    return f"pkg:deb/{vendor}/{written}?arch={architecture}{distribution}"


def _package(name: str, version: str, architecture: str, source: str, maintainer: str, software: Software) -> Component:
    url = purl(name, version, architecture, software.release)
    component: Component = {"type": "library", "name": name, "version": version, "purl": url, "bom-ref": url}
    if maintainer:
        component["supplier"] = {"name": maintainer}
    if licences := software.licences.get(name):
        component["licenses"] = [{"license": {"name": licence}} for licence in licences]
    if source != name:
        component["properties"] = [{"name": "vaern:debian:source", "value": source}]
    return component


def _jar(path: str, digest: str) -> Component:
    """A jar says its name and version in its file's name only, so that it has a digest in place of a package URL."""
    named = JAR.fullmatch(PurePosixPath(path).name)
    component: Component = {"type": "library", "name": named["name"] if named else PurePosixPath(path).name}
    if named:
        component["version"] = named["version"]
    component |= {"bom-ref": path, "hashes": [{"alg": "SHA-256", "content": digest}]}
    component["evidence"] = {"occurrences": [{"location": path}]}
    return component
