"""What names no device is the same for declarations, for proposals and for the reader on a relay."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vaern_programs.shared.device_names import MONTHS, NAMELESS, ZONES, names_a_device

READER = Path(__file__).resolve().parents[4] / "roles" / "programs" / "reader" / "event" / "src"


def between(file: str, start: str, end: str) -> str:
    text = (READER / file).read_text(encoding="utf-8")
    return text.partition(start)[2].partition(end)[0]


def test_the_reader_has_the_same_words() -> None:
    assert set(re.findall(r'"([^"]+)"', between("header/mod.rs", "const NO_NAMES", ";\n"))) == NAMELESS
    assert {name.lower() for name in re.findall(r'\("([^"]+)"', between("clock/zone.rs", "const NAMES", "];"))} == ZONES
    short = re.findall(r'b"([a-z]+)"', between("clock/stamp.rs", "const MONTHS", ";\n\n"))
    names = between("clock/stamp.rs", "const MONTH_NAMES: &str =", ";").strip().strip('"').split()
    assert {*short, *names} == MONTHS


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LocalHost.", "Okt", "MAJ", "cet", "MESZ", "Z", "127.0.0.1", "127.8.8.8", "::1", "::"),
        *("0.0.0.0", "::ffff:127.0.0.1"),  # noqa: S104 no address that anything is bound to
    ],
)
def test_a_word_that_names_no_device(host: str) -> None:
    assert not names_a_device(host)


@pytest.mark.parametrize("host", ["okt1", "sw1", "198.51.100.1", "::ffff:198.51.100.1", "localhost.dk", "marts-fw"])
def test_a_name_that_only_looks_like_one(host: str) -> None:
    assert names_a_device(host)
