"""Whatever a file holds, reading it ends in a model or in a DeclarationError."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaern.declaration import load_deployment, load_municipality
from vaern.errors import DeclarationError, Problem

INVENTORIES = Path(__file__).resolve().parents[3] / "inventories"
FAVRSKOV = (INVENTORIES / "favrskov" / "municipality.yml").read_bytes()
COLLECTOR = (INVENTORIES / "shared" / "collector.yml").read_bytes()
FAST = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
FRAGMENTS = (
    *(
        b"\t",
        b"[",
        b"]",
        b"{",
        b"}",
        b"&a ",
        b"*a",
        b"!!int ",
        b"'",
        b'"',
        b"\n---\n",
        b": ",
        b"- ",
        b"? ",
        b"|\n",
        b"\0",
    ),
    *(b"\xff", b"0710", b"no", b"~", b"<<: ", b"%TAG ! x\n", b"1e99", b"9" * 21, b'"\\ud800"', b"\xef\xbb\xbf"),
)


def refusal(load: Callable[[Path], object], path: Path) -> list[Problem]:
    """What was wrong; nothing when it loads."""
    try:
        load(path)
    except DeclarationError as error:
        return error.problems
    return []


def loads_or_refuses(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for load in (load_municipality, load_deployment):
        for problem in refusal(load, path):
            assert problem.line >= 1
            assert problem.fix
            assert str(problem).isprintable()


@FAST
@given(content=st.binary(max_size=300))
def test_random_bytes(tmp_path: Path, content: bytes) -> None:
    loads_or_refuses(tmp_path / "municipality.yml", content)


@FAST
@given(
    text=st.sampled_from([FAVRSKOV, COLLECTOR]),
    edits=st.lists(
        st.tuples(st.integers(0, len(FAVRSKOV)), st.integers(0, 12), st.sampled_from(FRAGMENTS)), min_size=1, max_size=4
    ),
)
def test_mutated_declarations(tmp_path: Path, text: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    for at, removed, put in edits:
        text = text[:at] + put + text[at + removed :]
    loads_or_refuses(tmp_path / "municipality.yml", text)


@FAST
@given(line=st.integers(0, FAVRSKOV.count(b"\n")), value=st.text(max_size=40))
def test_any_text_as_a_value(tmp_path: Path, line: int, value: str) -> None:
    lines = FAVRSKOV.split(b"\n")
    lines[line] = lines[line].split(b":")[0] + b": " + value.encode("utf-8", "surrogatepass")
    loads_or_refuses(tmp_path / "municipality.yml", b"\n".join(lines))
