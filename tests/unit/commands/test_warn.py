"""`vaern warn` on a project of its own: read, held against the archive, told, answered and recorded."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import pytest
import stix2
from click.testing import CliRunner, Result

from vaern import evidence
from vaern.archive import stix
from vaern.archive.export import query_of
from vaern.console.command_line import cli
from vaern.errors import DeclarationError, ExitCode, UnreachableError, UsageError
from vaern.model.advisory import Advisory
from vaern.runtime.paths import Project
from vaern.workflows import notifying, warning
from vaern_programs.collector.archive import export, partition

ROOT = Path(__file__).resolve().parents[3]
ADVISORY = {
    "version": 1,
    "id": "SOC-2026-0042",
    "sender": "Fælles SOC",
    "sent": "2026-11-24T08:00:00Z",
    "kind": "warning",
    "title": "Phishing fra evil.example",
    "text": "Bloker adressen.",
    "indicators": [{"type": "ipv4", "value": "198.51.100.7"}, {"type": "domain", "value": "evil.example"}],
}
EVENTS = [
    {"received": "2026-11-23T10:00:00Z", "source": "firewall1", "message": "dst=198.51.100.7"},
    {"received": "2026-11-20T10:00:00.000000000+00:00", "source": "dhcp1", "ecs": {"source.ip": "198.51.100.7"}},
    {"received": "2026-11-01T10:00:00Z", "source": "firewall1", "message": "dst=198.51.100.77"},
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("pyproject.toml", "roles"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories", ignore=shutil.ignore_patterns("*.lab.yml"))
    with (tmp_path / "inventories/shared/collector.yml").open("a", encoding="utf-8") as file:
        file.write("notify: {webhook: {url: https://hooks.faelles.example/}}\n")
    monkeypatch.setenv("VAERN_PROJECT", str(tmp_path))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path / "state"))
    return Project(tmp_path, tmp_path / "state")


class Collector:
    """Searches these events as the real one does, literally, and takes what people are told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Any] = []
        self.told: list[Any] = []
        self.reachable = True
        monkeypatch.setattr(warning, "search", self.search)
        monkeypatch.setattr(notifying, "hand_over", self.hand_over)

    def search(self, project: Project, deployment: Any, municipality: Any, request: Any) -> Any:
        self.asked.append(request)
        found = [event for event in EVENTS if request.texts[0] in json.dumps(event)]
        return found, {"complete": True, "access": "a" * 64}

    def hand_over(self, project: Project, fleet: Any, slugs: Any, found: Any, kinds: Any) -> None:
        if not self.reachable:
            raise UnreachableError("hub1 does not answer", fix="start it")
        self.told += [(list(slugs), one, list(kinds)) for one in found]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Collector:
    return Collector(monkeypatch)


def call(path: Path, *words: str, code: int = ExitCode.OK) -> Result:
    done = CliRunner().invoke(cli, ["warn", "favrskov", "--file", str(path), *words], standalone_mode=False)
    if done.exception:
        raise done.exception
    assert done.return_value == code
    return done


def written(folder: Path, **changed: Any) -> Path:
    path = folder / "advisory.json"
    path.write_text(json.dumps(ADVISORY | changed, indent=1), encoding="utf-8")
    return path


def test_what_was_seen_where_and_since_when_is_said_told_and_kept(
    project: Project, collector: Collector, tmp_path: Path
) -> None:
    done = call(written(tmp_path), "--reply", "Spærret.", "--json", code=ExitCode.FINDINGS)
    answer = json.loads(done.stdout)
    assert answer["seen"] is True
    assert answer["reply"] == "Spærret."
    first, second = answer["indicators"]
    assert (first["events"], first["first"], first["last"]) == (2, "2026-11-20T10:00:00Z", "2026-11-23T10:00:00Z")
    assert first["sources"] == ["dhcp1", "firewall1"]
    assert second["events"] == 0
    assert {request.case for request in collector.asked} == {"SOC-2026-0042"}
    ((slugs, duty, kinds),) = collector.told
    assert (slugs, kinds, duty.subject) == (["favrskov"], ["warning"], "SOC-2026-0042")
    assert duty.danish == (
        "Fælles SOC advarer: Phishing fra evil.example (SOC-2026-0042). "
        "Set i arkivet siden 2026-11-20T10:00:00Z fra dhcp1, firewall1."
    )
    kept = evidence.read(project, "favrskov")
    assert kept is not None
    assert json.loads((kept.folder / "answer.json").read_text(encoding="utf-8")) == answer
    assert (kept.folder / "advisory.json").read_bytes() == (tmp_path / "advisory.json").read_bytes()


