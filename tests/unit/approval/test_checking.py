"""An approval holds for what was signed, by whom operations has pinned, in its time and its order."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from support.approvals import CHIEF, allow, make_key

from vaern import approval
from vaern.approval import Contents, Manifest, Roots
from vaern.approval.signing import OPERATIONS_NAMESPACE
from vaern.errors import ApprovalError

TODAY = date(2026, 11, 29)
ONE = Contents({"declared privacy.retention_days": "400"}, {"roles/base/tasks/main.yml": "a" * 64})
TWO = replace(ONE, files={"roles/base/tasks/main.yml": "b" * 64})
OPERATOR = "drift@faelles.example"


class Office:
    """A folder of a municipality, its signer, and operations' state."""

    def __init__(self, place: Path) -> None:
        self.place, self.folder = place, place / "inventories" / "favrskov"
        self.folder.mkdir(parents=True)
        self.key, self.roots = make_key(place, "chief"), Roots.of(place / "state", "favrskov")
        allow(self.folder / "allowed_signers", CHIEF, self.key)
        self.pin()

    def pin(self) -> None:
        signers = (self.folder / "allowed_signers").read_bytes()
        self.roots.pin(signers, hashlib.sha256(signers).hexdigest())

    def sign(self, now: Contents = ONE, today: date = TODAY, **options: int) -> Manifest:
        manifest = approval.prepared(self.folder, self.roots, now, today, **options)
        approval.approve(self.folder, manifest, self.key)
        return manifest

    def check(self, now: Contents = ONE, today: date = TODAY) -> approval.Approval:
        return approval.check(self.folder, self.roots, now, today)

    def apply(self, now: Contents = ONE, today: date = TODAY) -> approval.Approval:
        found = self.check(now, today)
        self.roots.remember(found.manifest, "{}")
        return found

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_what_was_signed_is_approved_and_has_a_digest(office: Office) -> None:
    manifest = office.sign()
    found = office.check()
    assert (found.signer, found.manifest, found.digest) == (CHIEF, manifest, manifest.digest)
    assert str(found) == f"approved by {CHIEF}: serial 1, until {TODAY + timedelta(days=400)}"


def test_what_is_missing_is_named(office: Office) -> None:
    with pytest.raises(ApprovalError, match="has not approved: there is no manifest in") as refused:
        office.check()
    assert "--prepare" in refused.value.fix
    approval.write_manifest(office.folder, approval.prepared(office.folder, office.roots, ONE, TODAY))
    with pytest.raises(ApprovalError, match=r"there is no manifest\.sig in"):
        office.check()
    (office.folder / "allowed_signers").unlink()
    with pytest.raises(ApprovalError, match="nobody may approve"):
        office.check()


def test_an_approval_of_an_earlier_version_asks_for_one_signature(office: Office) -> None:
    (office.folder / "approval.sig").write_text("-----BEGIN SSH SIGNATURE-----\n")
    with pytest.raises(ApprovalError, match="earlier version") as refused:
        office.check()
    assert "signed once" in refused.value.fix
    office.sign()
    assert office.check().signer == CHIEF
    assert "approval.sig" not in office.files()


@pytest.mark.parametrize("part", ["manifest", "manifest.sig"])
def test_a_byte_changed_after_signing_is_refused(office: Office, part: str) -> None:
    office.sign()
    path = office.folder / part
    path.write_bytes(path.read_bytes().replace(b"3", b"4"))
    with pytest.raises(ApprovalError, match="is not valid"):
        office.check()


def test_a_stranger_cannot_approve_and_nothing_is_written(office: Office) -> None:
    before = office.files()
    manifest = approval.prepared(office.folder, office.roots, ONE, TODAY)
    with pytest.raises(ApprovalError, match=r"does not allow .*stranger.*nothing was written"):
        approval.approve(office.folder, manifest, make_key(office.place, "stranger"))
    assert office.files() == before


def test_a_change_that_brings_its_own_signer_is_refused(office: Office) -> None:
    """It travels with the files that it approves; the pin does not."""
    office.sign()
    stranger = make_key(office.place, "stranger")
    allow(office.folder / "allowed_signers", "also@favrskov.example", stranger)
    approval.approve(office.folder, approval.prepared(office.folder, office.roots, TWO, TODAY), stranger)
    with pytest.raises(ApprovalError, match="has changed since operations pinned it") as refused:
        office.check(TWO)
    assert "sha256sum inventories/favrskov/allowed_signers" in refused.value.fix
    office.pin()
    assert office.check(TWO).signer == "also@favrskov.example"


def test_without_a_pin_nobody_may_sign_and_a_wrong_digest_pins_nothing(office: Office, tmp_path: Path) -> None:
    office.sign()
    office.roots = Roots.of(tmp_path / "other-state", "favrskov")
    with pytest.raises(ApprovalError, match="has not pinned who may approve"):
        office.check()
    with pytest.raises(ApprovalError, match="not what the municipality has told"):
        office.roots.pin((office.folder / "allowed_signers").read_bytes(), "0" * 64)
    with pytest.raises(ApprovalError, match="has not pinned who may approve"):
        office.check()


