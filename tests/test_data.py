"""The data: the right files or a refusal, whatever mirrors, disks, processes and readers do to them.

A server on this machine plays the mirrors, with made-up files of the same names whose digests replace the published ones.
The tests of the real files run where ``FMNIST_DATA`` names them.
"""

import errno
import gzip
import hashlib
import http.server
import multiprocessing
import os
import random
import shutil
import socket
import struct
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from fmnist_utils import data
from fmnist_utils.data import DataError, Limits, load_arrays, load_fashion_mnist
from fmnist_utils.text import LANGUAGES, UserError, set_language

NAMES = list(data.REGISTRY)
TRAIN, TEST = 200, 60
REAL_FILES = os.environ.get("FMNIST_DATA")
needs_real_files = pytest.mark.skipif(not REAL_FILES, reason="FMNIST_DATA does not name a folder with the official files")
needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="starting eight processes takes minutes without fork")


def idx(array: np.ndarray) -> bytes:
    return gzip.compress(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes(), mtime=0)


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    pixels = {n: rng.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (TRAIN, TEST)}
    labels = {n: (np.arange(n) % 10).astype(np.uint8) for n in (TRAIN, TEST)}
    return dict(zip(NAMES, (pixels[TRAIN], labels[TRAIN], pixels[TEST], labels[TEST])))


@pytest.fixture(scope="module")
def files(arrays) -> dict[str, bytes]:
    return {name: idx(array) for name, array in arrays.items()}


def use_these(files: dict[str, bytes]) -> dict[str, object]:
    """What makes the module take ``files`` for the published ones, with little patience."""
    return {
        "REGISTRY": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "SHAPES": dict(zip(NAMES, ((TRAIN, 28, 28), (TRAIN,), (TEST, 28, 28), (TEST,)))),
        "PATIENT": Limits(3, 2, 60),
        "HASTY": Limits(2, 2, 4),
    }


@pytest.fixture
def small(monkeypatch, tmp_path, files):
    """A world in which the small files are the published ones, the cache is empty and no mirror is known."""
    for name, value in use_these(files).items():
        monkeypatch.setattr(data, name, value)
    monkeypatch.setattr(data.fetch, "__defaults__", (None, data.PATIENT))
    for name in ("FMNIST_DATA", "FMNIST_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FMNIST_MIRRORS", "http://127.0.0.1:9/")  # nobody listens there
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


class Mirror(http.server.ThreadingHTTPServer):
    """Serves ``files``; ``faults`` says what goes wrong with a name (or with ``None``: with every name); ``gets`` counts."""

    daemon_threads = True

    def __init__(self, files, fault=None, pause=0.0):
        self.files, self.faults, self.pause, self.gets, self.closing = files, {}, pause, [], threading.Event()
        if fault:
            self.faults[None] = fault
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}/fashion/"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # clients that leave are part of the play

    def stop(self):
        self.closing.set()
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        name = self.path.removeprefix("/fashion/")
        self.server.gets.append(name)
        content = self.server.files[name]
        fault = self.server.faults.get(name, self.server.faults.get(None))
        if fault in (404, 503):
            self.send_error(fault)
            return
        if fault == "silent":
            self.server.closing.wait(30)
            return
        body = {
            "html": b"<html>Welcome to our network. Please log in.</html>",
            "empty": b"",
            "bit": content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
            "short": content[:-20],
            "foreign": idx(np.zeros((3, 3), np.uint8)),
        }.get(fault, content)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if isinstance(fault, float):  # the connection is cut after this share
            body = body[: int(len(body) * fault)]
        if fault == "stall":
            body, rest = body[: len(body) // 2], body[len(body) // 2 :]
            self.wfile.write(body)
            self.server.closing.wait(30)
        elif fault == "drip":
            for byte in body:
                self.wfile.write(bytes([byte]))
                if self.server.closing.wait(0.05):
                    return
        else:
            step = max(1, len(body) // 8)
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                time.sleep(self.server.pause)


@pytest.fixture
def mirror(files, small, monkeypatch):
    """Start mirrors, each with a fault or none, and make them the known ones."""
    started = []

    def start(*faults, pause=0.0):
        new = [Mirror(files, fault, pause) for fault in faults or (None,)]
        started.extend(new)
        monkeypatch.setenv("FMNIST_MIRRORS", ", ".join(server.url for server in new))
        return new[0] if len(new) == 1 else new

    yield start
    for server in started:
        server.stop()


def is_right(loaded: data.Arrays, arrays) -> bool:
    return loaded.source == "official" and all(np.array_equal(a, b) for a, b in zip(loaded[:4], arrays.values()))


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in (*NAMES, ".lock"))


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


# --- Where the files come from -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["", "FashionMNIST", "FashionMNIST/raw"])
def test_fmnist_data_may_name_the_folder_at_any_level(small, monkeypatch, tmp_path, files, arrays, inside):
    fill(tmp_path / "d" / "FashionMNIST" / "raw", files)
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "d" / inside))
    assert is_right(load_arrays(), arrays)
    assert not small.exists(), "the cache is not touched"


