"""An authority that hosts trust is never replaced unless somebody has named it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern.enrolment.signer import LocalSigner
from vaern.enrolment.trust import DIGEST, Replaced, check_trust, key_digest
from vaern.errors import SetupError, StateError


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The certificates of two authorities."""
    folder = tmp_path_factory.mktemp("authorities")
    return LocalSigner(folder / "a", b"right").authority(), LocalSigner(folder / "b", b"right").authority()


def test_a_lost_key_is_not_made_again(tmp_path: Path) -> None:
    trusted = LocalSigner(tmp_path, b"right").authority()
    (tmp_path / "ca.key").unlink()
    signer = LocalSigner(tmp_path, b"right")
    for ask in (signer.authority, signer.known):
        with pytest.raises(StateError, match=r"ca\.key is lost") as refused:
            ask()
        assert f"vaern authority --replace {key_digest(trusted)}" in refused.value.fix
    assert not (tmp_path / "ca.key").exists()


def test_a_lost_certificate_is_made_of_the_same_key(tmp_path: Path) -> None:
    before = key_digest(LocalSigner(tmp_path, b"right").authority())
    (tmp_path / "ca.crt").unlink()
    assert key_digest(LocalSigner(tmp_path, b"right").authority()) == before


def test_a_run_killed_while_the_authority_was_made_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LocalSigner, "_make_certificate", killed)
        with pytest.raises(KeyboardInterrupt):
            LocalSigner(tmp_path, b"right").authority()
    assert LocalSigner(tmp_path, b"right").authority()


def test_hosts_that_trust_nobody_or_us_are_no_reason(authorities: tuple[str, str]) -> None:
    check_trust({"hub1": "", "gw1": "no certificate"}, "", frozenset())
    check_trust({"hub1": authorities[0], "gw1": ""}, authorities[0], frozenset())


@pytest.mark.parametrize("own", [0, None])
def test_hosts_that_trust_another_authority_are_named_with_it(authorities: tuple[str, str], own: int | None) -> None:
    ours = "" if own is None else authorities[own]
    foreign = key_digest(authorities[1])
    with pytest.raises(StateError, match=f"hub1, hub2 trust the authority {foreign}") as refused:
        check_trust({"hub1": authorities[1], "hub2": authorities[1], "gw1": ours}, ours, frozenset())
    assert f"vaern authority --replace {foreign}" in refused.value.fix
    check_trust({"hub1": authorities[1], "gw1": ours}, ours, frozenset({foreign}))


def test_an_authority_that_is_given_up_is_put_aside_and_a_new_one_made(tmp_path: Path) -> None:
    lost = key_digest(LocalSigner(tmp_path, b"right").authority())
    (tmp_path / "ca.key").unlink()
    aside = Replaced(tmp_path).add(lost)
    assert [path.name for path in aside] == ["ca.crt"]
    assert Replaced(tmp_path).digests() == {lost}
    assert key_digest(LocalSigner(tmp_path, b"right").authority()) != lost


def test_giving_up_another_one_leaves_ours(tmp_path: Path, authorities: tuple[str, str]) -> None:
    ours = LocalSigner(tmp_path, b"right").authority()
    assert Replaced(tmp_path).add(key_digest(authorities[0])) == []
    assert LocalSigner(tmp_path, b"right").authority() == ours


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[1]", bytes(range(256))])
def test_a_damaged_list_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "replaced.json").write_bytes(content)
    with pytest.raises(StateError, match=r"replaced\.json cannot be read"):
        Replaced(tmp_path).digests()


@pytest.mark.parametrize("name", ["ca.key", "ca.crt"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN", bytes(range(256))])
def test_a_damaged_key_or_certificate_is_said(tmp_path: Path, name: str, content: bytes) -> None:
    LocalSigner(tmp_path, b"right").authority()
    (tmp_path / name).write_bytes(content)
    with pytest.raises((StateError, SetupError), match=name) as refused:
        LocalSigner(tmp_path, b"right").authority()
    assert "restore" in refused.value.fix


def test_a_digest_is_what_the_command_takes(authorities: tuple[str, str]) -> None:
    assert DIGEST.fullmatch(key_digest(authorities[0]))
