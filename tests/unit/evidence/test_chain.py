"""A chain in which anything was changed names the first record that does not fit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.chains import NAME, findings, project_in, run, write

from vaern import evidence
from vaern.errors import EvidenceError
from vaern.evidence import appending, reading
from vaern.evidence.chain import RECORD, SIGNATURE, head_file, read_chain
from vaern.evidence.record import FINDINGS, LONGEST_TEXT, parse, render, short
from vaern.runtime.paths import Project

RECORDS = 4


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = project_in(tmp_path_factory.mktemp("written"))
    write(project, RECORDS)
    return project


@contextmanager
def copied(project: Project) -> Iterator[Project]:
    with TemporaryDirectory() as folder:
        shutil.copytree(project.state, Path(folder) / "state")
        yield project_in(Path(folder))


def folders(project: Project) -> list[Path]:
    return [stored.folder for stored in read_chain(project, NAME).stored]


def first_fault(project: Project) -> int:
    fault = reading.verify(project, NAME).fault
    assert fault is not None
    return fault.sequence


def test_a_chain_that_nobody_touched_fits(written: Project) -> None:
    checked = reading.verify(written, NAME)
    assert (checked.fault, checked.records, checked.signed, checked.notes) == (None, RECORDS, 0, ())
    assert checked.last == read_chain(written, NAME).stored[-1].digest
    assert evidence.names(written) == [NAME]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_byte_that_is_changed_names_its_record(written: Project, data: st.DataObject) -> None:
    with copied(written) as project:
        number = data.draw(st.integers(1, RECORDS))
        path = folders(project)[number - 1] / data.draw(st.sampled_from([RECORD, FINDINGS]))
        content = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        path.chmod(0o600)
        path.write_bytes(content)
        assert first_fault(project) == number


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_a_record_that_is_removed_is_named(written: Project, data: st.DataObject) -> None:
    with copied(written) as project:
        number = data.draw(st.integers(1, RECORDS))
        shutil.rmtree(folders(project)[number - 1])
        assert first_fault(project) == number


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_of_records_in_another_order_the_first_is_named(written: Project, data: st.DataObject) -> None:
    """Only the numbers are changed; each folder is named after its own digest still."""
    with copied(written) as project:
        order = data.draw(st.permutations(range(RECORDS)).filter(lambda one: one != list(range(RECORDS))))
        before = folders(project)
        for new, old in enumerate(order, start=1):
            before[old].rename(before[old].with_name(f"x{new:06}-{before[old].name.partition('-')[2]}"))
        for path in list((project.state / "evidence" / NAME).glob("x*")):
            path.rename(path.with_name(path.name[1:]))
        assert first_fault(project) == 1 + next(place for place, old in enumerate(order) if place != old)


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_a_record_that_is_inserted_is_named(written: Project, data: st.DataObject) -> None:
    """One that is well made, follows the record before its place and has a number that another one has."""
    with copied(written) as project:
        number = data.draw(st.integers(1, RECORDS))
        real = read_chain(project, NAME).stored[number - 1]
        assert real.record is not None
        forged = render(real.record.model_copy(update={"run": run(number).model_copy(update={"outcome": "forged"})}))
        place = real.folder.with_name(f"{number:06}-{evidence.record.digest(forged)[:12]}")
        shutil.copytree(real.folder, place)
        (place / RECORD).chmod(0o600)
        (place / RECORD).write_bytes(forged)
        assert first_fault(project) == number
        shutil.rmtree(real.folder)
        assert first_fault(project) == number


def test_what_is_beside_a_record_and_was_not_there_is_named(written: Project) -> None:
    for add, number in ((lambda at: at[1] / "report.html", 2), (lambda at: at[1].with_name("000002-copy"), RECORDS)):
        with copied(written) as project:
            add(folders(project)).write_text("x")
            assert first_fault(project) == number


PLANTED: dict[str, Callable[[Path], object]] = {
    "a link to a folder": lambda record: (record / "logs").symlink_to("/etc"),
    "a link to nowhere": lambda record: (record / "logs").symlink_to("nowhere"),
    "an empty folder": lambda record: (record / "logs").mkdir(),
    "a folder with a file": lambda record: ((record / "logs").mkdir(), (record / "logs" / "x").write_text("x")),
    "a folder as signature": lambda record: (record / SIGNATURE).mkdir(),
    "a link as signature": lambda record: (record / SIGNATURE).symlink_to("nowhere"),
    "a link in the place of findings": lambda record: (
        (record / FINDINGS).rename(record.parents[1] / "x"),
        (record / FINDINGS).symlink_to(record.parents[1] / "x"),
    ),
    "a link in the place of the record's folder": lambda record: (
        record.rename(record.parents[1] / "x"),
        record.symlink_to(record.parents[1] / "x"),
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_links_and_folders_are_no_part_of_a_record(written: Project, what: str) -> None:
    with copied(written) as project:
        PLANTED[what](folders(project)[1])
        assert first_fault(project) == 2
        with pytest.raises(EvidenceError, match="does not fit"):
            reading.read(project, NAME)


@pytest.mark.parametrize("name", [RECORD, FINDINGS, "head"])
def test_what_would_never_end_is_not_read(written: Project, name: str) -> None:
    with copied(written) as project:
        path = head_file(project, NAME) if name == "head" else folders(project)[1] / name
        path.unlink()
        os.mkfifo(path)
        assert first_fault(project) == (RECORDS if name == "head" else 2)


def test_a_record_of_another_municipality_does_not_fit(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    write(project, 1, "samsoe")
    write(project, 1)
    shutil.rmtree(project.state / "evidence" / NAME)
    shutil.copytree(project.state / "evidence" / "samsoe", project.state / "evidence" / NAME)
    head_file(project, NAME).unlink()
    assert str(reading.verify(project, NAME).fault) == "record 1 does not fit: it is record 1 of samsoe"


def test_a_head_that_was_changed_or_is_gone_is_said(written: Project) -> None:
    for change in (lambda head: head.unlink(), lambda head: head.write_text("0" * 64 + "  x\n")):
        with copied(written) as project:
            head_file(project, NAME).chmod(0o600)
            change(head_file(project, NAME))
            fault = reading.verify(project, NAME).fault
            assert fault is not None
            assert fault.path == head_file(project, NAME)


def test_a_tail_cut_off_with_its_head_is_found_by_a_digest_kept_elsewhere(written: Project) -> None:
    with copied(written) as project:
        noted = read_chain(project, NAME).stored[-1].digest
        assert reading.verify(project, NAME, kept=noted).fault is None
        shutil.rmtree(folders(project)[-1])
        last = read_chain(project, NAME).stored[-1]
        head_file(project, NAME).write_text(f"{last.digest}  {NAME}/{last.folder.name}/{RECORD}\n")
        assert reading.verify(project, NAME).fault is None, "nobody can see it who has nothing else"
        fault = reading.verify(project, NAME, kept=noted).fault
        assert fault is not None
        assert fault.sequence == RECORDS
        assert noted in fault.what


@pytest.mark.parametrize("cut", [1, RECORDS])
def test_a_gap_stays_after_the_next_run(written: Project, cut: int) -> None:
    with copied(written) as project:
        for path in folders(project)[-cut:]:
            shutil.rmtree(path)
        assert evidence.append(project, NAME, run(9), {}).sequence == RECORDS + 1
        assert first_fault(project) == RECORDS - cut + 1


def test_a_folder_that_was_put_there_does_not_change_the_next_number(written: Project) -> None:
    with copied(written) as project:
        shutil.copytree(folders(project)[0], project.state / "evidence" / NAME / "999999-000000000000")
        assert evidence.append(project, NAME, run(9), {}).sequence == RECORDS + 1
        fault = reading.verify(project, NAME).fault
        assert fault is not None
        assert "999999-000000000000" in fault.what


def test_an_altered_last_record_is_not_what_the_next_one_follows(written: Project) -> None:
    with copied(written) as project:
        old = folders(project)[-1]
        content = (old / RECORD).read_bytes().replace(b"demand is met", b"demand is MET")
        (old / RECORD).chmod(0o600)
        (old / RECORD).write_bytes(content)
        old.rename(old.with_name(f"{RECORDS:06}-{evidence.record.digest(content)[:12]}"))
        assert first_fault(project) == RECORDS
        evidence.append(project, NAME, run(9), {})
        assert first_fault(project) == RECORDS, "the next one follows what was written"


def test_a_record_that_was_cut_short_was_never_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in each place of writing; the next run removes the draft and the chain fits."""
    project = project_in(tmp_path)
    write(project, 1)
    for place in ("_write", "_sync", "write_private"):
        with monkeypatch.context() as patch:
            patch.setattr(appending.shutil, "rmtree", lambda *_, **__: None)  # killed: nobody clears up

            def killed(*_: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(appending, place, killed)
            with pytest.raises(KeyboardInterrupt):
                evidence.append(project, NAME, run(2), findings(2))
        assert reading.verify(project, NAME).fault is None
    checked = reading.verify(project, NAME)
    assert checked.records == 2
    assert checked.notes == ("the head does not know record 2 yet: its run was ended while it was written",)
    assert evidence.append(project, NAME, run(3), findings(3)).sequence == 3
    assert reading.verify(project, NAME).notes == ()
    assert not list((project.state / "evidence" / NAME).glob(".draft-*"))


def test_runs_that_end_at_once_each_have_their_record(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda number: evidence.append(project, NAME, run(number), findings(number)), range(20)))
    assert sorted(one.sequence for one in kept) == list(range(1, 21))
    assert reading.verify(project, NAME).fault is None


