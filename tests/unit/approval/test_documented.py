"""The lines that the pages for municipal IT give are run as they stand there, by programs that are not ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.approvals import CHIEF, Site, make_key
from support.paths import ROOT

from vaern import approval
from vaern.errors import ApprovalError
from vaern.workflows import approving

PAGES = ("docs/municipal-it.md", "docs/municipal-it.da.md")


def lines_of(page: str) -> list[str]:
    """The commands of the block in which the manifest is signed."""
    blocks = re.findall(r"^ *```\n(.*?)^ *```$", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    (block,) = (block for block in blocks if "-Y sign" in block)
    return [line.strip() for line in block.splitlines()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A project with a manifest to sign, and the signer's key where the pages say it is."""
    made = Site.make(tmp_path)
    (tmp_path / ".ssh").mkdir(mode=0o700)
    shutil.copy(made.key, tmp_path / ".ssh" / "id_ed25519")
    now = approving.what_decides(made.project, made.fleet, made.slug, made.sources)
    approval.write_manifest(made.folder, approval.prepared(made.folder, made.roots, now, approving.today()))
    return made


def run(site: Site, line: str) -> subprocess.CompletedProcess[str]:
    home = site.project.root.parent
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    return subprocess.run(
        ["bash", "-c", line],
        cwd=site.project.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("page", PAGES)
def test_three_lines_sign_without_vaern(site: Site, page: str) -> None:
    check, sign, verify = lines_of(page)
    assert "vaern " not in f"{check}\n{sign}\n{verify}"
    done = [run(site, line) for line in (check, sign, verify)]
    assert [one.returncode for one in done] == [0, 0, 0], done
    assert done[0].stdout == ""
    assert f'Good "vaern-inventory" signature for {CHIEF}' in done[2].stdout
    found = approving.current(site.project, site.fleet, site.slug, site.sources)
    assert found.signer == CHIEF


def test_the_first_line_names_a_file_that_differs(site: Site) -> None:
    (site.project.root / "roles/base/tasks/main.yml").write_text("---\n- ansible.builtin.command: id\n")
    done = run(site, lines_of(PAGES[0])[0])
    assert done.returncode == 1
    assert done.stdout == "roles/base/tasks/main.yml: FAILED\n"


def test_the_third_line_finds_a_wrong_key_and_so_does_vaern(site: Site) -> None:
    home = site.project.root.parent
    shutil.copy(make_key(home, "stranger"), home / ".ssh" / "id_ed25519")
    _, sign, verify = lines_of(PAGES[0])
    assert run(site, sign).returncode == 0
    assert run(site, verify).returncode != 0
    with pytest.raises(ApprovalError, match="by a key that allowed_signers allows"):
        approving.current(site.project, site.fleet, site.slug, site.sources)


def test_both_pages_give_the_same_lines() -> None:
    assert lines_of(PAGES[0]) == lines_of(PAGES[1])
    assert len(lines_of(PAGES[0])) == 3
