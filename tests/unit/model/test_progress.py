"""Numbers in the lines of progress."""

from __future__ import annotations

from vaern.model.progress import counted


def test_a_number_takes_its_noun_in_the_plural_unless_it_is_one() -> None:
    assert [counted(number, "change") for number in (0, 1, 2)] == ["0 changes", "1 change", "2 changes"]
