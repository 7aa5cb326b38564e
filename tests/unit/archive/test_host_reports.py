"""What a relay answers over ssh is checked: whoever has taken it over gets a reason printed, and no traceback."""

from __future__ import annotations

import pytest

from vaern.archive.host_reports import read_report
from vaern.errors import UnreachableError
from vaern_programs.shared.reports import ROUND, SPOOL_STATE


def test_a_report_that_fits_is_read() -> None:
    assert read_report(ROUND, "gw1", '{"resent": 2, "error": ""}') == {"resent": 2, "error": ""}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 20_000, '{"bytes": "x"}', '{"resent": 1e999}', '{"error": "\x1b[2J"}', '{"error": "\\u001b"}'],
)
def test_a_report_that_does_not_fit_names_its_host(text: str) -> None:
    for schema in (ROUND, SPOOL_STATE):
        with pytest.raises(UnreachableError) as refused:
            read_report(schema, "gw1", text)
        assert refused.value.what.startswith("gw1 gave an answer that is none: ")
        assert refused.value.what.isprintable()
