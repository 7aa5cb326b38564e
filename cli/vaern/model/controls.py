"""The controls of the joint baseline, read from `data/controls.yml`, and the card that explains each of them.

Data, not code, so that a control can be reviewed, versioned and translated by people who do not program.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from vaern.errors import UsageError
from vaern.model.finding import Control, Text
from vaern.runtime.yaml_text import load

EVERY_HOST = "all"
STANDARDS = {"iso27001": "ISO 27001:2022", "cis": "CIS v8", "nis2": "NIS2 art. 21(2)", "cfcs": "CFCS"}
"""The attribute of a control to the name of the standard as it is printed."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every control in the order of the reports, and the version of the data."""

    version: str
    mapping_date: str
    """Day the mapping to the standards was last changed, ISO 8601."""
    reviewed_by_auditor: bool
    """Whether an auditor has gone through the mapping."""
    note: Text
    """What to say about the mapping wherever it is shown."""
    areas: dict[str, Text]
    """Prefix of the id (BASE, VPN, ...) to the name of the area."""
    controls: tuple[Control, ...]

    def __getitem__(self, control: str) -> Control:
        """The control with that id. Raises KeyError."""
        return {one.id: one for one in self.controls}[control]

    def applying(self, roles: Iterable[str]) -> tuple[Control, ...]:
        """The controls that apply to a host with those roles."""
        wanted = {EVERY_HOST, *roles}
        return tuple(control for control in self.controls if wanted.intersection(control.applies_to))

    def chosen(self, ids: Iterable[str]) -> tuple[str, ...]:
        """The given ids, in capitals. Raises UsageError for one that does not exist."""
        known = {control.id for control in self.controls}
        wanted = tuple(one.upper() for one in ids)
        for one in wanted:
            if one not in known:
                raise UsageError(
                    f"there is no control {one}",
                    fix="`vaern verify --list-controls` lists them; each has a card in docs/controls/",
                )
        return wanted


def area(control: str) -> str:
    """The area an id belongs to: BASE of BASE-01."""
    return control.partition("-")[0]


@cache
def load_catalogue() -> Catalogue:
    """Read the controls that came with this version of vaern."""
    text = files("vaern.data").joinpath("controls.yml").read_text("utf-8")
    content = load(text)
    mapping = content["mapping"]
    return Catalogue(
        version=content["version"],
        mapping_date=mapping["date"],
        reviewed_by_auditor=mapping["reviewed_by_auditor"],
        note=Text(**mapping["note"]),
        areas={prefix: Text(**title) for prefix, title in content["areas"].items()},
        controls=tuple(_control(entry) for entry in content["controls"]),
    )


def _control(entry: dict[str, Any]) -> Control:
    lists = {key: tuple(entry[key]) for key in ("applies_to", *STANDARDS)}
    return Control(id=entry["id"], title=Text(**entry["title"]), reason=Text(**entry["reason"]), **lists)


def card(control: Control, catalogue: Catalogue) -> str:
    """The page of one control, `docs/controls/<ID>.md`; Danish first, as municipalities read it."""
    prefix = area(control.id)
    mapped = [f"| {name} | {', '.join(getattr(control, key)) or '-'} |" for key, name in STANDARDS.items()]
    return "\n".join(
        [
            f"# {control.id}: {control.title.da}",
            "",
            control.reason.da,
            "",
            f"*Område*: {catalogue.areas[prefix].da}. *Gælder for*: {', '.join(control.applies_to)}.",
            "",
            f"## {control.title.en}",
            "",
            control.reason.en,
            "",
            f"*Area*: {catalogue.areas[prefix].en}. *Applies to*: {', '.join(control.applies_to)}.",
            "",
            f"Try it alone: `vaern verify <municipality> --control {control.id}`. The check is the function marked",
            f'`control("{control.id}")` in `tests/compliance/`.',
            "",
            "| Standard | |",
            "|---|---|",
            *mapped,
            "",
            f"Controls {catalogue.version}, mapping of {catalogue.mapping_date}. {catalogue.note.da}",
            "",
            catalogue.note.en,
            "",
        ]
    )


def cards(catalogue: Catalogue) -> dict[str, str]:
    """File name to text of everything in `docs/controls/`: one card a control, and the list of them."""
    listed = [
        f"| [{one.id}]({one.id}.md) | {one.title.da} | {one.title.en} | {', '.join(one.applies_to)} |"
        for one in catalogue.controls
    ]
    head = ["# Kontroller / Controls", "", catalogue.note.da, "", catalogue.note.en, ""]
    table = ["| | Dansk | English | Hosts |", "|---|---|---|---|", *listed, ""]
    return {"README.md": "\n".join(head + table)} | {
        f"{control.id}.md": card(control, catalogue) for control in catalogue.controls
    }


if __name__ == "__main__":  # python -m vaern.model.controls docs/controls
    for name, page in cards(load_catalogue()).items():
        Path(sys.argv[1], name).write_text(page, encoding="utf-8")