def test_the_folder_comes_before_the_cache_and_the_cache_before_the_network(mirror, small, monkeypatch, tmp_path, files, arrays):
    server = mirror()
    assert is_right(load_arrays("official"), arrays) and sorted(server.gets) == sorted(NAMES)
    (small / ".lock").unlink()
    assert is_right(load_arrays(), arrays) and len(server.gets) == 4
    assert not (small / ".lock").exists(), "a good cache is only read, so it may be read-only"
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(DataError):
        load_arrays()


def test_a_download_is_published_whole_with_nothing_beside_it(mirror, small, files):
    server = mirror()
    seen = []
    assert data.fetch(progress=lambda name, size: seen.append(name)) == {name: server.url + name for name in NAMES}
    assert {path.name: path.read_bytes() for path in small.iterdir() if path.name != ".lock"} == files
    assert not leftovers(small) and set(seen) <= set(NAMES)
    assert data.fetch() == {} and len(server.gets) == 4


@pytest.mark.parametrize("value", ["1", "true"])
def test_offline_forbids_the_download(mirror, monkeypatch, value):
    server = mirror()
    monkeypatch.setenv("FMNIST_OFFLINE", value)
    with pytest.raises(DataError, match="FMNIST_OFFLINE"):
        load_arrays("official")
    assert load_arrays().source == "synthetic" and not server.gets


def test_offline_is_off_when_it_says_so(mirror, monkeypatch, arrays):
    mirror()
    monkeypatch.setenv("FMNIST_OFFLINE", "0")
    assert is_right(load_arrays(), arrays)


# --- The stand-in is never silent --------------------------------------------------------------------------------------


def test_auto_says_when_it_took_the_stand_in(small):
    splits = load_fashion_mnist(val_size=40)
    assert splits.source == "synthetic" and "127.0.0.1:9" in splits.reason
    assert "SYNTHETIC" in splits.notice() and "fmnist data fetch" in splits.notice()
    set_language("es")
    assert "SINTÉTICOS" in splits.notice()


def test_the_official_data_need_no_notice(mirror):
    mirror()
    splits = load_fashion_mnist(val_size=40)
    assert (splits.source, splits.notice(), splits.reason) == ("official", "", "")


def test_official_never_turns_into_synthetic(small):
    with pytest.raises(DataError):
        load_fashion_mnist("official", val_size=40)


def test_the_stand_in_has_the_shapes_of_the_data_and_is_the_same_each_time(small):
    first, again = load_arrays("synthetic"), load_arrays("synthetic")
    assert first.train_images.shape == (TRAIN, 28, 28) and first.test_images.shape == (TEST, 28, 28)
    assert all(np.array_equal(a, b) for a, b in zip(first[:4], again[:4]))
    with pytest.raises(ValueError, match="read-only"):
        first.train_images[0] = 0


def test_auto_waits_only_seconds_for_a_silent_mirror(mirror):
    mirror("silent", "silent")
    start = time.monotonic()
    assert load_arrays().source == "synthetic"
    assert time.monotonic() - start < data.HASTY.total + 5


def test_auto_waits_only_seconds_for_a_name_look_up(small, monkeypatch):
    release = threading.Event()

    def look_up(*_, **__):
        release.wait(30)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("FMNIST_MIRRORS", "http://mirror.invalid/")
    start = time.monotonic()
    assert load_arrays().source == "synthetic"
    assert time.monotonic() - start < data.HASTY.total + 5
    release.set()


