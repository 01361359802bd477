"""The command line: ``fmnist data``, ``run``, ``train``, ``reproduce``, ``sweep``, ``status``, ``audit``, ``lab``, ``doctor``.

The modules that load PyTorch are imported inside the commands, so that help and refusals come at once.
"""

from __future__ import annotations

import itertools
import json
import os
import shlex
import signal
import sys
import time
from contextlib import contextmanager
from fnmatch import fnmatch

import click

from fmnist_utils.text import (
    LANGUAGES,
    Failure,
    UserError,
    get_language,
    nearest,
    say,
    set_language,
)


class Group(click.Group):
    """A group of commands that shows a reader's mistake as one message, without a traceback, and exits with 2.

    With 1, if it was allowed and failed when it ran.
    """

    def invoke(self, context):
        try:
            return super().invoke(context)
        except UserError as error:
            click.echo(str(error), err=True)
            sys.exit(1 if isinstance(error, Failure) else 2)


def choose_language(context, parameter, value):
    """Set the language as soon as the option is read, so that later messages are in it."""
    if value:
        set_language(value)


@contextmanager
def stoppable():
    """Have Ctrl-C, SIGTERM and the USR1 that SLURM sends before its limit end training with 130 or 143 and a next step."""

    def stop(number, frame):
        click.echo(
            "\n" + say("cli.interrupted", command=shlex.join(["fmnist", *sys.argv[1:]])), err=True
        )
        sys.exit(130 if number == signal.SIGINT else 143)

    names = [
        name for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)
    ]  # Windows has no USR1
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


@click.group(
    cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    callback=choose_language,
    is_eager=True,
    expose_value=False,
    help="Language of messages and tables (default: FMNIST_LANG, else es).",
)
@click.version_option(package_name="fmnist-utils")
def main():
    """Fashion-MNIST course companion: data, training runs and the audit of the reports."""


@main.group()
def data():
    """The data set: where it is, fetch it, verify it."""


@data.command("status")
def data_status():
    """Show where the four official files are looked for, and which are there."""
    from fmnist_utils.workshop.download import status

    state = status()
    click.echo(say("cli.data_folder", folder=state["folder"]))
    for name, good in state["good"].items():
        click.echo(f"  {say('cli.good' if good else 'cli.bad')}  {name}")
    if not all(state["good"].values()):
        click.echo(say("cli.data_offline" if state["offline"] else "cli.data_next"))


@data.command("fetch")
def data_fetch():
    """Download what is missing or damaged in the cache, checked against the published SHA-256."""
    from fmnist_utils.workshop.download import fetch

    def show(name, size):
        if sys.stderr.isatty():
            click.echo(f"\r  {name}  {size / 1e6:.1f} MB ", nl=False, err=True)

    for address in fetch(show).values():
        click.echo(f"\r  {address}")
    click.echo(say("cli.data_complete"))


@data.command("verify")
def data_verify():
    """Compare the SHA-256 of the four files with the published ones; exit with 1 if one is not right."""
    from fmnist_utils.workshop.download import verify

    checks = verify()
    for path, problem in checks.values():
        click.echo(f"  {say('cli.bad' if problem else 'cli.good')}  {path}")
        if problem:
            click.echo(problem)
    sys.exit(1 if any(problem for _, problem in checks.values()) else 0)


