"""What decides about a municipality, gathered for its approval: declaration, generated files, roles and packages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from pydantic import ValidationError

from vaern import approval, inventory
from vaern.approval import Approval, Contents, Roots
from vaern.errors import ApprovalError
from vaern.model.declaration import Municipality
from vaern.model.fleet import Fleet
from vaern.model.naming import DECLARATION, KNOWN_HOSTS, SIGNERS
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern.workflows.sources import Sources


def today() -> date:
    """The day of the approval's dates, in UTC."""
    return datetime.now(UTC).date()


def what_decides(project: Project, fleet: Fleet, slug: str, sources: Sources) -> Contents:
    """What a manifest of this municipality covers now.

    Raises ApprovalError when the folder holds a file that nobody knows, or generated files that are not current: what
    municipal IT reads there would not be what is applied.
    """
    generated = inventory.municipality_files(fleet, slug)
    inventory.refuse_unknown(project.inventories, slug, generated)
    if inventory.compare(project.inventories, slug, generated):
        raise ApprovalError(
            f"the generated files of {slug} do not match its declaration, so they cannot be approved",
            fix=f"run `vaern inventory {slug}`, review the difference, then approve",
        )
    folder = project.municipality(slug)
    by_hand = [folder / name for name in (DECLARATION, SIGNERS, KNOWN_HOSTS)]
    files = {
        **{f"inventories/{path}": text.encode() for path, text in generated.items()},
        **{f"inventories/{slug}/{path.name}": path.read_bytes() for path in by_hand if path.is_file()},
        **{f"roles/{path}": content for path, content in sources.roles.items()},
    }
    return approval.contents(fleet.deployment, fleet.municipalities[slug], files, sources.packages)


def current(project: Project, fleet: Fleet, slug: str, sources: Sources) -> Approval:
    """The approval over what would be applied now. Raises ApprovalError when there is none, with what is wrong."""
    now = what_decides(project, fleet, slug, sources)
    return approval.check(project.municipality(slug), Roots.of(project.state, slug), now, today())


def in_force(project: Project, fleet: Fleet, slug: str, sources: Sources) -> Approval:
    """As `current`, for what is applied next: from now on, an older approval is refused. Raises ApprovalError."""
    found = current(project, fleet, slug, sources)
    Roots.of(project.state, slug).remember(found.manifest, fleet.municipalities[slug].model_dump_json())
    return found


def as_approved(project: Project, fleet: Fleet) -> Fleet:
    """The fleet as its municipalities have approved it last, for the shared hosts, which serve them all.

    A declaration that one of them has not signed yet must not be applied there because another one is onboarded. One
    that was never applied with a manifest is taken as it is declared; so is everything in the lab, where nobody signs.
    """
    if fleet.deployment.target is Target.LAB:
        return fleet
    approved = {slug: _approved(project, slug, declared) for slug, declared in fleet.municipalities.items()}
    return replace(fleet, municipalities=approved)


def _approved(project: Project, slug: str, declared: Municipality) -> Municipality:
    text = Roots.of(project.state, slug).declared()
    try:
        return Municipality.model_validate_json(text) if text else declared
    except ValidationError:
        # Written by a version with another schema; the manifest of this one has to be signed anyway.
        return declared
