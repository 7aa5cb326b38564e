"""The folder of a municipality holds what is generated, declared or recorded; anything else is refused by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from vaern import inventory
from vaern.__main__ import cli
from vaern.declaration import load_fleet
from vaern.errors import ApprovalError, ExitCode
from vaern.inventory.files import HEADER
from vaern.inventory.folder import _known, refuse_unknown, unknown
from vaern.model.fleet import Fleet
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
PLANTED = [
    "host_vars/favrskov-gw1/keys.yml",
    "host_vars/favrskov-gw1.yaml",
    "host_vars/favrskov-gw1",
    "host_vars/keys.yml",
    "group_vars/all/tenants.yml",
    "group_vars/relays.yml",
    "group_vars/all/keys.yaml",
    "group_vars/hubs/keys.yml",
    "extra.yml",
    "hosts.yml.orig",
    "ssh_config",
    "notes.txt",
    ".hidden",
]
"""Some of them were applied by Ansible while everything said that the folder was right."""


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(Project(ROOT, ROOT / ".vaern"))


@pytest.fixture
def files(fleet: Fleet, tmp_path: Path) -> dict[str, str]:
    """The generated files of Favrskov, written into the folder of the test."""
    made = inventory.municipality_files(fleet, "favrskov")
    assert inventory.write(tmp_path, "favrskov", made) == sorted(made)
    return made


def plant(inventories: Path, path: str, text: str = "log_shipper_privacy: {cpr: keep}\n") -> Path:
    planted = inventories / "favrskov" / path
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(text)
    return planted


@pytest.mark.parametrize("path", PLANTED)
def test_a_planted_file_is_refused_by_name_and_stays(tmp_path: Path, files: dict[str, str], path: str) -> None:
    planted = plant(tmp_path, path)
    (tmp_path / "favrskov/hosts.yml").unlink()
    with pytest.raises(ApprovalError, match=f"inventories/favrskov/{path}") as refused:
        inventory.write(tmp_path, "favrskov", files)
    assert "ssh:" in refused.value.fix if path == "ssh_config" else "municipality.yml" in refused.value.fix
    assert planted.exists()
    assert not (tmp_path / "favrskov/hosts.yml").exists(), "written in spite of the refusal"


@given(
    place=st.sampled_from(["", "host_vars/", "group_vars/", "host_vars/favrskov-gw1/", "group_vars/all/"]),
    name=st.from_regex(r"[a-z_~-]{1,8}(\.(ya?ml|json|ini|md|sig|new|[0-9]{1,4}))?", fullmatch=True),
)
@example("group_vars/all/", "tenants.yml")
@example("host_vars/", "favrskov-gw1")
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_it_is_called(tmp_path: Path, files: dict[str, str], place: str, name: str) -> None:
    known = {*files, *(f"favrskov/{one}" for one in _known("favrskov"))}
    path = f"favrskov/{place}{name}"
    assume(path not in known)
    planted = plant(tmp_path, f"{place}{name}")
    try:
        assert unknown(tmp_path, "favrskov", files) == [path]
    finally:
        planted.unlink()


def test_links_are_named_and_not_followed(tmp_path: Path, files: dict[str, str]) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "all.yml").write_text(HEADER)
    (tmp_path / "favrskov/group_vars/relays").symlink_to(tmp_path / "elsewhere")
    assert unknown(tmp_path, "favrskov", files) == ["favrskov/group_vars/relays"]


def test_what_is_written_by_hand_or_by_other_stages_is_known(tmp_path: Path, files: dict[str, str]) -> None:
    for path in ("municipality.yml", "known_hosts", "allowed_signers", "manifest", "manifest.sig"):
        plant(tmp_path, path)
    plant(tmp_path, "group_vars/all/keys.lab.yml")
    plant(tmp_path, "group_vars/all/keys.yml")
    refuse_unknown(tmp_path, "favrskov", files)


@pytest.mark.parametrize("path", ["host_vars/.favrskov-gw1.yml.4711", "group_vars/all/.keys.yml.new", ".hosts.yml.77"])
def test_what_looks_like_a_draft_is_no_better_known_than_the_rest(
    tmp_path: Path, files: dict[str, str], path: str
) -> None:
    plant(tmp_path, path)
    assert unknown(tmp_path, "favrskov", files) == [f"favrskov/{path}"]


def test_many_are_named_briefly(tmp_path: Path, files: dict[str, str]) -> None:
    for number in range(14):
        plant(tmp_path, f"host_vars/x{number}.json")
    with pytest.raises(ApprovalError, match="and 4 more"):
        refuse_unknown(tmp_path, "favrskov", files)


def test_writing_twice_changes_nothing_and_stale_files_go(tmp_path: Path, files: dict[str, str]) -> None:
    assert inventory.write(tmp_path, "favrskov", files) == []
    keys = plant(tmp_path, "group_vars/all/keys.lab.yml", "enrolment: {}\n")
    plant(tmp_path, "host_vars/favrskov-gone.yml", f"{HEADER}x: 1\n")
    (difference,) = inventory.compare(tmp_path, "favrskov", files)
    assert difference.path == "favrskov/host_vars/favrskov-gone.yml"
    assert "-x: 1" in difference.diff
    assert inventory.write(tmp_path, "favrskov", files) == ["favrskov/host_vars/favrskov-gone.yml"]
    assert keys.exists(), "the record of enrolment belongs to another stage"


def test_a_change_is_shown_as_a_diff(tmp_path: Path, files: dict[str, str]) -> None:
    path = tmp_path / "favrskov/host_vars/favrskov-gw1.yml"
    path.write_text(path.read_text().replace("198.51.100.1/32", "0.0.0.0/0"))
    (difference,) = inventory.compare(tmp_path, "favrskov", files)
    assert "0.0.0.0/0" in difference.diff
    assert "+  - 198.51.100.1/32" in difference.diff


def test_the_command_names_it_and_does_not_say_that_all_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "roles").symlink_to(ROOT / "roles")
    (tmp_path / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories", ignore=shutil.ignore_patterns("*.lab.yml"))
    monkeypatch.setenv("VAERN_PROJECT", str(tmp_path))
    call = ["inventory", "--check", "favrskov"]
    assert CliRunner().invoke(cli, call, standalone_mode=False).return_value == ExitCode.OK
    plant(tmp_path / "inventories", "host_vars/favrskov-gw1/keys.yml")
    done = CliRunner().invoke(cli, call, standalone_mode=False)
    assert done.return_value == ExitCode.FINDINGS
    assert "inventories/favrskov/host_vars/favrskov-gw1/keys.yml" in done.output
    assert "current" not in done.output
    done = CliRunner().invoke(cli, ["inventory", "favrskov"], standalone_mode=False)
    assert isinstance(done.exception, ApprovalError)


def test_who_may_sign_evidence_belongs_to_the_shared_hosts(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/allowed_signers").touch()
    assert unknown(tmp_path, "shared", {}) == []