def test_what_was_not_seen_is_no_finding(project: Project, collector: Collector, tmp_path: Path) -> None:
    path = written(tmp_path, indicators=ADVISORY["indicators"][1:])
    assert "domain evil.example: not seen" in call(path).stdout
    assert collector.told[0][1].danish.endswith("Ikke set i arkivet.")


def test_a_request_without_indicators_is_told(project: Project, collector: Collector, tmp_path: Path) -> None:
    path = written(tmp_path, kind="request", indicators=[], source="firewall1", title="Send mere")
    call(path)
    assert collector.told[0][1].danish == "Fælles SOC beder om: Send mere (SOC-2026-0042)."
    assert collector.asked == []


def test_what_the_archive_cannot_hold_keeps_nothing_else_from_being_looked_for(
    project: Project, collector: Collector, tmp_path: Path
) -> None:
    number, digest = (
        "https://evil.example/0107605123",
        "9b07ccb60f04f7d3f2c2f3ed8bb9a6cb9b07ccb60f04f7d3f2c2f0107605123a",
    )
    own = [{"type": "url", "value": number}, {"type": "sha256", "value": digest}]
    path = written(tmp_path, indicators=[*own, *ADVISORY["indicators"]])
    answer = json.loads(call(path, "--json", code=ExitCode.FINDINGS).stdout)
    assert [request.texts[0] for request in collector.asked] == [digest, "198.51.100.7", "evil.example"]
    said = "indicator 1 (url): civil registration numbers are taken out at the site"
    assert answer["not_looked_for"] == [said]
    assert collector.told[0][1].danish.endswith(" fra dhcp1, firewall1. Ikke ledt efter: 1.")
    assert f"not looked for: {said}" in call(path, "--dry-run").stdout


def everything_kept(project: Project) -> str:
    """Of every record, all files."""
    files = [path for path in (project.state / "evidence").rglob("*") if path.is_file()]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


NUMBERS = ("0107605123", "010760-5123", "010760 5123")


@pytest.mark.parametrize("as_bundle", [False, True])
@pytest.mark.parametrize("escaped", [False, True])
def test_no_civil_registration_number_is_kept_or_told(
    project: Project, collector: Collector, tmp_path: Path, as_bundle: bool, escaped: bool
) -> None:
    one, three, two = NUMBERS
    path = written(
        tmp_path,
        title=f"Phishing mod {one}",
        text=f"Borgeren {two} er ramt.",
        indicators=[{"type": "url", "value": f"https://evil.example/{three}"}, *ADVISORY["indicators"]],
    )
    if as_bundle:
        other = f"[x:y = '{'a' * 150} {two}']"
        advisory = Advisory.model_validate_json(path.read_text(encoding="utf-8"))
        text = stix.bundle(advisory, [], "x", ADVISORY["sent"]).replace("[domain-name:value = 'evil.example']", other)
        path.write_text(text, encoding="utf-8")
    if escaped:
        text = path.read_text(encoding="utf-8")
        for number in NUMBERS:
            text = text.replace(number, f"\\u003{number[0]}{number[1:]}")
        path.write_text(text, encoding="utf-8")
    done = call(path, "--reply", f"{one} er advaret.", "--json", code=ExitCode.FINDINGS)
    answer = json.loads(done.stdout)
    assert answer["sha256"] == sha256(path.read_bytes()).hexdigest()
    assert answer["reply"] == "[CPR] er advaret."
    assert "indicator 1 (url): civil registration numbers are taken out at the site" in answer["not_looked_for"]
    kept = everything_kept(project)
    assert "[CPR] er ramt." in kept
    for text in (kept, done.stdout, str(collector.told)):
        assert [number for number in NUMBERS if number[1:] in text] == []


def test_where_a_municipality_keeps_the_numbers_the_file_is_kept_as_it_came(
    project: Project, collector: Collector, tmp_path: Path
) -> None:
    declared = project.root / "inventories/favrskov/municipality.yml"
    text = declared.read_text(encoding="utf-8")
    declared.write_text(re.sub(r"cpr: \w+", "cpr: keep", text), encoding="utf-8")
    path = written(tmp_path, text="Borgeren 010760-5123 er ramt.")
    call(path, code=ExitCode.FINDINGS)
    kept = evidence.read(project, "favrskov")
    assert kept is not None
    assert (kept.folder / "advisory.json").read_bytes() == path.read_bytes()


