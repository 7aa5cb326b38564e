"""A heartbeat by RELP: what goes out, and which answers count as taken."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.monitoring.watch import relp

TAKEN = b"2 rsp 6 200 OK\n"


class Session(io.BytesIO):
    """A relay with these answers ready; `sent` is what it was told."""

    def __init__(self, answers: bytes) -> None:
        super().__init__(answers)
        self.sent = b""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.sent += data
        return len(data)


def opened(text: bytes = b"200 OK\nrelp_version=0") -> bytes:
    """The answer to the first frame."""
    return b"1 rsp %d %s\n" % (len(text), text)


def test_a_message_is_handed_over_in_a_session_of_its_own() -> None:
    session = Session(opened() + TAKEN)
    relp.deliver("å".encode(), session)
    offer = b"relp_version=0\nrelp_software=vaern-watch\ncommands=syslog"
    assert session.sent == b"1 open %d %s\n2 syslog 2 \xc3\xa5\n3 close 0\n" % (len(offer), offer)


@pytest.mark.parametrize(
    "answers",
    [
        b"",
        opened(b"500 no"),
        opened() + b"2 rsp 6 500 no\n",
        opened() + b"1 rsp 6 200 OK\n",
        opened() + b"2 serverclose 0\n",
        opened() + b"2 rsp 99999999 200 OK\n",
        b"HTTP/1.1 400 Bad Request\n",
    ],
    ids=["silence", "no session", "refused", "another frame", "closed", "endless", "no relp"],
)
def test_what_was_not_acknowledged_was_not_taken(answers: bytes) -> None:
    with pytest.raises(OSError, match="relay"):
        relp.deliver(b"text", Session(answers))


@given(answers=st.binary(max_size=200), begun=st.booleans())
def test_no_answer_is_worse_than_a_refusal(answers: bytes, begun: bool) -> None:
    """Either it is the right acknowledgement, or the one error that the watch expects."""
    try:
        relp.deliver(b"text", Session((opened() if begun else b"") + answers))
    except OSError:
        return
    assert b"2 rsp" in answers
