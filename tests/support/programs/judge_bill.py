"""Has the library of CycloneDX judge the bill of materials on standard input; prints what is wrong, as JSON.

Run by the Python of the judges.
"""

from __future__ import annotations

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL


def main(text: str) -> list[str]:
    """What does not fit the schema, and package URLs that are not in their one form."""
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True)
    urls = [one["purl"] for one in json.loads(text)["components"] if "purl" in one]
    return [str(error) for error in found or []] + [
        url for url in urls if PackageURL.from_string(url).to_string() != url
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.stdin.read())))