@main.command()
@click.argument("page")
@click.option(
    "-p",
    "changes",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="A parameter of the page: -p num_epochs 10.",
)
@click.option("-o", "out", help="The executed notebook, in this folder (default: PAGE.out.ipynb).")
@click.option(
    "--lang",
    "_",
    type=click.Choice(LANGUAGES),
    callback=choose_language,
    is_eager=True,
    expose_value=False,
)
@click.option(
    "--timeout", type=click.IntRange(1), help="Stop when a cell takes longer than so many seconds."
)
def run(page, changes, out, timeout):
    """Run PAGE (01, or the path of a copy of its notebook) with papermill, its parameters checked before it starts."""
    from fmnist_utils.workshop.execution import PageFailed, run_page

    parameters = {"lang": get_language()} | {name: _value(value) for name, value in changes}

    def show(run: int, cells: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{say('cli.cells', run=run, cells=cells)} ", nl=False, err=True)

    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that the kernel does not outlive this program
    started = time.perf_counter()
    try:
        path = run_page(page, parameters, out, timeout, show)
    except PageFailed as error:
        click.echo(f"\n{error}" if sys.stderr.isatty() else str(error), err=True)
        sys.exit(1)
    click.echo(say("cli.ran", seconds=time.perf_counter() - started, file=os.path.relpath(path)))


@main.command()
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

    overrides = {}
    for change in changes:
        field, equals, value = change.partition("=")
        if not equals:
            raise UserError("cli.not_a_change", given=change)
        overrides[field] = _value(value)
    recipe = load_report(report).recipe(group, protocol, seed).but(overrides)
    _warn_of_bfloat16([] if RunStore().find(recipe) else [recipe], device)
    with stoppable():
        run = train_recipe(recipe, device=device, threads=threads)
    click.echo(
        json.dumps(
            {"id": run.id, **run.metrics, "weights_sha256": run.record.weights_sha256}, indent=1
        )
    )


def read_part(context, parameter, value):
    """Return (k, n) of ``k/n``, a part of an array of jobs."""
    if value is None:
        return None
    number, _, total = value.partition("/")
    if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
        raise UserError("many.bad_part", given=value)
    return int(number), int(total)


def many_options(command):
    """Add the options of the commands that make many runs."""
    options = [
        click.option(
            "--jobs",
            type=click.IntRange(1),
            help="Runs side by side (default: one for each core; on a GPU, one).",
        ),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="A Dask scheduler whose workers make the runs: tcp://host:8786, or its file (.json).",
        ),
        click.option(
            "--part",
            callback=read_part,
            metavar="K/N",
            help="Make only part K of N, for an array of jobs: --part 3/40.",
        ),
        click.option(
            "--store",
            "root",
            type=click.Path(),
            help="The folder of the runs (default: FMNIST_RUNS, else the cache).",
        ),
        click.option(
            "--dry-run",
            is_flag=True,
            help="Only say what there is to do and how long it would take.",
        ),
        click.option("--device", default="auto", show_default=True),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@click.argument("targets", nargs=-1)
@many_options
def reproduce(targets, jobs, scheduler, part, root, dry_run, device):
    """Make every missing run of TARGETS, or of all reports, and publish the records.

    A target is a report (05), a group of it (05/winner), of one protocol (05/juan.theirs), or several groups
    ("05/split_cnn_*"), whose first seeds come first. Targets are made in their order. Interrupted, it goes on where it was.
    Runs meant for a GPU are made where there is one. Without TARGETS, also the yardsticks of reconstruction, where they are
    missing.
    """
    from fmnist_utils.audit import yardsticks
    from fmnist_utils.audit.schema import report_names
    from fmnist_utils.training import pick_device
    from fmnist_utils.workshop.many import take_part
    from fmnist_utils.workshop.store import RunStore
    from fmnist_utils.workshop.yardsticks import publish as publish_yardsticks

    store, gpu = RunStore(root), pick_device(device).type == "cuda"
    wanted = [_recipes_of(target, gpu) for target in targets or report_names()]
    every = list(dict.fromkeys(recipe for _, recipes in wanted for recipe in recipes))
    mine = set(take_part(every, *part) if part else every)
    owners = {}  # recipe → the reports that miss its record
    for report, recipes in wanted:
        of_part = [recipe for recipe in recipes if recipe in mine]
        missing = [recipe for recipe in of_part if not report.is_published(recipe, store)]
        click.echo(say("cli.plan", report=report.id, total=len(of_part), missing=len(missing)))
        for recipe in missing:
            owners.setdefault(recipe, []).append(report)

    def publish(run):
        for report in owners[run.recipe]:
            path = report.publish(run, store)
            click.echo(say("cli.published", file=path.name, seconds=run.record.seconds))

    _make(list(owners), store, jobs, scheduler, device, dry_run, weights=True, on_run=publish)
    first = part is None or part[0] == 1
    if not (targets or dry_run) and first and not yardsticks.find(store):
        click.echo(say("cli.yardsticks", file=publish_yardsticks(store).name))


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


@main.command()
@click.argument("plan", type=click.Path())
@many_options
def sweep(plan, jobs, scheduler, part, root, dry_run, device):
    """Make the runs of PLAN (a YAML file) that are missing. Interrupted, it goes on where it was."""
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
    """Say how many of the runs to be made multiply in bfloat16 where that is only imitated: no record foretells their time."""
    from fmnist_utils.training import pick_device
    from fmnist_utils.workshop.fast import emulates_bfloat16

    count = sum(recipe.precision == "bfloat16" for recipe in recipes)
    if count and emulates_bfloat16(pick_device(device)):
        click.echo(say("cli.slow_bfloat16", count=count), err=True)


def _duration(seconds):
    """Return a time in words, to the precision that an estimate has."""
    for size, key in ((172_800, "days"), (5400, "hours"), (90, "minutes")):
        if seconds >= size:
            return say(
                f"many.{key}", count=seconds / {"days": 86_400, "hours": 3600, "minutes": 60}[key]
            )
    return say("many.seconds", count=seconds)


@main.command()
@click.argument("plan", type=click.Path(), required=False)
@click.option(
    "--store",
    "root",
    type=click.Path(),
    help="The folder of the runs (default: FMNIST_RUNS, else the cache).",
)
@click.option(
    "--all", "everything", is_flag=True, help="Show what is done and what waits too, run by run."
)
def status(plan, root, everything):
    """Show how the runs of PLAN stand; without it, those of all reports."""
    from fmnist_utils.audit.schema import load_report, report_names
    from fmnist_utils.workshop.many import STATES, describe, standing_of
    from fmnist_utils.workshop.plans import read_plan
    from fmnist_utils.workshop.store import RunStore

    store = RunStore(root)
    if root and not store.root.is_dir():
        raise UserError("many.no_store", folder=str(store.root))
    if plan:
        recipes = read_plan(plan)
    else:
        groups = [load_report(name).all_recipes().values() for name in report_names()]
        recipes = dict.fromkeys(recipe for group in groups for one in group for recipe in one)
    standing = {recipe: standing_of(recipe, store) for recipe in recipes}
    click.echo(say("many.store", folder=store.root))
    for state in STATES:
        of_state = {recipe: at for recipe, at in standing.items() if at.state == state}
        click.secho(f"{len(of_state):6}  {say(f'many.{state}')}", bold=bool(of_state))
        for recipe, at in of_state.items() if everything or state in ("running", "failed") else ():
            epochs = f"{at.epochs}/{recipe.num_epochs}"
            reason = next(iter(at.reason.splitlines()), "")
            line = f"        {recipe.id[:12]}  {epochs:>7}  {describe(recipe)}  {reason}"
            click.echo(line.rstrip())
    if any(at.state == "failed" for at in standing.values()):
        click.echo(say("many.details"))


@main.command()
@click.argument("report", required=False)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
def audit(report, form):
    """Print what REPORT published beside what was measured, and the verdicts.

    REPORT is 01 to 05, or `across` for what they claim together; without it, the whole audit.
    """
    from fmnist_utils.audit import verdicts as auditing
    from fmnist_utils.audit.schema import load_across, load_report

    rows = auditing.audit(report)
    if form == "json":
        click.echo(json.dumps([row.to_json() for row in rows], indent=1, ensure_ascii=False))
        return
    for row, before in zip(rows, [None, *rows]):
        if not report and (before is None or before.report != row.report):
            title = (
                load_across().title
                if row.report == auditing.ACROSS
                else load_report(row.report).title
            )
            click.secho(f"{row.report}. {title}\n", bold=True, underline=True)
        published = (
            auditing.format_value(row.published, row.unit) if row.kind == "number" else row.what
        )
        click.secho(f"{row.id}  {say(f'verdict.{row.verdict}')}", bold=True)
        click.echo(
            f"  {say('audit.published')}: "
            + (f"{row.what}, {published}" if row.kind == "number" else published)
        )
        for protocol in ("theirs", "ours"):
            estimate = auditing.format_estimate(getattr(row, protocol), row.unit)
            click.echo(f"  {say(f'audit.{protocol}')}: {estimate}")
        click.echo(f"  {say('audit.reason')}: {row.reason}\n")
    for kind, counts in auditing.count_verdicts(rows).items():
        click.echo(
            say(
                f"audit.summary_{kind}",
                total=sum(counts.values()),
                **{k.split()[0]: v for k, v in counts.items()},
            )
        )
    click.echo(say("audit.summary_open", **auditing.count_open(rows)))


@main.command()
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    callback=choose_language,
    expose_value=False,
    help="Language of the notebooks and messages (default: FMNIST_LANG, else es).",
)
@click.option("--no-open", is_flag=True, help="Copy the notebooks, and do not start JupyterLab.")
@click.argument("folder", type=click.Path(file_okay=False), required=False)
def lab(no_open, folder):
    """Copy the notebooks into FOLDER (default: fmnist in the home folder) and open JupyterLab there.

    What has been saved in FOLDER is never written over.
    """
    from pathlib import Path

    from fmnist_utils.workshop.lab import DEFAULT_FOLDER, copy_notebooks, open_lab

    target = Path(folder or DEFAULT_FOLDER).expanduser().absolute()
    copies = copy_notebooks(target, get_language())
    click.echo(say("lab.copied", count=len(copies.new), folder=copies.first.parent))
    if copies.kept:
        click.echo(say("lab.kept", names=", ".join(copies.kept)))
    if not no_open:
        sys.exit(open_lab(target, copies.first))


@main.command()
def doctor():
    """Look at the set-up: packages, PyTorch, Jupyter, folders, data. Exit with 1 if something has to be mended."""
    from fmnist_utils.workshop.doctor import examine

    findings = examine()
    for finding in findings:
        word = say("doctor.good" if finding.good else "doctor.bad")
        click.echo(click.style(f"{word:<6}", fg=None if finding.good else "red") + finding.text)
    ill = [finding for finding in findings if not finding.good]
    click.echo(say("doctor.ill", count=len(ill)) if ill else say("doctor.healthy"))
    sys.exit(1 if ill else 0)


def _value(text: str):
    """Read a value as JSON (numbers, lists, true, null) or as Python's True, False, None; anything else is a string."""
    if text in (constants := {"True": True, "False": False, "None": None}):
        return constants[text]
    try:
        return json.loads(text)
    except ValueError:
        return text