# --- What mirrors do (R1, R2, R4, R5) ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.75, 0.99])
def test_a_cut_connection_leaves_nothing_and_the_next_run_is_right(mirror, small, arrays, name, share):
    server = mirror()
    server.faults[name] = share
    with pytest.raises(DataError, match=name):
        load_arrays("official")
    assert not leftovers(small) and not (small / name).exists()
    server.faults.clear()
    assert is_right(load_arrays("official"), arrays)
    assert server.gets.count(name) == 2 and len(server.gets) <= 8


@pytest.mark.parametrize("fault", ["html", "empty", "bit", "short", "foreign", 404, 503, 0.5])
def test_the_next_mirror_is_used(mirror, small, arrays, fault):
    bad, good = mirror(fault, None)
    assert is_right(load_arrays("official"), arrays)
    assert len(bad.gets) == 1, "a mirror that failed is not asked first again"
    assert len(good.gets) == 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", ["html", "empty", "bit", "short", "foreign"])
def test_wrong_content_is_refused_by_name(mirror, small, name, fault):
    server = mirror()
    server.faults[name] = fault
    with pytest.raises(DataError) as caught:
        load_arrays("official")
    for part in (name, data.REGISTRY[name], server.url, "fmnist data fetch"):
        assert part in str(caught.value)
    assert not (small / name).exists() and not leftovers(small)


def test_files_swapped_on_the_mirror_are_refused(mirror, small, files):
    server = mirror()
    server.files = files | {NAMES[0]: files[NAMES[2]]}
    with pytest.raises(DataError, match=data.REGISTRY[NAMES[2]]):
        load_arrays("official")


@pytest.mark.parametrize("fault", ["stall", "drip", "silent"])
def test_a_mirror_that_does_not_get_on_is_left(mirror, arrays, fault):
    mirror(fault, None)
    start = time.monotonic()
    assert is_right(load_arrays("official"), arrays)
    assert time.monotonic() - start < data.PATIENT.read + 8


def test_the_total_limit_holds_for_a_mirror_that_is_slow_but_not_too_slow(mirror, monkeypatch):
    mirror(pause=0.3)
    monkeypatch.setattr(data, "SLOWEST", 0)
    start = time.monotonic()
    with pytest.raises(DataError, match="too slow"):
        data.fetch(limits=Limits(1, 1, 0.8))
    assert time.monotonic() - start < 6


def test_a_mirror_that_never_ends_is_left(mirror, monkeypatch):
    monkeypatch.setattr(data, "LARGEST", 1000)
    mirror(pause=0.1)
    with pytest.raises(DataError, match="too slow"):
        data.fetch()


def test_when_all_fail_each_mirror_is_listed_with_its_cause(mirror, monkeypatch):
    first, second = mirror(404, "html")
    monkeypatch.setenv("FMNIST_MIRRORS", f"{first.url},{second.url.rstrip('/')}, http://127.0.0.1:9/x")
    with pytest.raises(DataError) as caught:
        load_arrays("official")
    lines = [line for line in str(caught.value).splitlines() if "http://" in line]
    assert len(lines) == 3
    assert "404" in lines[0] and "not the published file" in lines[1] and "ConnectionRefusedError" in lines[2]


# --- What happens to the cache (R3, R8, R9, R10) -----------------------------------------------------------------------


def truncate(path: Path):
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path):
    path.write_bytes(b"")


def flip(path: Path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def swap(path: Path):
    other = path.with_name(NAMES[(NAMES.index(path.name) + 2) % 4])
    path.write_bytes(other.read_bytes())


def folder(path: Path):
    path.unlink()
    (path / "inside").mkdir(parents=True)


def remove(path: Path):
    path.unlink()


DAMAGES = [truncate, empty, flip, swap, folder, remove]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_in_the_cache_is_seen_and_healed_with_one_get(mirror, small, monkeypatch, files, arrays, name, damage):
    server = mirror()
    damage(fill(small, files) / name)
    monkeypatch.setenv("FMNIST_OFFLINE", "1")
    with pytest.raises(DataError) as caught:
        load_arrays("official")
    for part in (str(small / name), data.REGISTRY[name], data.verify()[name]["found"], "fmnist data fetch"):
        assert part in str(caught.value)
    monkeypatch.delenv("FMNIST_OFFLINE")
    assert is_right(load_arrays(), arrays) and server.gets == [name]


def test_a_swapped_file_is_called_by_its_name(small, files):
    swap(fill(small, files) / NAMES[0])
    assert data.verify()[NAMES[0]]["found"].endswith(f" = {NAMES[2]}")


def test_partial_files_of_killed_processes_are_swept(mirror, small):
    mirror()
    small.mkdir()
    (small / f"{NAMES[0]}.123-abc.part").write_bytes(b"half")
    data.fetch()
    assert not leftovers(small)


def test_a_full_disk_is_named_with_what_is_needed_and_free(mirror, small, monkeypatch, arrays):
    mirror()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DataError, match=r"31 MB are needed and \d+ MB are free") as caught:
            load_arrays("official")
        assert str(small) in str(caught.value) and "FMNIST_CACHE" in str(caught.value)
        assert load_arrays().source == "synthetic"
    assert not leftovers(small) and is_right(load_arrays("official"), arrays)


