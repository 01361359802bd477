"""Many runs: side by side on this machine, on the workers of a Dask scheduler, or in a job array.

Whoever starts a run has it made by a process of its own (:mod:`fmnist_utils.workshop.one_run`), on
one thread: a run that crashes takes no other with it, and goes on from its last epoch. Dask hands
the runs out to the threads that start those processes, on one machine or on many; one run at a time
needs no Dask. What makes it safe to start the same runs twice, one after the other or at once, is
the run store: a record is published whole or not at all, one process at a time works in the folder
of a run, and whoever comes second finds the record.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from fmnist_utils.audit.recipes import Recipe
from fmnist_utils.audit.records import Run
from fmnist_utils.text import Failure, UserError, get_language, say
from fmnist_utils.training import pick_device, progress_bar
from fmnist_utils.workshop.checkpoints import PROGRESS
from fmnist_utils.workshop.machine import default_jobs
from fmnist_utils.workshop.one_run import Outcome, children, make_run
from fmnist_utils.workshop.store import LOCK, Busy, RunStore

STATES = ("done", "running", "failed", "waiting")


def make_all(
    recipes: Sequence[Recipe],
    *,
    jobs: int | None = None,
    scheduler: Any = None,
    store: RunStore | None = None,
    device: str = "auto",
    weights: bool = False,
    progress: bool | None = None,
    on_run: Callable[[Run], None] | None = None,
) -> list[Run]:
    """Return the runs of ``recipes``, in their order; those that are missing are made.

    It can be stopped at any time and started again, also several times at once on one store.

    Args:
        jobs: how many runs go on side by side on this machine; None means one for each core, or one
            on a GPU.
        scheduler: in place of ``jobs``, a Dask scheduler: its address, the file (``….json``) in
            which it left its address, or a cluster object. Its workers must see the store.
        weights: as in :func:`fmnist_utils.workshop.engine.train`.
        progress: as in :func:`fmnist_utils.training.fit`.
        on_run: called with each run as it is finished, or found.

    Raises:
        UserError: if Dask is needed and missing, or its scheduler cannot be reached.
        Failure: after all others have finished, if some runs failed; with the reason of each.
    """
    store = store or RunStore()
    found: dict[Recipe, Run] = {}

    def look_for(recipe: Recipe) -> None:
        _refresh(store, recipe)
        if run := store.finished(recipe, weights):
            found[recipe] = run
            if on_run:
                on_run(run)

    wanted = list(dict.fromkeys(recipes))
    for recipe in wanted:
        look_for(recipe)
    missing = [recipe for recipe in wanted if recipe not in found]
    tasks = with_encoders(missing, store, weights)
    jobs = min(jobs or default_jobs(pick_device(device)), len(tasks))
    failures: dict[Recipe, str] = {}
    with progress_bar(len(tasks), show=progress if tasks else False) as bar:
        bar.set_description(say("many.runs"))
        for recipe, outcome in carry_out(tasks, store, device, jobs, scheduler):
            bar.update()
            if outcome["state"] == "failed":
                failures[recipe] = outcome["reason"]
            elif recipe in missing:
                look_for(recipe)
                if recipe not in found:
                    failures[recipe] = say("many.not_seen", folder=str(store.folder(recipe)))
    if failures:
        raise _some_failed(failures, total=len(tasks))
    return [found[recipe] for recipe in recipes]


def _refresh(store: RunStore, recipe: Recipe) -> None:
    """Have a network drive ask its server what is new in the folder of ``recipe``."""
    for folder in (store.root, store.folder(recipe)):
        with suppress(OSError):
            os.scandir(folder).close()


def _some_failed(failures: dict[Recipe, str], total: int) -> Failure:
    """Return the error that lists the runs that failed, each with its reason."""
    lines = [f"{run.id[:12]} ({describe(run)}): {reason}" for run, reason in failures.items()]
    values = {"failed": len(failures), "total": total, "details": "\n".join(lines)}
    return Failure("many.some_failed", **values)


def with_encoders(
    recipes: Iterable[Recipe], store: RunStore, weights: bool = False
) -> dict[Recipe, bool]:
    """Return what to make, in an order in which it can be made, and whether its weights are needed.

    Before a recipe that starts from the encoder of another run comes that run, if it is missing.
    """
    tasks: dict[Recipe, bool] = {}
    for recipe in recipes:
        chain = [recipe]
        while (source := chain[0].encoder_from) and not store.finished(source, weights=True):
            chain.insert(0, source)
        for source in chain[:-1]:
            tasks[source] = True
        tasks[recipe] = weights or tasks.get(recipe, False)
    return tasks


def take_part(recipes: Sequence[Recipe], number: int, total: int) -> list[Recipe]:
    """Return part ``number`` (from 1) of ``total`` parts of nearly equal size, always the same."""
    return list(recipes[number - 1 :: total])


# --- Handing the runs out ----------------------------------------------------------------------


def carry_out(
    tasks: dict[Recipe, bool], store: RunStore, device: str, jobs: int, scheduler: Any
) -> Iterator[tuple[Recipe, Outcome]]:
    """Make the runs of ``tasks`` and yield each with its outcome, done or failed, as it ends.

    What another process is making is left for the end; only then is it waited for. When a
    scheduler was lost, what it had not told yet is handed out again.
    """
    wait, patience = False, 30.0
    while tasks:
        orders = {
            recipe: {
                "recipe": json.loads(recipe.canonical_json),
                "weights": needs_weights,
                "root": str(store.root.resolve()),
                "results": str(store.results.resolve()),
                "device": device,
                "wait": wait,
                "lang": get_language(),
            }
            for recipe, needs_weights in tasks.items()
        }
        states = {}
        with ExitStack() as opened:
            if scheduler is None and jobs == 1:
                opened.enter_context(children())
                outcomes = in_turn(orders)
            else:
                outcomes = on_dask(orders, opened.enter_context(connect(scheduler, jobs, patience)))
            for recipe, outcome in outcomes:
                states[recipe] = outcome["state"]
                if outcome["state"] in ("done", "failed"):
                    yield recipe, outcome
        tasks = {
            recipe: needs_weights
            for recipe, needs_weights in tasks.items()
            if states[recipe] in ("busy", "lost")
        }
        wait = "lost" not in states.values()
        patience = 600.0


def in_turn(orders: dict[Recipe, dict]) -> Iterator[tuple[Recipe, Outcome]]:
    """Carry out the orders one after the other, and yield the outcome of each."""
    outcomes: dict[Recipe, Outcome] = {}
    for recipe, order in orders.items():
        outcomes[recipe] = make_run(order, outcomes.get(recipe.encoder_from))
        yield recipe, outcomes[recipe]


def on_dask(orders: dict[Recipe, dict], client: Any) -> Iterator[tuple[Recipe, Outcome]]:
    """Have the workers of ``client`` carry out the orders, and yield the outcomes as they come."""
    from distributed import CancelledError, as_completed

    futures: dict[Recipe, Any] = {}
    for recipe, order in orders.items():
        source = futures.get(recipe.encoder_from)
        futures[recipe] = client.submit(make_run, order, source, pure=False)
    recipes = {future.key: recipe for recipe, future in futures.items()}
    for future in as_completed(futures.values()):
        try:
            outcome = future.result()
        except (CancelledError, OSError):
            outcome = {"state": "lost"}
        except Exception as error:  # the worker has not our package, or died time and again
            outcome = {"state": "failed", "reason": f"{type(error).__name__}: {error}"}
        yield recipes[future.key], outcome


@contextmanager
def connect(scheduler: Any, jobs: int, patience: float) -> Iterator[Any]:
    """Give a client of ``scheduler`` or, where there is none, of one here with ``jobs`` threads.

    Raises:
        UserError: if Dask is missing, or the scheduler does not answer for ``patience`` seconds.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise UserError("many.no_dask") from None
    with ExitStack() as opened:
        if scheduler is None:
            # Threads will do: each has a process of its own for its runs. Nobody else is let in.
            here = dict.fromkeys(("dashboard_address", "worker_dashboard_address"), "127.0.0.1:0")
            how = {"n_workers": 1, "threads_per_worker": jobs, "processes": False}
            # A laptop may sleep for days; Dask would give its worker up, and wait for ever.
            how["scheduler_kwargs"] = {"worker_ttl": "365 days"}
            scheduler = LocalCluster(**how, **here, memory_limit=0, silence_logs=logging.ERROR)
            opened.enter_context(scheduler)
            opened.enter_context(children())
        try:
            if str(scheduler).endswith(".json"):
                scheduler = json.loads(Path(scheduler).read_bytes())["address"]
            client = opened.enter_context(Client(scheduler, timeout=patience))
        except (OSError, ValueError, LookupError) as error:
            told = {"address": str(scheduler), "reason": str(error)}
            raise UserError("many.no_scheduler", **told) from error
        if not client.scheduler_info()["workers"]:
            print(say("many.no_workers", address=str(scheduler)), file=sys.stderr, flush=True)
        yield client


