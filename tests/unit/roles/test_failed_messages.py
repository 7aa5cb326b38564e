"""What librdkafka could not deliver is kept over a restart as lines, each with the topic it was for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment

TEMPLATE = Path(__file__).resolve().parents[3] / "roles" / "log_shipper" / "templates" / "failed.j2"
KEYS = ("dhcp1", "heartbeat", "tap-core", "")
TOPICS = ("logs.0710", "logs.0710.national", "logs.0710.r2-d2")


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    values = {"log_shipper_spool": {"directory": str(tmp_path)}, "ansible_managed": "test"}
    text = TEMPLATE.read_text(encoding="utf-8")
    made = Environment(autoescape=False).from_string(text).render(values)  # noqa: S701 - a shell script
    (tmp_path / "failed").write_text(made, encoding="utf-8")
    (tmp_path / "queue").mkdir(exist_ok=True)
    return tmp_path / "queue"


def put_back(queue: Path, text: str) -> list[str]:
    """As omkafka writes it when it stops, through both halves of the program; lines for when it starts."""
    (queue / "failed_messages").write_text(text, encoding="utf-8")
    for step in ("stop", "start"):
        subprocess.run(["sh", str(queue.parent / "failed"), step], check=True)
    assert not (queue / "undelivered").exists()
    return (queue / "failed_messages").read_text(encoding="utf-8").splitlines()


EVENT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20).map(
    lambda text: '{"message":"' + text.replace("\\", "").replace('"', "") + ' logs.0710 }{","ecs":{}}'
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(TOPICS), st.sampled_from(KEYS), EVENT), min_size=1, max_size=6))
def test_every_event_comes_back_with_its_topic_and_key(queue: Path, events: list[tuple[str, str, str]]) -> None:
    """omkafka 8.2504 writes topic, key and event, and no line ends."""
    told = [f"{topic}\t{key}\t{event}" for topic, key, event in events]
    assert put_back(queue, "".join(told)) == told
    assert put_back(queue, "\n".join(told) + "\n") == told


def test_an_event_without_a_key_comes_back_too(queue: Path) -> None:
    told = ['logs.0710\t{"message":"one"}', 'logs.0710\tdhcp1\t{"message":"two"}', 'logs.0710\t{"message":"three"}']
    assert put_back(queue, "".join(told)) == told


def test_an_event_that_was_cut_off_spoils_no_other(queue: Path) -> None:
    whole = 'logs.0710.national\tdhcp1\t{"message":"whole"}'
    assert put_back(queue, 'logs.0710\tdhcp1\t{"message":"cut ' + whole) == [whole]
