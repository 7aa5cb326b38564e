"""A municipality on Azure whose approval is asked for: keys, signers, and a project in a temporary folder."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.paths import ROOT
from vaern import inventory
from vaern.approval import Roots
from vaern.approval.signing import NAMESPACE
from vaern.declaration import load_fleet
from vaern.model.fleet import Fleet
from vaern.runtime.paths import Project
from vaern.workflows.sources import Sources

EXAMPLES = ROOT / "docs" / "examples" / "azure"
CHIEF = "it@favrskov.example"


def make_key(folder: Path, name: str) -> Path:
    """An SSH key without a passphrase; its public half is beside it."""
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
    return path


def allow(file: Path, principal: str, key: Path, namespace: str = NAMESPACE) -> None:
    """Add a line to an allowed_signers file."""
    public = key.with_suffix(".pub").read_text(encoding="ascii")
    with file.open("a", encoding="ascii") as handle:
        handle.write(f'{principal} namespaces="{namespace}" {public}')


@dataclass
class Site:
    """Favrskov's project as operations has it, with roles of one task and one package."""

    project: Project
    key: Path
    sources: Sources
    slug: str = "favrskov"

    @classmethod
    def make(cls, folder: Path) -> Site:
        """A project in which all is generated and pinned, and nothing is signed."""
        root = folder / "project"
        for slug, name in (("shared", "collector.yml"), ("favrskov", "municipality.yml")):
            (root / "inventories" / slug).mkdir(parents=True)
            shutil.copy(EXAMPLES / name, root / "inventories" / slug / name)
        (root / "roles/base/tasks").mkdir(parents=True)
        (root / "roles/base/tasks/main.yml").write_text("---\n", encoding="ascii")
        (root / "pyproject.toml").touch()
        sources = Sources({"base/tasks/main.yml": b"---\n"}, {"vaern-programs_1_all.deb": b"a package"})
        site = cls(Project(root, folder / "state"), make_key(folder, "chief"), sources)
        allow(site.folder / "allowed_signers", CHIEF, site.key)
        site.pin()
        site.generate()
        return site

    @property
    def folder(self) -> Path:
        """inventories/favrskov."""
        return self.project.municipality(self.slug)

    @property
    def roots(self) -> Roots:
        """Those of the project's state."""
        return Roots.of(self.project.state, self.slug)

    @property
    def fleet(self) -> Fleet:
        """What is declared now."""
        return load_fleet(self.project, (self.slug,))

    def pin(self) -> None:
        """Pin who may sign, as the file is now."""
        signers = (self.folder / "allowed_signers").read_bytes()
        self.roots.pin(signers, hashlib.sha256(signers).hexdigest())

    def generate(self) -> None:
        """As `vaern inventory favrskov`."""
        inventory.write(self.project.inventories, self.slug, inventory.municipality_files(self.fleet, self.slug))

    def edit(self, path: str, before: str, after: str) -> None:
        """Change a text of the project, and generate again."""
        file = self.project.root / path
        text = file.read_text(encoding="utf-8")
        assert before in text, f"{path} does not hold {before}"
        file.write_text(text.replace(before, after), encoding="utf-8")
        self.generate()
