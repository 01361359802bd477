"""The commands that make runs: ``fmnist train``, ``reproduce``, ``sweep``, ``status``."""

from __future__ import annotations

import itertools
import json
import shlex
import signal
import sys
from contextlib import contextmanager, suppress
from fnmatch import fnmatch

import click

from fmnist_utils import settings
from fmnist_utils.text import UserError, nearest, say


def read_value(text: str):
    """Read a value as JSON (numbers, lists, true, null) or as Python's True, False and None.

    Anything else is a string.
    """
    constants = {"True": True, "False": False, "None": None}
    if text in constants:
        return constants[text]
    for read in (json.loads, int, float):  # .001 and +1 are not JSON
        with suppress(ValueError):
            return read(text)
    return text


def by_name(changes):
    """Return the pairs of a name and a value that were given, if no name stands twice.

    Raises:
        UserError: if one is.
    """
    names = [name for name, _ in changes]
    for name in names:
        if names.count(name) > 1:
            raise UserError("cli.twice", name=name)
    return changes


@contextmanager
def stoppable():
    """End training, with a message, at Ctrl-C, SIGTERM or SIGUSR1.

    SLURM sends SIGUSR1 before its time limit. The program then exits with 130 (Ctrl-C) or 143.
    """

    def stop(number, frame):
        command = f"{settings.command('fmnist')} {shlex.join(sys.argv[1:])}"
        told = say("cli.interrupted", command=command)
        click.echo(f"\n{told}", err=True)
        sys.exit(130 if number == signal.SIGINT else 143)

    known = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGUSR1"):  # Windows has none
        known.append(signal.SIGUSR1)
    before = {number: signal.signal(number, stop) for number in known}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command()
@click.argument("report")
@click.argument("group")
@click.option(
    "--protocol",
    default="ours",
    show_default=True,
    help="A protocol of the report: theirs or ours.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field: --set num_epochs=5 --set model.dropout=0.",
)
@click.option("--device", default="auto", show_default=True)
@click.option("--threads", type=click.IntRange(1), help="CPU threads (default: PyTorch's).")
def train(report, group, protocol, seed, changes, device, threads):
    """Train, resume or load one run of REPORT's GROUP and print its record's metrics."""
    from fmnist_utils.audit.schema import load_report
    from fmnist_utils.workshop.engine import train as train_recipe
    from fmnist_utils.workshop.store import RunStore

    pairs = []
    for change in changes:
        field, equals, value = change.partition("=")
        if not equals:
            raise UserError("cli.not_a_change", given=change)
        pairs.append((field, read_value(value)))
    overrides = dict(by_name(pairs))
    recipe = load_report(report).recipe(group, protocol, seed).but(overrides)
    _warn_of_bfloat16([] if RunStore().find(recipe) else [recipe], device)
    with stoppable():
        run = train_recipe(recipe, device=device, threads=threads)
    result = {"id": run.id, **run.metrics, "weights_sha256": run.record.weights_sha256}
    click.echo(json.dumps(result, indent=1))


def read_part(context, parameter, value):
    """Return (k, n) of ``k/n``, a part of an array of jobs."""
    if value is None:
        return None
    number, _, total = value.partition("/")
    if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
        raise UserError("many.bad_part", given=value)
    return int(number), int(total)


STORE = click.option(
    "--store",
    "root",
    type=click.Path(),
    help="The folder of the runs (default: FMNIST_RUNS, else the cache).",
)