# --- How the runs stand ------------------------------------------------------------------------


class Standing(NamedTuple):
    """How a run stands: one of ``STATES``, after how many epochs, and why it failed."""

    state: str
    epochs: int
    reason: str = ""


def standing_of(recipe: Recipe, store: RunStore) -> Standing:
    """Return how the run of ``recipe`` stands in ``store``."""
    folder = store.folder(recipe)
    try:
        if store.find(recipe):
            return Standing("done", recipe.num_epochs)
    except UserError as error:  # a damaged record
        return Standing("failed", 0, str(error))
    epochs = _read(folder / PROGRESS, lambda progress: len(progress["entries"][-1]["rows"])) or 0
    if (folder / LOCK).exists():
        try:
            with store.alone(folder, wait=False):
                pass
        except Busy:
            return Standing("running", epochs)
        except UserError:  # a store that may only be read
            pass
    reason = _read(folder / "failed.json", lambda failure: failure["error"])
    return Standing("failed", epochs, reason) if reason else Standing("waiting", epochs)


def _read(path: Path, take: Callable[[Any], Any]) -> Any:
    """Return what ``take`` takes of the JSON in a file; None if it is not there, or not whole."""
    try:
        return take(json.loads(path.read_bytes()))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def describe(recipe: Recipe) -> str:
    """Return in a few words which run a recipe is."""
    data = recipe.data
    return f"{recipe.model.name} {data.source} seed={recipe.seed} fold={data.fold}"
