"""A stage tells its start, its details and its end, and an error is not swallowed."""

from __future__ import annotations

import pytest

from vaern.model.progress import Phase, Progress
from vaern.workflows.steps import step


def test_a_stage_is_told_from_start_to_end() -> None:
    told: list[Progress] = []
    durations: dict[str, float] = {}
    with step(told.append, "enrol", "making keys", durations) as running:
        running("gw1")
        running.done = "2 hosts"
    assert [(one.phase, one.text) for one in told] == [
        (Phase.STARTED, "making keys"),
        (Phase.DETAIL, "gw1"),
        (Phase.FINISHED, "2 hosts"),
    ]
    assert durations == {"enrol": told[-1].seconds}


def test_a_failed_stage_does_not_end_well() -> None:
    told: list[Progress] = []
    with pytest.raises(ValueError, match="burst"), step(told.append, "enrol", "making keys"):
        raise ValueError("burst")
    assert [one.phase for one in told] == [Phase.STARTED]