def many_options(command):
    """Add the options of the commands that make many runs."""
    jobs = "Runs side by side (default: one for each core; on a GPU, one)."
    scheduler = "A Dask scheduler that makes the runs: tcp://host:8786, or its file (.json)."
    part = "Make only part K of N, for an array of jobs: --part 3/40."
    dry_run = "Only say what there is to do and how long it would take."
    options = [
        click.option("--jobs", type=click.IntRange(1), help=jobs),
        click.option("--scheduler", metavar="ADDRESS", help=scheduler),
        click.option("--part", callback=read_part, metavar="K/N", help=part),
        STORE,
        click.option("--dry-run", is_flag=True, help=dry_run),
        click.option("--device", default="auto", show_default=True),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("targets", nargs=-1)
@many_options
def reproduce(targets, jobs, scheduler, part, root, dry_run, device):
    """Make every missing run of TARGETS, or of all reports, and publish the records.

    A target is a report (05), a group of it (05/winner), of one protocol (05/juan.theirs), or
    several groups ("05/split_cnn_*"), whose first seeds come first. Targets are made in their
    order. Interrupted, it goes on where it was. Runs meant for a GPU are made where there is one.
    Without TARGETS, also the yardsticks of reconstruction and the search for images that come
    twice, where they are missing; of page 09, what its errors print with other seeds.
    """
    from fmnist_utils.audit import planted, quality, yardsticks
    from fmnist_utils.audit.schema import report_names
    from fmnist_utils.training import pick_device
    from fmnist_utils.workshop.many import take_part
    from fmnist_utils.workshop.planted import publish_planted
    from fmnist_utils.workshop.quality import publish_quality
    from fmnist_utils.workshop.store import RunStore
    from fmnist_utils.workshop.yardsticks import publish_yardsticks

    store, gpu = RunStore(root), pick_device(device).type == "cuda"
    wanted = [_recipes_of(target, gpu) for target in targets or report_names()]
    every = list(dict.fromkeys(recipe for _, recipes in wanted for recipe in recipes))
    mine = set(take_part(every, *part) if part else every)
    owners = {}  # recipe → the reports that miss its record
    for report, recipes in wanted:
        asked = [recipe for recipe in recipes if recipe in mine]
        missing = [recipe for recipe in asked if not report.is_published(recipe, store)]
        click.echo(say("cli.plan", report=report.id, total=len(asked), missing=len(missing)))
        for recipe in missing:
            owners.setdefault(recipe, []).append(report)

    def keep(run):
        for report in owners[run.recipe]:
            path = report.publish(run, store)
            click.echo(say("cli.published", file=path.name, seconds=run.record.seconds))

    _make(list(owners), store, jobs, scheduler, device, dry_run, weights=True, on_run=keep)
    first = part is None or part[0] == 1
    everything = first and not (targets or dry_run)
    if everything and not yardsticks.find(store):
        click.echo(say("cli.yardsticks", file=publish_yardsticks(store).name))
    if everything and not quality.find(store):
        click.echo(say("cli.quality", file=publish_quality(store).name))
    asks_for_planted = any(report.id == planted.REPORT for report, _ in wanted)
    missing_planted = not (store.results / planted.NAME).exists()
    if first and not dry_run and asks_for_planted and missing_planted:
        click.echo(say("cli.planted", file=publish_planted(store).name))


def _recipes_of(target, gpu):
    """Return the report that ``target`` names and the recipes that it asks for."""
    from fmnist_utils.audit.schema import load_report

    name, _, pattern = target.partition("/")
    report = load_report(name)
    groups = report.all_recipes(gpu)
    if not pattern:
        return report, [recipe for recipes in groups.values() for recipe in recipes]
    chosen = [
        recipes
        for group, recipes in groups.items()
        if fnmatch(group, pattern) or fnmatch(group.rpartition(".")[0], pattern)
    ]
    if not chosen:
        hint = nearest(pattern, report.groups)
        allowed = ", ".join(report.groups)
        raise UserError("reports.unknown", given=pattern, allowed=allowed, hint=hint)
    rounds = itertools.zip_longest(*chosen)
    return report, [recipe for one_of_each in rounds for recipe in one_of_each if recipe]


@click.command()
@click.argument("targets", nargs=-1, required=True)
def witness(targets):
    """Make the first run of each of TARGETS (05/juan.theirs) again, and note how far it is.

    The record stays as it is. What was found is kept in reports/witnesses.json, one entry a group.
    """
    from fmnist_utils.audit.scrutiny import WITNESSES
    from fmnist_utils.workshop.store import RunStore
    from fmnist_utils.workshop.witness import keep, make_again

    store = RunStore()
    for target in targets:
        report, recipes = _recipes_of(target, gpu=False)
        recorded = store.find(recipes[0])
        if recorded is None:
            raise UserError("reports.no_records", group=target, protocol="theirs", report=report.id)
        with stoppable():
            entry = make_again(report, recorded)
        keep(entry, store.results / WITNESSES)
        click.echo(say("witness.made", **entry))


@click.command()
@click.argument("plan", type=click.Path())
@many_options
def sweep(plan, jobs, scheduler, part, root, dry_run, device):
    """Make the missing runs of PLAN (a YAML file). Interrupted, it goes on where it was."""
    from fmnist_utils.training import pick_device
    from fmnist_utils.workshop.many import take_part
    from fmnist_utils.workshop.plans import longest_first, read_plan
    from fmnist_utils.workshop.store import RunStore

    store, recipes = RunStore(root), read_plan(plan)
    recipes = take_part(recipes, *part) if part else recipes
    missing = [recipe for recipe in recipes if not store.finished(recipe)]
    click.echo(say("many.plan", total=len(recipes), missing=len(missing)))
    missing = longest_first(missing, store, pick_device(device).type)
    _make(missing, store, jobs, scheduler, device, dry_run)
    if not dry_run:
        click.echo(say("many.finished", total=len(recipes)))


def _make(missing, store, jobs, scheduler, device, dry_run, **options):
    """Say what the missing runs will cost, and make them unless it is only for that."""
    from fmnist_utils.training import pick_device
    from fmnist_utils.workshop.machine import default_jobs
    from fmnist_utils.workshop.many import make_all
    from fmnist_utils.workshop.plans import estimate

    if jobs and scheduler:
        raise UserError("many.jobs_or_scheduler")
    _warn_of_bfloat16(missing, device)
    place = pick_device(device)
    seconds = estimate(missing, store, place.type)
    known = [one for one in seconds if one is not None]
    if len(known) < len(missing):
        click.echo(say("many.unknown_cost", unknown=len(missing) - len(known)))
    if known:
        click.echo(say("many.cost", runs=len(known), alone=_duration(sum(known))))
    if known and not scheduler:
        hands = jobs or default_jobs(place)
        least = max(sum(known) / hands, max(known))
        click.echo(say("many.cost_together", jobs=hands, least=_duration(least)))
    if not dry_run:
        with stoppable():
            make_all(missing, jobs=jobs, scheduler=scheduler, store=store, device=device, **options)


def _warn_of_bfloat16(recipes, device):
    """Say how many runs multiply in bfloat16 where PyTorch imitates it.

    They take many times as long as their records say.
    """
    from fmnist_utils.training import pick_device
    from fmnist_utils.workshop.fast import emulates_bfloat16

    count = sum(recipe.precision == "bfloat16" for recipe in recipes)
    if count and emulates_bfloat16(pick_device(device)):
        click.echo(say("cli.slow_bfloat16", count=count), err=True)


def _duration(seconds):
    """Return a time in words, to the precision that an estimate has."""
    if seconds >= 172_800:
        return say("many.days", count=seconds / 86_400)
    if seconds >= 5400:
        return say("many.hours", count=seconds / 3600)
    if seconds >= 90:
        return say("many.minutes", count=seconds / 60)
    return say("many.seconds", count=seconds)


@click.command()
@click.argument("plan", type=click.Path(), required=False)
@STORE
@click.option(
    "--all", "everything", is_flag=True, help="Show what is done and what waits too, run by run."
)
def status(plan, root, everything):
    """Show how the runs of PLAN stand; without it, those of all reports."""
    from fmnist_utils.workshop.many import STATES, describe, standing_of
    from fmnist_utils.workshop.plans import read_plan
    from fmnist_utils.workshop.store import RunStore

    store = RunStore(root)
    if root and not store.root.is_dir():
        raise UserError("many.no_store", folder=str(store.root))
    recipes = read_plan(plan) if plan else _recipes_of_all_reports()
    standing = {recipe: standing_of(recipe, store) for recipe in recipes}
    click.echo(say("many.store", folder=store.root))
    for state in STATES:
        in_state = {recipe: at for recipe, at in standing.items() if at.state == state}
        click.secho(f"{len(in_state):6}  {say(f'many.{state}')}", bold=bool(in_state))
        if not (everything or state in ("running", "failed")):
            continue
        for recipe, at in in_state.items():
            epochs = f"{at.epochs}/{recipe.num_epochs}"
            reason = next(iter(at.reason.splitlines()), "")
            line = f"        {recipe.id[:12]}  {epochs:>7}  {describe(recipe)}  {reason}"
            click.echo(line.rstrip())
    if any(at.state == "failed" for at in standing.values()):
        click.echo(say("many.details"))


def _recipes_of_all_reports():
    """Return the recipes of all reports, each once."""
    from fmnist_utils.audit.schema import load_report, report_names

    reports = map(load_report, report_names())
    return list(dict.fromkeys(recipe for report in reports for recipe in report.every_recipe()))