def test_a_dry_run_asks_and_tells_nobody(project: Project, collector: Collector, tmp_path: Path) -> None:
    done = call(written(tmp_path), "--dry-run")
    assert "would look for ipv4 198.51.100.7, 30 days back" in done.stdout
    assert json.loads(call(written(tmp_path), "--dry-run", "--json").stdout)["id"] == "SOC-2026-0042"
    assert (collector.asked, collector.told) == ([], [])
    assert not (project.state / "evidence").exists()


def test_a_bundle_of_stix_is_the_same_and_answered_in_stix(
    project: Project, collector: Collector, tmp_path: Path
) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(
        stix.bundle(Advisory.model_validate_json(json.dumps(ADVISORY)), [], "x", ADVISORY["sent"]), encoding="utf-8"
    )
    found = json.loads(call(path, "--stix", code=ExitCode.FINDINGS).stdout)
    (sighting,) = (one for one in found["objects"] if one["type"] == "sighting")
    assert sighting["count"] == 2
    with pytest.raises(UsageError, match="two documents"):
        call(path, "--stix", "--json")


def bundled(folder: Path, change: Callable[[str], str] = str) -> Path:
    path = folder / "bundle.json"
    made = stix.bundle(Advisory.model_validate_json(json.dumps(ADVISORY)), [], "x", ADVISORY["sent"])
    path.write_text(change(made), encoding="utf-8")
    return path


def test_a_byte_order_mark_before_a_bundle_is_nothing(project: Project, collector: Collector, tmp_path: Path) -> None:
    path = bundled(tmp_path, lambda text: "\ufeff" + text)
    answer = json.loads(call(path, "--json", code=ExitCode.FINDINGS).stdout)
    assert (answer["advisory"], answer["sha256"]) == ("SOC-2026-0042", sha256(path.read_bytes()).hexdigest())


def test_one_odd_indicator_keeps_no_other_from_being_looked_for(
    project: Project, collector: Collector, tmp_path: Path
) -> None:
    path = bundled(
        tmp_path, lambda text: text.replace("domain-name:value = 'evil.example'", "ipv4-addr:value = '::/0'")
    )
    answer = json.loads(call(path, "--json", code=ExitCode.FINDINGS).stdout)
    assert [one["value"] for one in answer["indicators"]] == ["198.51.100.7"]
    assert len(answer["not_looked_for"]) == 1


@pytest.mark.parametrize("words", [[], ["--json"], ["--stix"]])
def test_half_a_character_ends_nothing(
    project: Project, collector: Collector, tmp_path: Path, words: list[str]
) -> None:
    def change(text: str) -> str:
        return text.replace("evil.example", r"evil\ud800\u202e.example")

    call(bundled(tmp_path, change), *words, code=ExitCode.FINDINGS)


def test_an_answer_in_stix_says_what_the_other_one_says(project: Project, collector: Collector, tmp_path: Path) -> None:
    path = bundled(
        tmp_path, lambda text: text.replace("domain-name:value = 'evil.example'", "ipv4-addr:value = '::/0'")
    )
    came = json.loads(path.read_text(encoding="utf-8"))["objects"]
    found = json.loads(call(path, "--stix", "--reply", "Spærret.", code=ExitCode.FINDINGS).stdout)["objects"]
    assert [one for one in came if one not in found and one.get("name") != "x"] == []
    notes = {one["abstract"]: one["content"] for one in found if one["type"] == "note"}
    assert notes.keys() == {"Not looked for", "Reply"}
    assert notes["Not looked for"].endswith("[ipv4-addr:value = '::/0']")
    assert notes["Reply"] == "Spærret."


def test_a_warning_of_which_nothing_is_looked_for_says_so(
    project: Project, collector: Collector, tmp_path: Path
) -> None:
    path = bundled(
        tmp_path, lambda text: re.sub(r"\[[^\]\"]*:value = [^\]]*\]", f"[file:hashes.MD5 = '{'a' * 32}']", text)
    )
    assert "nothing would be looked for" in call(path, "--dry-run").stdout
    done = call(path, code=ExitCode.FINDINGS)
    assert "nothing was looked for: this warning has no indicator that can be" in done.stdout
    assert "not seen" not in done.stdout
    ((_, duty, _),) = collector.told
    assert duty.danish.endswith(" Intet er eftersøgt i arkivet. Ikke ledt efter: 2.")
    kept = evidence.read(project, "favrskov")
    assert kept is not None
    assert kept.record.run.outcome.endswith(": nothing looked for")
    assert collector.asked == []


