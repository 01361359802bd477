"""The world of the download tests: small files as the published ones, mirrors that misbehave."""

import gzip
import hashlib
import http.server
import os
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from fmnist_utils import data
from fmnist_utils.data import IdxFile, load_arrays
from fmnist_utils.workshop import download
from fmnist_utils.workshop.download import Limits

NAMES = [f"{name}.gz" for name in data.OFFICIAL_FILES]
LIMITS = Limits(10, 60, 300)  # seconds: a machine may be busy with other things
TRAIN, TEST = 200, 60


def idx(array: np.ndarray) -> bytes:
    return gzip.compress(
        struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes(), mtime=0
    )


def idx_array(content: bytes) -> np.ndarray:
    content = gzip.decompress(content)
    dimensions = content[3]
    shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    pixels = {n: rng.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (TRAIN, TEST)}
    labels = {n: (np.arange(n) % 10).astype(np.uint8) for n in (TRAIN, TEST)}
    return dict(zip(NAMES, (pixels[TRAIN], labels[TRAIN], pixels[TEST], labels[TEST])))


@pytest.fixture(scope="module")
def files(arrays) -> dict[str, bytes]:
    return {name: idx(array) for name, array in arrays.items()}


def use_these(files: dict[str, bytes]) -> None:
    """Have the package take ``files`` for the published ones."""
    for name, content in files.items():
        unpacked = gzip.decompress(content)
        digest = hashlib.sha256(unpacked).hexdigest()
        data.OFFICIAL_FILES[name.removesuffix(".gz")] = IdxFile(idx_array(content).shape, digest)
        download.PACKED_SHA256[name] = hashlib.sha256(content).hexdigest()
    download.fetch.__defaults__ = (None, LIMITS)


@pytest.fixture
def small(monkeypatch, tmp_path, files):
    """A world in which the small files are the published ones, with no cache and no mirror."""
    monkeypatch.setattr(data, "OFFICIAL_FILES", dict(data.OFFICIAL_FILES))
    monkeypatch.setattr(download, "OFFICIAL_FILES", data.OFFICIAL_FILES)
    monkeypatch.setattr(download, "PACKED_SHA256", dict(download.PACKED_SHA256))
    monkeypatch.setattr(download.fetch, "__defaults__", download.fetch.__defaults__)
    use_these(files)
    for name in ("FMNIST_DATA", "FMNIST_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FMNIST_MIRRORS", "http://127.0.0.1:9/")  # nobody listens there
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("FMNIST_CACHE", str(tmp_path / "small"))
    return tmp_path / "small"


def fetch_and_load() -> tuple[np.ndarray, ...]:
    """Download what is missing and load the official data, as the engine does."""
    download.fetch_if_missing()
    return load_arrays("official")


class Mirror(http.server.ThreadingHTTPServer):
    """Serves ``files``; ``faults`` says what goes wrong with a name (``None``: with each)."""

    daemon_threads = True

    def __init__(self, files, fault=None, pause=0.0):
        self.files = files
        self.faults = {}
        self.pause = pause
        self.gets = []
        self.closing = threading.Event()
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


WRONG = {
    "html": lambda content: b"<html>Welcome to our network. Please log in.</html>",
    "empty": lambda content: b"",
    "bit": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "short": lambda content: content[:-20],
    "foreign": lambda content: idx(~idx_array(content)),  # the same form, other images: MNIST, say
}


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
            self.server.closing.wait(600)
            return
        body = WRONG[fault](content) if fault in WRONG else content
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if isinstance(fault, float):  # the connection is cut after this share
            body = body[: int(len(body) * fault)]
        if fault == "stall":
            self.wfile.write(body[: len(body) // 2])
            self.server.closing.wait(600)
        elif fault == "drip":
            for byte in body:
                self.wfile.write(bytes([byte]))
                if self.server.closing.wait(1):
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


def is_right(loaded: tuple[np.ndarray, ...], arrays: dict[str, np.ndarray]) -> bool:
    return all(map(np.array_equal, loaded, arrays.values()))


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in (*NAMES, ".lock"))


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def truncate(path: Path):
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path):
    path.write_bytes(b"")


def flip(path: Path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def another(path: Path):
    """Make it a whole file, of the right form, with one pixel or label changed."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    path.write_bytes(gzip.compress(content))


def swap(path: Path):
    other = path.with_name(NAMES[(NAMES.index(path.name) + 2) % 4])
    path.write_bytes(other.read_bytes())


def folder(path: Path):
    path.unlink()
    (path / "inside").mkdir(parents=True)


def remove(path: Path):
    path.unlink()


DAMAGES = [truncate, empty, flip, another, swap, folder, remove]


def in_a_process(
    files: dict, variables: dict, folders: list[str], start, results, locks_work: bool
) -> None:
    """Fetch and load into each folder in turn, all processes at the same moment."""
    os.environ.pop("FMNIST_DATA", None)  # the process that starts these may have it
    os.environ.update(variables)
    use_these(files)
    if not locks_work:
        import fcntl

        fcntl.flock = lambda *_: None
    for cache in folders:
        os.environ["FMNIST_CACHE"] = cache
        start.wait(300)
        try:
            content = b"".join(array.tobytes() for array in fetch_and_load())
            results.put(hashlib.sha256(content).hexdigest())
        except Exception as error:
            results.put(f"{type(error).__name__}: {error}")


@pytest.fixture
def load_at_once(forks, files, mirror):
    """Let several processes load from the same empty caches; return what each found in each."""

    def load(count: int, folders: list[str], locks_work: bool = True) -> list[str]:
        variables = {name: os.environ[name] for name in ("FMNIST_MIRRORS", "NO_PROXY")}
        start, results = forks.Barrier(count), forks.Queue()
        arguments = (files, variables, folders, start, results, locks_work)
        processes = [forks.Process(target=in_a_process, args=arguments) for _ in range(count)]
        for process in processes:
            process.start()
        found = [results.get(timeout=300) for _ in range(count * len(folders))]
        for process in processes:
            process.join()
        return found

    return load
