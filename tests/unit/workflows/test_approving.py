"""From the folder that a municipality reviews to what is applied: any change after the signature is refused by name."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.approvals import CHIEF, Site, make_key
from support.paths import ROOT

from vaern import approval, provision
from vaern.__main__ import cli
from vaern.archive.alarms import Alarms
from vaern.archive.counts import Counts
from vaern.errors import ApprovalError, ExitCode
from vaern.model.progress import Progress
from vaern.workflows import approving
from vaern.workflows.dry_run import Planned, plan
from vaern.workflows.onboarding import Onboarding
from vaern.workflows.rotation import Rotation
from vaern.workflows.sources import Sources
from vaern.workflows.status import statuses

OWN, SHARED = "inventories/favrskov/municipality.yml", "inventories/shared/collector.yml"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site.make(tmp_path)
    monkeypatch.setattr(Sources, "read", lambda project: made.sources)
    monkeypatch.setenv("VAERN_PROJECT", str(made.project.root))
    monkeypatch.setenv("VAERN_STATE", str(made.project.state))
    return made


def sign(site: Site) -> None:
    now = approving.what_decides(site.project, site.fleet, site.slug, site.sources)
    manifest = approval.prepared(site.folder, site.roots, now, approving.today())
    assert approval.approve(site.folder, manifest, site.key) == CHIEF


def current(site: Site) -> approval.Approval:
    return approving.current(site.project, site.fleet, site.slug, site.sources)


def vaern(*words: str) -> Result:
    return CliRunner().invoke(cli, words, standalone_mode=False)


ANALYSIS = "title: National analysis centre for health"
OUTPUT = "outputs: [{name: relp, protocol: relp_tls, address: soc.example}]"
CHANGES = {
    "health goes elsewhere": (OWN, "health: national", "health: joint", 'soc.health: "national" -> "joint"'),
    "retention": (OWN, "retention_days: 400", "retention_days: 10", "privacy.retention_days: 400 -> 10"),
    "agreement": (OWN, "DBA-2026-0710", "none", 'processing_agreement: "DBA-2026-0710" -> "none"'),
    "contact": (OWN, "email: it@favrskov", "email: eve@favrskov", "contacts[0].email"),
    "a comment": (OWN, "# in quotes", "# in quote", f"{OWN} was changed"),
    "where the SOC is": (
        SHARED,
        ANALYSIS,
        f"{ANALYSIS}\n    {OUTPUT}",
        'outputs[relp].address: nothing -> "soc.example"',
    ),
    "who receives": (SHARED, ANALYSIS, "title: Other", 'receiving national.title: "National analysis'),
    "region": (SHARED, "location: northeurope", "location: eastus2", "shared azure.location"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_changed_after_the_signature_is_refused_and_told(site: Site, case: str) -> None:
    path, before, after, told = CHANGES[case]
    sign(site)
    assert current(site).signer == CHIEF
    site.edit(path, before, after)
    with pytest.raises(ApprovalError, match="since it was signed") as refused:
        current(site)
    assert told in refused.value.what


def test_a_line_added_to_a_role_and_another_package_are_refused(site: Site) -> None:
    sign(site)
    roles = {"base/tasks/main.yml": b"---\n- ansible.builtin.command: id\n"}
    for sources, told in (
        (replace(site.sources, roles=roles), "roles/base/tasks/main.yml was changed"),
        (replace(site.sources, roles=site.sources.roles | {"base/x.yml": b""}), "roles/base/x.yml was added"),
        (replace(site.sources, packages={"vaern-programs_1_all.deb": b"other"}), "package vaern-programs_1_all.deb"),
    ):
        with pytest.raises(ApprovalError) as refused:
            approving.current(site.project, site.fleet, site.slug, sources)
        assert told in refused.value.what


@pytest.mark.parametrize("name", ["allowed_signers", "known_hosts"])
def test_who_may_sign_and_the_host_keys_are_signed(site: Site, name: str) -> None:
    (site.folder / "known_hosts").write_text("favrskov-gw1 ssh-ed25519 AAAA\n")
    sign(site)
    with (site.folder / name).open("a") as file:
        file.write("# another line\n")
    site.pin()
    with pytest.raises(ApprovalError, match=f"inventories/favrskov/{name} was changed"):
        current(site)


def test_an_upgrade_takes_one_signature_and_going_back_none(site: Site) -> None:
    def applied() -> str:
        return str(approving.in_force(site.project, site.fleet, site.slug, site.sources))

    sign(site)
    assert "serial 1" in applied()
    before, old = {path.name: path.read_bytes() for path in site.folder.iterdir() if path.is_file()}, site.sources
    site.sources = replace(old, roles={"base/tasks/main.yml": b"--- # the next version\n"})
    with pytest.raises(ApprovalError, match=r"main\.yml was changed"):
        applied()
    sign(site)
    assert "serial 2" in applied()
    site.sources = old
    for name, content in before.items():
        (site.folder / name).write_bytes(content)
    assert applied().endswith("a rollback")


def test_the_shared_hosts_serve_what_each_municipality_has_signed(site: Site) -> None:
    """Whoever is onboarded next brings no change of another municipality to the hubs that it has not signed."""
    assert approving.as_approved(site.project, site.fleet) == site.fleet, "nothing was applied yet"
    sign(site)
    approving.in_force(site.project, site.fleet, site.slug, site.sources)
    signed = site.fleet
    site.edit(OWN, "retention_days: 400", "retention_days: 10")
    site.edit(
        OWN,
        "  - name: sensor1",
        "  - {name: gw2, site: raadhus, address: 198.51.100.12, roles: [gateway]}\n  - name: sensor1",
    )
    assert site.fleet != signed
    assert approving.as_approved(site.project, site.fleet).municipalities == signed.municipalities
    sign(site)
    approving.in_force(site.project, site.fleet, site.slug, site.sources)
    assert approving.as_approved(site.project, site.fleet) == site.fleet


def test_a_planted_or_edited_file_is_refused_before_anything_else(site: Site) -> None:
    sign(site)
    planted = site.folder / "host_vars" / "favrskov-gw1" / "keys.yml"
    planted.parent.mkdir()
    planted.write_text("log_shipper_privacy: {cpr: keep}\n")
    with pytest.raises(ApprovalError, match=r"favrskov-gw1/keys\.yml"):
        current(site)
    planted.unlink()
    (site.folder / "hosts.yml").write_text("all: {}\n")
    with pytest.raises(ApprovalError, match="do not match its declaration"):
        current(site)


def test_onboarding_stops_before_anything_is_made(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Progress] = []
    run = Onboarding(site.project, site.fleet, site.slug, told.append)
    monkeypatch.setattr(Onboarding, "provision", lambda self: pytest.fail("made without a signature"))
    with pytest.raises(ApprovalError, match="has not approved"):
        run.run()
    assert told == []
    with pytest.raises(ApprovalError, match="has not approved"):
        run.require_approval()
    sign(site)
    run.require_approval()
    assert f"approved by {CHIEF}: serial 1" in told[-1].text
    assert site.roots.applied() is not None, "an older one is refused from now on"


def test_a_dry_run_says_that_it_would_stop(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for preview in ("preview_shared", "preview_municipality"):
        monkeypatch.setattr(provision, preview, lambda *_: [])
    for name in ("shared", "municipality"):
        shutil.copy(ROOT / "roles" / f"{name}.yml", site.project.roles)

    def approval_in(planned: list[Planned]) -> list[str]:
        return [one.what for one in planned if one.stage == "approval"]

    (what,) = approval_in(plan(site.project, site.fleet, site.slug, lambda text: None))
    assert what.startswith("stop: favrskov has not approved")
    sign(site)
    assert approval_in(plan(site.project, site.fleet, site.slug, lambda text: None)) == []


def test_a_rotation_runs_the_roles_and_so_needs_the_approval(site: Site) -> None:
    with pytest.raises(ApprovalError, match="has not approved"):
        Rotation(site.project, site.fleet, site.slug, lambda event: None).run()


def test_the_status_names_the_signer(site: Site) -> None:
    assert [one.approved_by for one in statuses(site.project, site.fleet, Alarms(()), Counts({}))] == [""]
    sign(site)
    assert [one.approved_by for one in statuses(site.project, site.fleet, Alarms(()), Counts({}))] == [CHIEF]


def test_the_command_prepares_signs_and_says_what_has_changed(site: Site) -> None:
    assert isinstance(vaern("approve", "favrskov").exception, ApprovalError)
    prepared = vaern("approve", "favrskov", "--prepare")
    assert (prepared.return_value, "serial 1" in prepared.output) == (ExitCode.OK, True)
    assert not (site.folder / "manifest.sig").exists()
    signed = vaern("approve", "favrskov", "--key", str(site.key))
    assert (signed.return_value, f"approved by {CHIEF}" in signed.output) == (ExitCode.OK, True)
    assert vaern("approve", "favrskov").return_value == ExitCode.OK
    site.edit(OWN, "health: national", "health: joint")
    error = vaern("approve", "favrskov").exception
    assert isinstance(error, ApprovalError)
    assert error.exit_code == ExitCode.APPROVAL
    assert 'declared soc.health: "national" -> "joint"' in error.what


def test_a_wrong_key_is_refused_before_anything_is_written(site: Site, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file()}
    error = vaern("approve", "favrskov", "--key", str(make_key(tmp_path, "stranger"))).exception
    assert isinstance(error, ApprovalError)
    assert "nothing was written" in error.what
    assert {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file()} == before


def test_options_that_exclude_each_other(site: Site) -> None:
    error = vaern("approve", "favrskov", "--prepare", "--pin", "0" * 64).exception
    assert getattr(error, "exit_code", None) == ExitCode.USAGE


def test_the_pin_is_what_the_municipality_tells(site: Site) -> None:
    told = subprocess.run(
        ["sha256sum", str(site.folder / "allowed_signers")], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    assert vaern("approve", "favrskov", "--pin", told).return_value == ExitCode.OK
    assert isinstance(vaern("approve", "favrskov", "--pin", "0" * 64).exception, ApprovalError)