def test_a_real_archive_with_lines_of_every_age(
    project: Project, collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written and searched by the collector's own programs; STIX takes what they say of it."""
    (tmp_path / "archive/0710").mkdir(parents=True)
    (tmp_path / "archive/0710/accesses.jsonl").touch()
    part = partition.Partition(tmp_path / "archive/0710", "logs.0710", 0, 1 << 20, {})
    part.expect(0)
    now = datetime.now(UTC).replace(microsecond=250_000)
    digest = "9B07CCB60F04F7D3F2C2F3ED8BB9A6CB9B07CCB60F04F7D3F2C2F0107605123A"
    for hours, zone in ((3, "Z"), (2, "+00:00"), (1, "789Z")):
        received = (now - timedelta(hours=hours)).isoformat(timespec="microseconds").removesuffix("+00:00") + zone
        line = {"received": received, "source": "journal1", "sequence": hours, "message": f"fil {digest} fundet"}
        part.add([json.dumps(line).encode()], 0.0)
    part.close()

    def search(project: Project, deployment: Any, municipality: Any, request: Any) -> Any:
        found = io.BytesIO()
        asked = export.read_query(json.dumps(query_of(municipality, request, "search")))
        manifest = export.answer(tmp_path / "archive", asked, found)
        return [json.loads(line) for line in found.getvalue().splitlines()], manifest

    monkeypatch.setattr(warning, "search", search)
    path = written(tmp_path, indicators=[{"type": "sha256", "value": digest.lower()}])
    made = stix2.parse(call(path, "--stix", code=ExitCode.FINDINGS).stdout)
    (sighting,) = (one for one in made.objects if one.type == "sighting")
    seen = [now - timedelta(hours=hours) for hours in (3, 1)]
    assert (sighting["count"], sighting.first_seen, sighting.last_seen) == (3, *seen)


def test_nobody_to_tell_ends_nothing(project: Project, collector: Collector, tmp_path: Path) -> None:
    collector.reachable = False
    done = call(written(tmp_path), code=ExitCode.FINDINGS)
    assert "nobody was told: hub1 does not answer" in done.output
    assert evidence.read(project, "favrskov") is not None


@pytest.mark.parametrize(
    ("changed", "line", "key", "found"),
    [
        ({"kind": "order"}, 6, "kind", "`order` is not one of the choices"),
        ({"version": 2}, 2, "version", "`2`"),
        ({"indicators": [{"type": "ipv4", "value": "evil.example"}]}, 12, "indicators[0].value", "is no ipv4"),
        ({"indicators": []}, 6, "kind", "without indicators"),
        ({"source": "nosuch"}, 19, "source", "has no source `nosuch`"),
        ({"title": "a\u202eb"}, 7, "title", "has the wrong form"),
        ({"extra": 1}, 19, "extra", "unknown key"),
        ({"id": "../x"}, 3, "id", "has the wrong form"),
    ],
)
def test_a_fault_is_named_with_file_and_line(
    project: Project, collector: Collector, tmp_path: Path, changed: dict[str, Any], line: int, key: str, found: str
) -> None:
    with pytest.raises(DeclarationError) as caught:
        call(written(tmp_path, **changed))
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (line, key)
    assert found in problem.found
    assert collector.asked == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xff", b"[" * 5000, b'{"a": 1}'])
def test_what_is_no_advisory_is_refused(project: Project, collector: Collector, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "advisory.json"
    path.write_bytes(content)
    with pytest.raises(DeclarationError):
        call(path)
    with pytest.raises(click.BadParameter, match="does not exist"):
        call(tmp_path / "nosuch.json")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_bundle_in_another_encoding_is_a_fault_of_the_file(project: Project, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(json.dumps({"type": "bundle", "objects": [], "x": "æ"}, ensure_ascii=False).encode(encoding))
    with pytest.raises(DeclarationError) as caught:
        call(path, "--dry-run")
    assert caught.value.what.endswith("in the advisory")
    assert caught.value.fix == "correct the lines above, then run the same command again"