def test_a_cache_that_cannot_be_made_is_named(mirror, monkeypatch, tmp_path):
    mirror()
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FMNIST_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match="FMNIST_CACHE"):
        load_arrays("official")
    assert load_arrays().source == "synthetic"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_read_only_cache_is_read_and_else_named(mirror, small, files, arrays):
    mirror()
    fill(small, files).chmod(0o555)
    assert is_right(load_arrays("official"), arrays)
    small.chmod(0o755)
    (small / NAMES[0]).unlink()
    small.chmod(0o555)
    with pytest.raises(DataError, match="FMNIST_CACHE"):
        load_arrays("official")


# --- FMNIST_DATA is the reader's: never written to, never ignored ------------------------------------------------------


@pytest.mark.parametrize("source", ["auto", "official"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_in_fmnist_data_is_an_error_and_stays(mirror, monkeypatch, tmp_path, files, source, damage):
    server = mirror()
    raw = fill(tmp_path / "mine" / "FashionMNIST" / "raw", files)
    damage(raw / NAMES[1])
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "mine"))
    with pytest.raises(DataError) as caught:
        load_arrays(source)
    for part in (str(raw / NAMES[1]), data.REGISTRY[NAMES[1]], "FMNIST_DATA", "fmnist data fetch"):
        assert part in str(caught.value)
    assert not server.gets and set(os.listdir(raw)) <= set(NAMES)


@pytest.mark.parametrize("named", ["nowhere", "."])
def test_fmnist_data_without_the_files_is_an_error(small, monkeypatch, tmp_path, named):
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path / named))
    with pytest.raises(DataError, match="no file"):
        load_arrays()


def test_a_file_with_the_right_digest_and_the_wrong_array_is_refused(small, monkeypatch, files):
    wrong = idx(np.zeros((28, 28, TRAIN), np.uint8))
    fill(small, files | {NAMES[0]: wrong})
    monkeypatch.setitem(data.REGISTRY, NAMES[0], hashlib.sha256(wrong).hexdigest())
    with pytest.raises(DataError, match="IDX"):
        load_arrays("official")


# --- Many processes (R6, R7, R8) ---------------------------------------------------------------------------------------


def in_a_process(world: dict, variables: dict, folders: list[str], start, results, locks_work: bool) -> None:
    """Load from each folder in turn, all processes at the same moment."""
    os.environ.update(variables)
    for name, value in world.items():
        setattr(data, name, value)
    if not locks_work:
        import fcntl

        fcntl.flock = lambda *_: None
    for cache in folders:
        os.environ["FMNIST_CACHE"] = cache
        start.wait(300)
        try:
            loaded = load_arrays("official")
            results.put(hashlib.sha256(b"".join(array.tobytes() for array in loaded[:4])).hexdigest())
        except Exception as error:
            results.put(f"{type(error).__name__}: {error}")


@needs_fork
@pytest.mark.parametrize("locks_work", [True, False])
def test_eight_processes_at_once_download_each_file_once(mirror, files, arrays, tmp_path, locks_work):
    server, times = mirror(pause=0.01), 10 if locks_work else 4
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fmnist_utils.data", "pytest"])
    start, results = context.Barrier(8), context.Queue()
    world = use_these(files) | {"PATIENT": Limits(30, 30, 300)}
    folders = [str(tmp_path / f"cache{k}") for k in range(times)]
    variables = {name: os.environ[name] for name in ("FMNIST_MIRRORS", "NO_PROXY")}
    arguments = (world, variables, folders, start, results, locks_work)
    processes = [context.Process(target=in_a_process, args=arguments) for _ in range(8)]
    for process in processes:
        process.start()
    found = [results.get(timeout=300) for _ in range(8 * times)]
    for process in processes:
        process.join()
    right = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()
    assert set(found) == {right}
    assert not any(leftovers(Path(cache)) for cache in folders)
    if locks_work:
        assert len(server.gets) == 4 * times


