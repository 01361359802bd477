"""What the build does faster where a process can be copied: kernels with their imports done, and steps side by side.

Nearly all that a page needs before its first cell is imports, some five seconds of processor time, the same for every page and
language. On Linux one process does them, and each kernel is a fork of it, in which a page finds what it finds in any other. On
other systems a process that has loaded these libraries cannot be forked safely: there kernels start as Jupyter starts them, and
steps are taken one after the other.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
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


def has_handles() -> bool:
    """Return whether Linux and this Python can hold on to a process that is not a child; conda's Python 3.11 cannot."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return hasattr(signal, "pidfd_send_signal")


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


class Kernels:
    """Starts the kernels of a build; those that are left end with the ``with`` statement.

    Args:
        copied: where that is possible, have them be copies of one process, which pays when there are more than a few.
    """

    def __init__(self, copied: bool = True):
        self.copied = copied and AVAILABLE and has_handles()
        self._server: ForkServer | None = None
        self._ended = False
        self._started: list[Fork | subprocess.Popen] = []

    def __enter__(self) -> Kernels:
        if self.copied:
            self._server = ForkServer()
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        try:
            for kernel in self._started:
                if kernel.poll() is None:
                    kernel.kill()
        finally:
            if self._server:
                self._server.close()

    def manager(self) -> type:
        """Return the class with which nbclient starts a kernel here."""
        from jupyter_client import AsyncKernelManager

        class Manager(AsyncKernelManager):
            async def _async_launch_kernel(manager, kernel_cmd: list[str], **options) -> None:  # noqa: N805
                if self._ended:
                    raise KernelsEnded("the build was interrupted")
                ours = (
                    kernel_cmd[0] == sys.executable and LAUNCHER in kernel_cmd
                )  # a user's “python3” may be another one
                if self._server and ours:
                    arguments = kernel_cmd[kernel_cmd.index(LAUNCHER) + 1 :]
                    fork = self._server.fork(arguments, str(options["cwd"]), options["env"])
                    (
                        manager.provisioner.process,
                        manager.provisioner.pid,
                        manager.provisioner.pgid,
                    ) = fork, fork.pid, fork.pid
                    manager._reconcile_connection_info(manager.provisioner.connection_info)
                else:
                    await super()._async_launch_kernel(kernel_cmd, **options)
                self._started.append(manager.provisioner.process)
                if self._ended:  # meanwhile
                    manager.provisioner.process.kill()

        return Manager


class ForkServer:
    """The process that kernels are copies of."""

    def __init__(self):
        # One thread for NumPy's products, because Python 3.12 warns when a process with several is forked.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        command, pipe = [sys.executable, __file__], subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, env=environment
        )
        self._turn = threading.Lock()

    def fork(self, arguments: list[str], folder: str, environment: dict[str, str]) -> Fork:
        """Return a new kernel with these command-line arguments.

        Raises:
            KernelsEnded: if the server has ended, as when it was killed for memory.
        """
        order = {"arguments": arguments, "folder": folder, "environment": environment}
        with self._turn:
            try:
                print(json.dumps(order), file=self.process.stdin, flush=True)
                answer = self.process.stdout.readline()
            except BrokenPipeError:
                answer = ""
            if not answer:
                raise KernelsEnded(
                    f"the process that kernels are copies of has ended, with {self.process.wait(timeout=10)}"
                )
            return Fork(int(answer))

    def close(self) -> None:
        """End the server, and with it the copies that are left."""
        self.process.terminate()
        self.process.communicate()


class KernelsEnded(RuntimeError):
    """No more kernels can be started."""


class Fork:
    """A kernel as Jupyter's provisioner handles one: what it asks of a ``Popen``.

    The process is not a child of this one, so that its number might be another's by now; what is held on to is Linux's handle.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int):
        self.pid, self._handle = pid, None
        with contextlib.suppress(ProcessLookupError):  # ended already
            self._handle = os.pidfd_open(pid)

    def poll(self, seconds: float = 0) -> int | None:
        """Return None while the kernel lives, waiting for its end so long. With what it ended only its parent knows."""
        if self._handle is None or select.select([self._handle], [], [], seconds)[0]:
            return 0
        return None

    def wait(self) -> int:
        while self.poll(seconds=1) is None:
            pass
        return 0

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def __del__(self):  # not before: a page's thread and the build's may both be asking
        if self._handle is not None:
            os.close(self._handle)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def serve() -> None:
    """Import everything; then fork for each line of standard input, and answer with the number of the process."""
    sys.path.pop(0)  # the folder of this script; a page finds its modules elsewhere
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an import may print is no answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the build
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # else the first collection in a copy would write to every object, and so copy their memory
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the copies
    server = os.getpid()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            answers.close()
            become_kernel(server, **json.loads(line))
            return
        print(pid, file=answers, flush=True)


def become_kernel(
    server: int, arguments: list[str], folder: str, environment: dict[str, str]
) -> None:
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
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    # What both decide when they are imported, by whether that happens in a kernel.
    matplotlib.rcParams["backend"] = INLINE
    pandas.set_option("display.max_columns", 20)
    launch_new_instance(argv=arguments)


if __name__ == "__main__":
    serve()
