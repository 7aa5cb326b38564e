"""Which sources with a DNS name an undeclared address may be of: it has changed, and the relay asks each minute."""

from __future__ import annotations

from vaern.model.declaration import LogSource, Municipality
from vaern.model.origins import Input, claimed, input_of, plain
from vaern.model.vocabulary import IpAddress


def may_have(municipality: Municipality, site: str, where: Input, address: IpAddress) -> tuple[LogSource, ...]:
    """The sources of that site and input whose names may lead to an address, by what a relay takes of an answer."""
    named = tuple(
        source
        for source in municipality.log_sources
        if source.dns is not None and source.site == site and input_of(source) == where
    )
    of_sender = plain(address)
    within = any(of_sender in network for network in municipality.site(site).networks)
    if not named or not within or any(of_sender in network for network in claimed(municipality, named[0])):
        return ()
    return named