@needs_fork
@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.nightly)])
def test_killed_at_any_moment_the_next_run_is_right(mirror, small, files, arrays, kills):
    mirror(pause=0.03)
    context = multiprocessing.get_context("forkserver")
    variables = {name: os.environ[name] for name in ("FMNIST_MIRRORS", "NO_PROXY")}
    moment = random.Random(0)
    for _ in range(kills):
        start, results = context.Barrier(2), context.Queue()
        arguments = (use_these(files), variables, [str(small)], start, results, True)
        process = context.Process(target=in_a_process, args=arguments)
        process.start()
        start.wait(300)
        time.sleep(moment.uniform(0, 0.4))
        process.kill()
        process.join()
        assert is_right(load_arrays("official"), arrays)
        data.fetch()
        (small / moment.choice(NAMES)).unlink()
    data.fetch()
    assert not leftovers(small)


def test_a_lock_that_is_never_given_up_ends_the_wait(mirror, small):
    import filelock

    mirror()
    small.mkdir()
    with filelock.FileLock(small / ".lock"), pytest.raises(DataError, match="Another process"):
        data.fetch(limits=Limits(1, 1, 0.3))


# --- The sets ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def loaded(small, files, arrays):
    fill(small, files)
    return {"train": arrays[NAMES[0]], "test": arrays[NAMES[2]]}


def pixels(split: data.Split) -> np.ndarray:
    return (split.images * 255).round().to(torch.uint8).squeeze(1).numpy()


def test_our_split_is_the_first_the_last_and_the_test_set(loaded):
    splits = load_fashion_mnist(val_size=40)
    assert np.array_equal(pixels(splits.train), loaded["train"][:-40])
    assert np.array_equal(pixels(splits.val), loaded["train"][-40:])
    assert np.array_equal(pixels(splits.test), loaded["test"])
    assert splits.train.images.dtype == torch.float32 and splits.train.images.shape == (160, 1, 28, 28)
    assert splits.train.labels.dtype == torch.int64 and splits.train.labels.tolist() == [k % 10 for k in range(160)]
    assert splits.train.images.min() == 0 and splits.train.images.max() == 1


def test_without_validation_all_training_images_train(loaded):
    splits = load_fashion_mnist(val_size=0)
    assert np.array_equal(pixels(splits.train), loaded["train"])
    assert splits.val.images.shape == (0, 1, 28, 28) and splits.val.labels.shape == (0,)


@pytest.mark.parametrize("val_from", ["train", "test"])
def test_a_random_split_is_the_one_of_pytorch(loaded, val_from):
    size = 40
    splits = load_fashion_mnist(val_size=size, val_from=val_from, split_seed=7)
    images = torch.from_numpy(loaded[val_from].copy())
    lengths = [len(images) - size, size] if val_from == "train" else [size, len(images) - size]
    parts = torch.utils.data.random_split(images, lengths, generator=torch.Generator().manual_seed(7))
    names = ("train", "val") if val_from == "train" else ("val", "test")
    for name, part in zip(names, parts):
        assert np.array_equal(pixels(getattr(splits, name)), images[part.indices].numpy())


def test_validation_may_be_cut_from_the_test_set(loaded):
    splits = load_fashion_mnist(val_size=50, val_from="test")
    assert np.array_equal(pixels(splits.train), loaded["train"])
    assert np.array_equal(pixels(splits.val), loaded["test"][:50])
    assert np.array_equal(pixels(splits.test), loaded["test"][50:])


def test_sizes_keep_the_first_of_each_set_and_leave_validation_alone(loaded):
    splits = load_fashion_mnist(val_size=40, train_size=30, test_size=20)
    assert np.array_equal(pixels(splits.train), loaded["train"][:30])
    assert np.array_equal(pixels(splits.val), loaded["train"][-40:])
    assert np.array_equal(pixels(splits.test), loaded["test"][:20])


def test_normalization(loaded):
    plain, normal = load_fashion_mnist(val_size=0), load_fashion_mnist(val_size=0, mean=0.5, std=0.25)
    assert torch.allclose(normal.test.images, (plain.test.images - 0.5) / 0.25)