def test_it_ends_on_its_day(office: Office) -> None:
    manifest = office.sign(valid_days=10)
    assert office.check(today=manifest.expires).signer == CHIEF
    with pytest.raises(ApprovalError, match="expired on 2026-12-09"):
        office.check(today=manifest.expires + timedelta(days=1))


@pytest.mark.parametrize(
    ("options", "said"), [({"valid_days": 801}, "more than 800 days"), ({"rollback_days": 91}, "more than 90 days")]
)
def test_it_cannot_give_itself_more_time(office: Office, options: dict[str, int], said: str) -> None:
    office.sign()
    office.sign(TWO, **options)
    with pytest.raises(ApprovalError, match=said):
        office.check(TWO)


def test_another_municipality_s_manifest_is_refused(office: Office, tmp_path: Path) -> None:
    manifest = approval.prepared(office.folder, Roots.of(tmp_path / "state", "samsoe"), ONE, TODAY)
    approval.approve(office.folder, manifest, office.key)
    with pytest.raises(ApprovalError, match="is that of samsoe"):
        office.check()


def upgraded(office: Office, **options: int) -> dict[str, bytes]:
    """Apply ONE, then TWO; returns the folder as it was with ONE."""
    office.sign()
    office.apply()
    before = office.files()
    office.sign(TWO, **options)
    office.apply(TWO)
    return before


def put_back(office: Office, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (office.folder / name).write_bytes(content)


def test_an_upgrade_takes_one_signature_and_a_rollback_none(office: Office) -> None:
    first = upgraded(office)
    second = office.files()
    put_back(office, first)
    back = office.apply()
    assert (back.manifest.serial, back.rolled_back) == (1, True)
    assert str(back).endswith(", a rollback")
    put_back(office, second)
    assert office.apply(TWO).manifest.serial == 2, "and forward again without a signature"


def test_the_rollback_ends_with_its_window(office: Office) -> None:
    put_back(office, upgraded(office, rollback_days=14))
    assert office.check(today=TODAY + timedelta(days=14)).rolled_back
    with pytest.raises(ApprovalError, match="until 2026-12-13 only, which has passed"):
        office.check(today=TODAY + timedelta(days=15))


def test_an_older_approval_is_refused(office: Office) -> None:
    put_back(office, upgraded(office, rollback_days=0))
    with pytest.raises(ApprovalError, match="has serial 1; what was applied has serial 2 and does not name this one"):
        office.check()


def test_only_the_named_predecessor_and_not_the_one_before_it(office: Office) -> None:
    first = upgraded(office)
    office.sign(replace(ONE, files={"roles/base/tasks/main.yml": "c" * 64}))
    office.apply(replace(ONE, files={"roles/base/tasks/main.yml": "c" * 64}))
    put_back(office, first)
    with pytest.raises(ApprovalError, match="does not name this one"):
        office.check()


def test_two_with_the_same_serial_are_not_the_same(office: Office, tmp_path: Path) -> None:
    office.sign()
    office.apply()
    other = Manifest("favrskov", 1, TODAY + timedelta(days=30), TWO)
    approval.approve(office.folder, other, office.key)
    with pytest.raises(ApprovalError, match="has serial 1; what was applied has serial 1"):
        office.check(TWO)


def test_who_signs_does_not_change_what_was_prepared(office: Office, tmp_path: Path) -> None:
    """The municipality has neither the state of operations nor the time of its preparation."""
    upgraded(office)
    third = replace(ONE, files={"roles/base/tasks/main.yml": "c" * 64})
    manifest = approval.prepared(office.folder, office.roots, third, TODAY)
    approval.write_manifest(office.folder, manifest)
    at_the_municipality = Roots.of(tmp_path / "nothing-known", "favrskov")
    later = TODAY + timedelta(days=5)
    assert approval.prepared(office.folder, at_the_municipality, third, later) == manifest
    renewed = approval.prepared(office.folder, at_the_municipality, third, manifest.expires - timedelta(days=29))
    assert renewed.serial == manifest.serial + 1


def test_operations_countersigns_where_it_has_named_who_may(office: Office) -> None:
    office.sign()
    with pytest.raises(ApprovalError, match="nobody may countersign"):
        approval.countersign(office.folder, office.roots, office.key)
    operator = make_key(office.place, "operator")
    office.roots.folder.mkdir(exist_ok=True)
    allow(office.roots.operations, OPERATOR, operator, OPERATIONS_NAMESPACE)
    with pytest.raises(ApprovalError, match="has not countersigned") as refused:
        office.check()
    assert "--countersign KEY" in refused.value.fix
    with pytest.raises(ApprovalError, match="nothing was written"):
        approval.countersign(office.folder, office.roots, office.key)
    assert approval.countersign(office.folder, office.roots, operator) == OPERATOR
    assert office.check().countersigner == OPERATOR
    office.sign(TWO)
    with pytest.raises(ApprovalError, match="has not countersigned"):
        office.check(TWO)


def test_a_municipality_s_own_signature_is_no_countersignature(office: Office) -> None:
    office.sign()
    office.roots.folder.mkdir(exist_ok=True)
    allow(office.roots.operations, OPERATOR, office.key, OPERATIONS_NAMESPACE)
    (office.folder / "manifest.operations.sig").write_bytes((office.folder / "manifest.sig").read_bytes())
    with pytest.raises(ApprovalError, match="has not countersigned"):
        office.check()
