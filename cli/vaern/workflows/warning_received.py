"""A warning or request as a municipality receives it: what is looked for, what is not, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vaern.archive.civil_numbers import masked, masked_document
from vaern.archive.export import is_taken_out
from vaern.archive.stix_reading import Sent
from vaern.model.advisory import Advisory, AdvisoryKind
from vaern.model.declaration import Municipality
from vaern.model.vocabulary import CprHandling

MOST_SAID = 300
"""Characters of what is not looked for."""


@dataclass(frozen=True, slots=True)
class Received:
    """An advisory as it came."""

    advisory: Advisory
    sha256: str
    """Of the file: by it the sender knows that it is the one that was sent."""
    text: str = ""
    """The file for the record, without civil registration numbers."""
    unread: tuple[str, ...] = ()
    """What nobody looks for: patterns of STIX that we cannot, and what the archive cannot hold."""

    sent: Sent | None = None
    """The objects of STIX that it came as."""

    @property
    def is_blind(self) -> bool:
        """Whether it is a warning of which nothing is looked for: that must not read as not seen."""
        return self.advisory.kind is AdvisoryKind.WARNING and not self.advisory.indicators


def received(
    advisory: Advisory,
    municipality: Municipality,
    sha256: str,
    text: str,
    *,
    unread: Iterable[str] = (),
    places: Sequence[str] = (),
    sent: Sent | None = None,
) -> Received:
    """An advisory with those indicators only that the archive can hold, the others in words, and the file to keep.

    One that reads as a civil registration number must not keep the rest from being looked for. It is named by its
    place: nothing can be taken out of the chain of evidence again, so no such number may get into it.

    Args:
        advisory: as it was read.
        municipality: whose archive it is held against.
        sha256: of the file as it came.
        text: of the file as it came.
        unread: what the reader of its format has left out, in words.
        places: where in the file each indicator stands, in words; without, they are counted.
        sent: the objects of STIX that it came as.
    """
    kept, left = [], []
    for number, one in enumerate(advisory.indicators):
        if is_taken_out(municipality, one.value):
            place = places[number] if places else f"indicator {number + 1}"
            left.append(f"{place} ({one.type}): civil registration numbers are taken out at the site")
        else:
            kept.append(one)
    numbers_stay = municipality.privacy.cpr is CprHandling.KEEP
    told = {name: without_numbers(municipality, getattr(advisory, name)) for name in ("sender", "title", "text")}
    said = [" ".join(without_numbers(municipality, one).split())[:MOST_SAID] for one in unread]
    return Received(
        advisory.model_copy(update=told | {"indicators": tuple(kept)}),
        sha256,
        text if numbers_stay else masked_document(text),
        (*said, *left),
        sent,
    )


def without_numbers(municipality: Municipality, text: str) -> str:
    """The text as it may be kept and told: civil registration numbers masked, unless the municipality keeps them."""
    return text if municipality.privacy.cpr is CprHandling.KEEP else masked(text)
