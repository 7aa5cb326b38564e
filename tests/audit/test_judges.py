"""What judges say of this repository: nothing is left unexplained, and what cannot be judged is never called good."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from vaern.runtime.paths import Project

ROOT = Path(__file__).parents[2]
BIN = Project.find(ROOT).tools / "judges" / "bin"
SOURCES = ("cli", "stacks", "roles/programs/package")
TEXTS = (*SOURCES, "roles", "inventories", "docs", "Makefile", ".ci", "README.md", "pyproject.toml")
VULNERABLE = "jinja2==2.10"
"""Known for years (CVE-2019-10906). A judge that says nothing of it has not reached what it judges by."""
pytestmark = pytest.mark.audit
if not (BIN / "bandit").exists():
    pytest.skip(f"no {BIN}/bandit: run `stacks/setup/setup --also judges`", allow_module_level=True)


def explained(judge: str) -> dict[str, str]:
    found: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "tests/audit/judged.yml").read_text(encoding="utf-8"))
    return found[judge]


def ask(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / program), *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=1200
    )


def test_bandit_finds_nothing_that_is_not_explained() -> None:
    done = ask("bandit", "-q", "-r", *SOURCES, "-f", "json")
    report = json.loads(done.stdout)
    assert report["errors"] == []
    found: dict[str, list[str]] = {}
    for one in report["results"]:
        found.setdefault(one["test_id"], []).append(f"{one['filename']}:{one['line_number']} {one['issue_text']}")
    assert {key: places for key, places in found.items() if key not in explained("bandit")} == {}
    assert explained("bandit").keys() <= found.keys(), "a reason for what is found no more"


def test_no_secret_is_in_the_repository() -> None:
    done = ask("detect-secrets", "scan", *TEXTS)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["results"]
    assert {path: [one["line_number"] for one in lines] for path, lines in found.items()}.keys() == explained(
        "secrets"
    ).keys()


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "leaked.py").write_text('AWS = "AKIA' + "IOSFODNN7EXAMPLX" + '"\n', encoding="utf-8")
    done = subprocess.run(
        [str(BIN / "detect-secrets"), "scan", "--all-files", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert json.loads(done.stdout)["results"]


def test_the_tool_has_a_bill_of_materials_with_every_locked_package(tmp_path: Path) -> None:
    written = tmp_path / "sbom.json"
    lock = ROOT / "stacks/setup/requirements.lock"
    done = ask("cyclonedx-py", "requirements", str(lock), "--of", "JSON", "--sv", "1.6", "-o", str(written))
    assert done.returncode == 0, done.stderr
    document = json.loads(written.read_text(encoding="utf-8"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    listed = {one["name"].lower() for one in document["components"]}
    assert {"ansible-core", "cryptography", "pulumi", "click"} <= listed


def vulnerabilities(requirements: Path) -> tuple[dict[str, list[str]], list[str]]:
    """Package to its known vulnerabilities, and the packages that could not be judged."""
    done = ask(
        *("pip-audit", "-r", str(requirements), "--no-deps", "--disable-pip", "--progress-spinner", "off"),
        *("--format", "json", "--timeout", "10"),
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        return {}, [(done.stderr.strip().splitlines() or ["no answer"])[-1]]
    found = {one["name"]: [bad["id"] for bad in one["vulns"]] for one in packages if one.get("vulns")}
    return found, [one["name"] for one in packages if "skip_reason" in one]


def test_known_vulnerabilities_of_the_tool(tmp_path: Path) -> None:
    """Judged only where the judge knows what everybody knows; it says "no known vulnerabilities" without its data."""
    known = tmp_path / "known.txt"
    known.write_text(f"{VULNERABLE}\n", encoding="utf-8")
    if not vulnerabilities(known)[0]:
        pytest.skip(f"not judged: pip-audit knows no vulnerability of {VULNERABLE}, so it has not reached its data")
    found, unknown = vulnerabilities(ROOT / "stacks/setup/requirements.lock")
    assert found == {}
    assert unknown == [], "not judged"
