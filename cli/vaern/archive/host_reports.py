"""Reads what a program on a relay reports over ssh, by the one schema of reports: the relay may be in other hands."""

from __future__ import annotations

from typing import TypeVar

from vaern.runtime import ssh
from vaern_programs.shared.reports import Schema, UnfitError

Report = TypeVar("Report")


def read_report(schema: Schema[Report], host: str, text: str) -> Report:
    """The report that a program printed on a host. Raises UnreachableError when it does not fit the schema."""
    try:
        return schema.parse(text)
    except UnfitError as fault:
        raise ssh.no_answer(host, fault) from None
