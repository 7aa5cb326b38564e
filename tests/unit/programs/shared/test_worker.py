"""Work in a process of its own: whenever that is ended, who asked for it gets a reason."""

from __future__ import annotations

import os
import struct
from multiprocessing.connection import Connection

import pytest

from vaern_programs.shared import worker
from vaern_programs.shared.worker import WorkError, apart


@pytest.mark.parametrize("written", [b"", struct.pack("!i", 1000), struct.pack("!i", 1000) + b"the beginning"])
def test_one_that_is_ended_before_its_answer_is_whole_has_not_done_it(
    monkeypatch: pytest.MonkeyPatch, written: bytes
) -> None:
    def work(writer: Connection, *_: object) -> None:
        os.write(writer.fileno(), written)
        os._exit(9)

    monkeypatch.setattr(worker, "_work", work)
    with pytest.raises(WorkError, match="took more memory or time than it may"):
        apart(lambda: "done", seconds=60, memory_bytes=2**40)