# --- Arguments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "arguments, parts",
    [
        ({"source": "oficial"}, ["source", "'oficial'", "auto, official, synthetic", "'official'?"]),
        ({"source": None}, ["source", "None", "auto, official, synthetic"]),
        ({"val_from": "tset"}, ["val_from", "'tset'", "train, test", "'test'?"]),
        ({"val_size": 60_000}, ["val_size", "60000", "0", "59999"]),
        ({"val_size": -1}, ["val_size", "-1"]),
        ({"val_size": 0.5}, ["val_size", "0.5"]),
        ({"val_size": None}, ["val_size", "None"]),
        ({"val_size": True}, ["val_size", "True"]),
        ({"val_size": "10000"}, ["val_size", "'10000'"]),
        ({"val_size": 10_000, "val_from": "test"}, ["val_size", "10000", "9999"]),
        ({"train_size": 50_001}, ["train_size", "50001", "1", "50000"]),
        ({"train_size": 0}, ["train_size", "0", "1"]),
        ({"test_size": 1001, "val_from": "test", "val_size": 9000}, ["test_size", "1001", "1000"]),
        ({"split_seed": -1}, ["split_seed", "-1"]),
        ({"split_seed": "7"}, ["split_seed", "'7'"]),
        ({"mean": float("nan")}, ["mean", "nan", "-1", "1"]),
        ({"std": 0}, ["std", "0", "0.001"]),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_read(monkeypatch, lang, arguments, parts):
    set_language(lang)
    monkeypatch.setattr(data, "load_arrays", lambda source: pytest.fail("data were loaded"))
    with pytest.raises(UserError) as caught:
        load_fashion_mnist(**arguments)
    for part in (*parts, {"es": "Se admite", "en": "Allowed"}[lang]):
        assert part in str(caught.value)


def test_messages_are_in_the_language_of_the_reader(small, monkeypatch):
    monkeypatch.setenv("FMNIST_LANG", "es")
    with pytest.raises(DataError, match="esperado") as caught:
        load_arrays("official")
    assert "no se pudo descargar" in str(caught.value) and "ningún archivo" in str(caught.value)


# --- What the command line shows ---------------------------------------------------------------------------------------


def test_status_and_verify_tell_where_and_how_the_files_are(small, monkeypatch, files):
    flip(fill(small, files) / NAMES[3])
    assert data.status() == {
        "folder": str(small),
        "good": {name: name != NAMES[3] for name in NAMES},
        "offline": False,
        "mirrors": ["http://127.0.0.1:9/"],
    }
    checks = data.verify()
    assert [check["found"] == check["expected"] for check in checks.values()] == [True, True, True, False]
    monkeypatch.delenv("FMNIST_MIRRORS")
    assert data.status()["mirrors"] == list(data.MIRRORS)


# --- The official files (R12) ------------------------------------------------------------------------------------------


@needs_real_files
def test_the_official_data_are_the_right_data_without_a_network(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    arrays = load_arrays("official")
    assert arrays.train_images.shape == (60_000, 28, 28) and arrays.test_images.shape == (10_000, 28, 28)
    assert np.bincount(arrays.train_labels).tolist() == [6000] * 10
    assert np.bincount(arrays.test_labels).tolist() == [1000] * 10
    assert abs(arrays.train_images.mean() / 255 - 0.286041) < 1e-6


@needs_real_files
def test_the_arrays_are_those_of_torchvision(tmp_path):
    from torchvision.datasets import FashionMNIST
    from torchvision.transforms import ToTensor

    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for check in data.verify().values():
        with gzip.open(check["file"]) as packed, open(raw / Path(check["file"]).stem, "wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    arrays, splits = load_arrays("official"), load_fashion_mnist("official", val_size=0)
    for train, images, labels, split in (
        (True, arrays.train_images, arrays.train_labels, splits.train),
        (False, arrays.test_images, arrays.test_labels, splits.test),
    ):
        theirs = FashionMNIST(tmp_path, train=train, download=False, transform=ToTensor())
        assert np.array_equal(images, theirs.data.numpy()) and np.array_equal(labels, theirs.targets.numpy())
        assert torch.equal(split.labels, theirs.targets)
        assert all(torch.equal(split.images[k], theirs[k][0]) for k in range(0, len(theirs), 997))


@needs_real_files
def test_a_warm_load_is_quick():
    seconds = []
    for _ in range(3):
        start = time.process_time()
        load_fashion_mnist("official")
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1.5, "measured: 0.4 s on an idle machine; the bound is for busy ones"
