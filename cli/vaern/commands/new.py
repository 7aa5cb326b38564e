"""`vaern new`: a commented declaration to fill in."""

from __future__ import annotations

import click

from vaern.console import say
from vaern.errors import UsageError
from vaern.model.naming import SHARED
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option(
    "--size", type=click.Choice(["small", "medium", "large"]), help="Size profile; by default chosen by population."
)
@click.pass_obj
def command(project: Project, slug: str, size: str | None) -> None:
    """Write a commented declaration for a municipality.

    Code, name and population are filled in from the national register. An existing declaration is never changed.

    \b
    Example:
      vaern new samsoe
    """
    from vaern.declaration import load_deployment
    from vaern.declaration.template import new_declaration
    from vaern.model import municipalities
    from vaern.model.vocabulary import Size

    known = municipalities.by_slug(municipalities.slug_of(slug)) or municipalities.by_code(slug)
    if known is None:
        near = municipalities.nearest_slugs(slug)
        fix = f"did you mean {' or '.join(near)}?" if near else "write its name, such as samsoe or hoeje-taastrup"
        raise UsageError(f"there is no municipality `{slug}`", fix=fix)
    deployment = load_deployment(project.municipality(SHARED) / "collector.yml")
    profiles = list(deployment.soc_profiles)
    profile = "joint" if "joint" in profiles else profiles[0]
    text = new_declaration(known, Size(size) if size else known.size, deployment.target, profile)
    path = project.municipality(known.slug) / "municipality.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        shown = path.relative_to(project.root)
        raise UsageError(f"{shown} is already there", fix=f"edit it, then run `vaern check {known.slug}`") from None
    say(f"wrote {path.relative_to(project.root)}\nnext: fill it in, then run `vaern check {known.slug}`")
