"""What `vaern sbom` writes is CycloneDX, says its own library; here of this machine, on hosts by `make judges`."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from support.judges import PYTHON, wrong_in_bill

from vaern.verify.bill_of_materials import bill_of_materials
from vaern.verify.software import read_software

pytestmark = pytest.mark.audit
if not PYTHON.exists():
    pytest.skip(f"no {PYTHON}: run `stacks/setup/setup --also judges`", allow_module_level=True)


@pytest.fixture(scope="module")
def bill() -> str:
    """Of this machine, which is Debian too."""
    script = files("vaern.verify").joinpath("packages.sh").read_text("utf-8")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return json.dumps(
        bill_of_materials("here", read_software("here", done.stdout.splitlines()), datetime.now(UTC), "1")
    )


def test_a_bill_of_materials_fits_its_schema(bill: str) -> None:
    assert wrong_in_bill(bill) == []


@pytest.mark.parametrize(
    ("written", "instead"), [('"bomFormat": "CycloneDX"', '"bomFormat": "CSV"'), ("pkg:deb/debian", "pkg:DEB/debian")]
)
def test_one_that_does_not_fit_would_be_found(bill: str, written: str, instead: str) -> None:
    assert wrong_in_bill(bill.replace(written, instead))