def test_a_damaged_head_stops_the_next_record_and_nothing_is_lost(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    write(project, 2)
    for damage, said in ((lambda head: head.write_text("damaged"), "damaged"), (lambda head: head.unlink(), "gone")):
        damage(head_file(project, NAME))
        with pytest.raises(EvidenceError, match=rf"favrskov\.head is {said}"):
            evidence.require_ready(project, NAME)
        with pytest.raises(EvidenceError, match=rf"favrskov\.head is {said}"):
            evidence.append(project, NAME, run(3), {})
        assert len(folders(project)) == 2


def test_nothing_of_a_chain_that_does_not_fit_is_given(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    write(project, 3)
    found = reading.read(project, NAME)
    assert found is not None
    assert found.record.sequence == 3
    path = folders(project)[1] / FINDINGS
    path.chmod(0o600)
    path.write_text("{}")
    with pytest.raises(EvidenceError) as raised:
        reading.read(project, NAME)
    assert raised.value.what == (
        f"{path}: in the evidence of favrskov, record 2 does not fit: findings.json is not as it was written"
    )
    assert raised.value.fix.endswith("run `vaern verify favrskov`, which begins a new chain")


def test_logs_may_go_but_not_change(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    log = project.state / "logs" / "run" / "ansible.log"
    log.parent.mkdir(parents=True)
    log.write_text("ok: hub1\n")
    evidence.append(project, NAME, run(), {}, [log])
    assert reading.verify(project, NAME).fault is None
    log.write_text("changed: hub1\n")
    assert first_fault(project) == 1
    log.unlink()
    checked = reading.verify(project, NAME)
    assert (checked.fault, checked.notes) == (None, ("1 log of its runs is no longer kept",))


def test_a_record_comes_back_as_it_was(written: Project) -> None:
    for stored in read_chain(written, NAME).stored:
        assert stored.content is not None
        assert render(parse(stored.content)) == stored.content


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"null", b"[" * 100_000, b'{"sequence": NaN}', b"\xff\xfe", b'{"schema_version": 99}']
)
def test_what_is_no_record_is_said_plainly(content: bytes) -> None:
    with pytest.raises(ValueError, match="it is no record"):
        parse(content)


def test_texts_are_bounded() -> None:
    assert short("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT
    assert len(short("x" * (LONGEST_TEXT + 1))) == LONGEST_TEXT


def test_the_last_result_is_read_without_the_whole_chain(written: Project) -> None:
    """What came before is not looked at; what came after is, since it says that this one was not altered."""

    def third(project: Project) -> int:
        found = reading.read(project, NAME, lambda record: record.sequence <= 3, whole=False)
        assert found is not None
        return found.record.sequence

    with copied(written) as project:
        shutil.rmtree(folders(project)[0])
        assert third(project) == 3
    for number in (3, 4):
        with copied(written) as project:
            path = folders(project)[number - 1] / RECORD
            content = path.read_bytes().replace(b"demand is met", b"demand is MET")
            path.chmod(0o600)
            path.write_bytes(content)
            path.parent.rename(path.parent.with_name(f"{number:06}-{evidence.record.digest(content)[:12]}"))
            with pytest.raises(EvidenceError, match=f"record {number} does not fit"):
                third(project)
    with copied(written) as project:
        shutil.rmtree(folders(project)[-1])
        with pytest.raises(EvidenceError, match="record 4 does not fit: it is missing"):
            third(project)
