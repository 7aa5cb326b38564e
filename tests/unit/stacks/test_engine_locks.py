"""What a killed engine leaves half written goes; what it has finished, and what is another stack's, stays."""

from __future__ import annotations

from pathlib import Path

from vaern_stacks import engine_locks


def test_torn_files_go_and_the_others_stay(tmp_path: Path) -> None:
    stacks = tmp_path / ".pulumi" / "stacks" / "vaern"
    stacks.mkdir(parents=True)
    kept = {
        "favrskov.json": "{}",
        "favrskov.json.bak": "{}",
        "favrskov.json.bak.attrs": "{}",
        "samsoe.json.77.tmp": "{",
    }
    torn = {"favrskov.json.attrs": "", "samsoe.json.attrs": "", "favrskov.json.18ebc5aace9af9a5.tmp": "{"}
    for name, text in (kept | torn).items():
        (stacks / name).write_text(text)
    (tmp_path / ".pulumi" / "meta.yaml.attrs").touch()
    engine_locks.clear(tmp_path, "vaern", "favrskov", tmp_path / "work")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == set(kept)
