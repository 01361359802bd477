"""What the build does sooner where a process can be copied: kernels with their imports done, and steps side by side.

Nearly all that a page needs before its first cell is imports, some five seconds of processor time, the same for every page and
language. Here one process does them, and each kernel is a fork of it; what a page finds in its kernel is the same. Elsewhere than
on Linux, where a process with these libraries in it cannot be forked safely, kernels start as Jupyter starts them, and steps are
taken one after the other.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import TypeVar

T, S = TypeVar("T"), TypeVar("S")
AVAILABLE = sys.platform == "linux"
IMPORTED = [
    "IPython.display", "fmnist_utils.audit", "fmnist_utils.plots", "fmnist_utils.reports", "ipykernel.kernelapp", "pandas",
    "scipy.special", "torch._dynamo",  # which the first optimizer of torch.optim imports
]  # fmt: skip
LAUNCHER, INLINE = "ipykernel_launcher", "module://matplotlib_inline.backend_inline"
END_WITH_PARENT = 1  # PR_SET_PDEATHSIG, see prctl(2)


def side_by_side(step: Callable[[T], S], items: Iterable[T]) -> list[S]:
    """Return what ``step`` gives for each of ``items``, each in a copy of this process that runs beside the others."""
    items = list(items)
    if not AVAILABLE or len(items) < 2:
        return list(map(step, items))
    with ProcessPoolExecutor(len(items), get_context("fork"), _take, (step, items)) as pool:
        return list(pool.map(_step, range(len(items))))


def _take(*job) -> None:
    # A copy has what it needs already: no page is sent to it.
    global _job
    _job = job


def _step(number: int) -> object:
    step, items = _job
    return step(items[number])


class ForkServer:
    """The process that kernels are copies of; it ends with the ``with`` statement, and its copies with it."""

    def __enter__(self) -> ForkServer:
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._turn = threading.Lock()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.communicate()

    def fork(self, arguments: list[str], folder: str, environment: dict[str, str]) -> Fork:
        """Return a new kernel with these command-line arguments.

        Raises:
            RuntimeError: if the server has ended, as when it was killed for memory.
        """
        order = {"arguments": arguments, "folder": folder, "environment": environment}
        with self._turn:
            try:
                print(json.dumps(order), file=self._process.stdin, flush=True)
                return Fork(int(self._process.stdout.readline()))
            except (BrokenPipeError, ValueError):
                raise RuntimeError(f"the process that kernels are copies of has ended, with {self._process.poll()}") from None

    def kernel_manager(self) -> type:
        """Return the class with which nbclient starts a kernel here."""
        from jupyter_client import AsyncKernelManager

        class ForkedKernelManager(AsyncKernelManager):
            async def _async_launch_kernel(manager, kernel_cmd: list[str], **options) -> None:  # noqa: N805
                if LAUNCHER not in kernel_cmd:  # someone else's kernel goes by the name of ours
                    return await super()._async_launch_kernel(kernel_cmd, **options)
                arguments = kernel_cmd[kernel_cmd.index(LAUNCHER) + 1 :]
                fork = self.fork(arguments, str(options["cwd"]), options["env"])
                manager.provisioner.process, manager.provisioner.pid = fork, fork.pid
                manager._reconcile_connection_info(manager.provisioner.connection_info)

        return ForkedKernelManager


class Fork:
    """A kernel as Jupyter's provisioner handles one: what it asks of a ``Popen``."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int):
        self.pid = pid

    def poll(self) -> int | None:
        """Return None while the kernel lives. With what it ended only its parent knows, and nobody asks."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0

    def wait(self) -> int:
        while self.poll() is None:
            time.sleep(0.05)
        return 0

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def serve() -> None:
    """Import everything; then fork for each line of standard input, and answer with the number of the process."""
    sys.path.pop(0)  # the folder of this script; a page finds its modules elsewhere
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # else the first collection in a copy would write to every object, and so copy their memory
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the copies
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the build
    server = os.getpid()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            become_kernel(server, **json.loads(line))
            return
        print(pid, flush=True)


def become_kernel(server: int, arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """Run the kernel, as ``python -m ipykernel_launcher`` would."""
    import matplotlib
    import pandas
    from ipykernel.kernelapp import launch_new_instance

    os.setsid()
    ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != server:  # it ended just before
        return
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # its own was the answer's
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    # What both decide when they are imported, by whether that happens in a kernel.
    matplotlib.rcParams["backend"] = INLINE
    pandas.set_option("display.max_columns", 20)
    launch_new_instance(argv=arguments)


if __name__ == "__main__":
    serve()
