"""`vaern new` and `vaern check` as typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vaern.commands import check, new
from vaern.errors import DeclarationError, UsageError
from vaern.model.municipalities import all_known
from vaern.runtime.paths import Project

INVENTORIES = Path(__file__).resolve().parents[3] / "inventories"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for part in ("shared/collector.yml", "favrskov/municipality.yml"):
        (tmp_path / "inventories" / part).parent.mkdir(parents=True)
        shutil.copy(INVENTORIES / part, tmp_path / "inventories" / part)
    return Project(tmp_path, tmp_path / ".vaern")


def run(project: Project, name: str, *arguments: str) -> Result:
    commands = {"new": new.command, "check": check.command}
    result = CliRunner().invoke(commands[name], arguments, obj=project, standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


@pytest.mark.parametrize("size", ["small", "medium", "large"])
def test_a_new_declaration_is_right_as_written(project: Project, size: str) -> None:
    run(project, "new", "samsoe", "--size", size)
    result = run(project, "check", "samsoe", "--json")
    assert json.loads(result.stdout) == {"municipalities": ["samsoe"], "faults": [], "warnings": []}
    assert f"size: {size}" in (project.municipality("samsoe") / "municipality.yml").read_text(encoding="utf-8")


def test_all_98_can_be_written_and_are_right_together(project: Project) -> None:
    for known in all_known():
        if known.slug != "favrskov":
            run(project, "new", known.slug)
    assert run(project, "check").stdout == "98 declarations right, 0 warnings\n"


def test_name_and_code_are_understood_too(project: Project) -> None:
    run(project, "new", "Læsø")
    run(project, "new", "0492")
    assert run(project, "check", "laesoe", "aeroe").stdout == "2 declarations right, 0 warnings\n"


def test_an_existing_declaration_is_never_touched(project: Project) -> None:
    path = project.municipality("favrskov") / "municipality.yml"
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is already there"):
        run(project, "new", "favrskov")
    assert path.read_bytes() == before


def test_an_unknown_municipality_gets_a_suggestion(project: Project) -> None:
    with pytest.raises(UsageError) as caught:
        run(project, "new", "favrskow")
    assert caught.value.fix == "did you mean favrskov?"


def test_a_path_is_not_a_name(project: Project) -> None:
    with pytest.raises(UsageError):
        run(project, "new", "../../etc")


def test_faults_as_json_and_as_an_error(project: Project) -> None:
    path = project.municipality("favrskov") / "municipality.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("size: medium", "size: huge"), encoding="utf-8")
    result = run(project, "check", "--json")
    assert result.return_value == 3
    (fault,) = json.loads(result.stdout)["faults"]
    assert (fault["line"], fault["key"], fault["fix"]) == (6, "size", "write one of small, medium, large")
    with pytest.raises(DeclarationError):
        run(project, "check")


def test_warnings_are_shown_and_stop_nothing(project: Project) -> None:
    path = project.municipality("favrskov") / "municipality.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("cpr: mask", "cpr: keep"), encoding="utf-8")
    result = run(project, "check")
    assert result.return_value == 0
    assert "privacy.cpr: civil registration numbers" in result.stdout
    assert "(warning)\n    fix: write mask or hash" in result.stdout


def test_schemas_are_written_on_request(project: Project) -> None:
    assert "wrote inventories/schema/municipality.schema.json" in run(project, "check", "--write-schema").stderr
