"""What senders can do to each other and to themselves: floods, and messages longer than any event may be."""

from __future__ import annotations

import re
import time

import pytest
from support.lab.faulty_pipeline import WAYS, Figures, Load, Site

pytestmark = [pytest.mark.faults, pytest.mark.brief]

HEADER = b"<134>Nov 24 03:00:00 device app: "
LIMIT = 65536
"""Bytes that are kept of a message; see docs/faults.md."""
MARK = " [cut: longer than 64 KiB]"
SIZES = {LIMIT - 1: "A", LIMIT + 1: "B", 2**20: "C", 4 * 2**20: "D"}
"""Bytes of a message, and what it is filled with."""
FLOODS = {"udp": 300 * 20, "tcp": 200 * 20}
"""Twenty times what the busiest source of a large municipality declares (Aarhus: firewall1 and dns1)."""
BEHAVED = {"udp2": 10.0, "tcp2": 10.0, "tls": 10.0}


@pytest.mark.parametrize("way", ["udp", "tcp"])
def test_a_flood_takes_nothing_from_a_neighbour(site: Site, way: str) -> None:
    """Senders of every protocol at their declared rates lose nothing while another one floods."""
    seconds = site.length(60, 15)
    figures = Figures(f"flood by {way}", f"{seconds:.0f} s, {FLOODS[way]} events/s beside 3 senders of 10 events/s")
    flood = Load(site, "flood-").start({way: FLOODS[way]}, seconds)
    behaved = Load(site, f"calm-{way}-").start(BEHAVED, seconds)
    poured = flood.sent(seconds + 120)
    sent = behaved.sent(seconds + 120)
    (text,) = poured
    figures.catch_up = site.drained(sent | poured, 120)
    figures.note = f"of the flood itself {poured[text] - site.arrived(text)[0]} of {poured[text]} are missing"
    assert poured[text] >= 0.9 * FLOODS[way] * seconds, "the flood was none"
    assert site.settled(figures, sent).missing == 0


def counted(site: Site) -> int:
    """Events that were cut, by the relay's counters, which it writes every ten seconds."""
    return sum(site.counted("cut").values())


@pytest.mark.parametrize("way", ["tls", "tcp"])
@pytest.mark.parametrize(("size", "letter"), SIZES.items())
def test_a_message_that_is_too_long_is_cut_and_said_to_be(site: Site, way: str, size: int, letter: str) -> None:
    """It goes on in the next event, and what follows on the connection is whole."""
    letter = letter.lower() if way == "tls" else letter
    start = HEADER + f"long-{way}-{size} ".encode()
    long = start.decode() + letter * (size - len(start))
    after = [(start + f"after-{number}.".encode()).decode() for number in range(20)]
    before = counted(site)
    site.send(*WAYS[way], [long.encode(), *(text.encode() for text in after)])
    # By the reader's stream driver, which these hosts have, no byte is lost at a cut; by rsyslog alone one is.
    expected = [long[first : first + LIMIT] for first in range(0, size, LIMIT)]
    of_it = re.compile(f"long-{way}-{size} |^{letter}+( .cut|$)")
    found = site.wait_for(lambda event: of_it.search(event["message"]) is not None, len(expected) + 20)
    texts = [event["message"] for event in found if event["source"] == {"tls": "journal1", "tcp": "dhcp1"}[way]]
    parts = [text for text in texts if "after-" not in text]
    assert [text for text in texts if text not in parts] == after
    assert [text.removesuffix(MARK) for text in parts] == expected
    cut = sum(text.endswith(MARK) for text in parts)
    assert cut == size // LIMIT
    limit = time.monotonic() + 60
    while counted(site) < before + cut and time.monotonic() < limit:
        time.sleep(1)
    assert counted(site) == before + cut
