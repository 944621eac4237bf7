"""A damaged, missing or unsafe index says so, and a rebuild heals it (R-74, R-75)."""

import os
import shutil
import stat
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from skillshare.search import reading
from skillshare.search.engine import Document, IndexBusy, IndexUnavailable, SearchRequest, Text
from skillshare.search.generations import Generations
from skillshare.search.whoosh_engine import WhooshEngine

DOCUMENTS = [Document(f"skill:{number}", 1, "en", f"Baking bread number {number}") for number in range(40)]
BREAD = SearchRequest(Text(("bread",)), facets=("kind",))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "search"
    WhooshEngine(folder).rebuild(DOCUMENTS)
    return folder


@pytest.fixture(autouse=True)
def look_again_at_once(monkeypatch):
    monkeypatch.setattr(reading, "LOOK_AGAIN_SECONDS", 0)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock")


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def delete(path: Path) -> None:
    path.unlink()


def test_a_large_index_answers_while_it_is_checked_and_stops_when_it_is_damaged(folder, monkeypatch):
    monkeypatch.setattr(reading, "CHECKED_AT_ONCE", 0)
    assert WhooshEngine(folder).search(BREAD).total == 40
    for path in folder.rglob("*.heads"):  # not read by a search, so that only the checksum can tell
        flip(path)
    engine = WhooshEngine(folder)

    with suppress(IndexUnavailable):
        engine.search(BREAD)

    for checking in [thread for thread in threading.enumerate() if thread.name == "checksums"]:
        checking.join(10)
    with pytest.raises(IndexUnavailable):
        engine.search(BREAD)
    assert engine.status().problem
    engine.rebuild(DOCUMENTS)
    assert engine.search(BREAD).total == 40


def test_an_undamaged_index_answers(folder):
    assert WhooshEngine(folder).search(BREAD).total == 40


@pytest.mark.parametrize("harm", [truncate, empty, zero, flip, delete])
def test_any_damaged_file_is_noticed_and_a_rebuild_heals(folder, harm):
    for at, kept in enumerate(files(folder)):
        if kept.stat().st_size == 0:
            continue
        broken = folder.with_name(f"broken{at}")
        shutil.copytree(folder, broken)
        harm(files(broken)[at])

        engine = WhooshEngine(broken)
        assert engine.status().problem, kept.name
        assert refuses_everything(engine), kept.name

        engine.rebuild(DOCUMENTS)
        assert engine.status().problem is None, kept.name
        assert engine.search(BREAD).total == 40


def refuses_everything(engine: WhooshEngine) -> bool:
    questions = (
        lambda: engine.search(BREAD),
        lambda: engine.complete("b", frozenset(), "en"),
        lambda: engine.apply(DOCUMENTS[:1]),
        engine.versions,
    )
    for question in questions:
        with pytest.raises(IndexUnavailable):
            question()
    return True


@pytest.mark.parametrize("harm", [truncate, empty])
@pytest.mark.parametrize("suffix", [".trm", ".pst"])
def test_a_file_cut_short_under_an_open_index_never_crashes_it(folder, harm, suffix):
    engine = WhooshEngine(folder)
    engine.search(BREAD)
    harm(next(path for path in files(folder) if path.suffix == suffix))

    with pytest.raises(IndexUnavailable):
        engine.search(SearchRequest(Text(("baking",)), facets=("language",)))

    engine.rebuild(DOCUMENTS)
    assert engine.search(BREAD).total == 40


def test_a_missing_folder_is_unavailable_until_rebuilt(folder):
    engine = WhooshEngine(folder)
    engine.search(BREAD)

    shutil.rmtree(folder)

    with pytest.raises(IndexUnavailable):
        engine.search(BREAD)
    assert engine.status().problem
    engine.rebuild(DOCUMENTS)
    assert engine.search(BREAD).total == 40


def test_a_new_instance_is_unavailable_until_rebuilt(tmp_path):
    engine = WhooshEngine(tmp_path / "new" / "search")

    for question in (lambda: engine.search(BREAD), lambda: engine.apply(DOCUMENTS), engine.versions):
        with pytest.raises(IndexUnavailable):
            question()


def test_a_missing_file_is_noticed_by_the_status_of_a_running_engine(folder):
    engine = WhooshEngine(folder)
    engine.search(BREAD)

    next(path for path in files(folder) if path.suffix == ".pst").unlink()

    assert engine.status().problem


def test_what_a_dead_writer_left_is_passed_over(folder):
    engine = WhooshEngine(folder)
    mark = Generations(folder, ("en", "es")).mark()
    generation = folder / mark.folder
    (generation / f"_MAIN_{mark.contents + 1}.toc").write_bytes(b"half")
    (generation / "MAIN_0123456789abcdef.trm").write_bytes(b"half")
    (folder / "g-000099").mkdir()

    engine.apply([Document("want:x", 1, "en", "More bread")])

    assert engine.search(BREAD).total == 41
    assert not (generation / "MAIN_0123456789abcdef.trm").exists()
    engine.rebuild(DOCUMENTS)
    assert sorted(path.name for path in folder.glob("g-*")) == ["g-000100"]


def test_a_failed_rebuild_leaves_the_old_index(folder):
    def documents():
        yield from DOCUMENTS[:3]
        raise RuntimeError

    engine = WhooshEngine(folder)
    with pytest.raises(RuntimeError):
        engine.rebuild(documents())

    assert engine.search(BREAD).total == 40
    assert len(list(folder.glob("g-*"))) == 1


def test_a_failed_change_leaves_the_index_whole(folder, monkeypatch):
    engine = WhooshEngine(folder)
    with monkeypatch.context() as patched:
        patched.setattr(Generations, "publish", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(IndexUnavailable):
            engine.apply([Document("want:x", 1, "en", "More bread")])

    assert engine.search(BREAD).total == 40
    engine.apply([Document("want:x", 1, "en", "More bread")])
    assert engine.search(BREAD).total == 41
    assert WhooshEngine(folder).search(BREAD).total == 41


def test_the_folder_is_ours_alone(folder):
    for path in (folder, *folder.glob("g-*")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_others_could_write_in_is_refused(folder, mode):
    running = WhooshEngine(folder)
    folder.chmod(mode)

    with pytest.raises(IndexUnavailable):
        WhooshEngine(folder)
    with pytest.raises(IndexUnavailable):
        running.search(BREAD)
    with pytest.raises(IndexUnavailable):
        running.rebuild(DOCUMENTS)


def test_there_is_one_writer(folder):
    engine = WhooshEngine(folder, busy_seconds=0.05)

    with Generations(folder, ("en", "es")).writing(0), pytest.raises(IndexBusy):
        engine.apply(DOCUMENTS[:1])

    engine.apply(DOCUMENTS[:1])


def test_another_process_sees_a_change(folder):
    writer, reader = WhooshEngine(folder), WhooshEngine(folder)
    assert reader.search(BREAD).total == 40

    writer.apply([], ["skill:7"])
    assert reader.search(BREAD).total == 39

    writer.rebuild(DOCUMENTS[:5])
    assert reader.search(BREAD).total == 5
