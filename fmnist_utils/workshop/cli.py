"""The command line: ``fmnist data``, ``run``, ``audit``, ``lab``, ``doctor``, and those of runs.

``train``, ``reproduce``, ``sweep`` and ``status`` are in :mod:`fmnist_utils.workshop.cli_runs`.
Modules that load PyTorch are imported inside the commands, so that help and refusals come at once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time

import click

from fmnist_utils import settings
from fmnist_utils.text import (
    LANGUAGES,
    Failure,
    UserError,
    chosen_language,
    get_language,
    language_named,
    say,
    set_language,
)
from fmnist_utils.workshop import cli_runs
from fmnist_utils.workshop.cli_runs import by_name, read_value


class Group(click.Group):
    """Commands that show a :class:`UserError` as its message, without a traceback.

    The program exits with 2 if what was asked for is not allowed, and with 1 if it failed.
    """

    def main(self, *arguments, **options):
        """Run the program. What the terminal cannot show is printed as a question mark."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # the tests put other streams in their place
                stream.reconfigure(errors="replace")
        return super().main(*arguments, **options)

    def invoke(self, context):
        """Run the command."""
        try:
            return super().invoke(context)
        except settings.NoHome as error:
            told = say("cli.no_home", path=error, folder=tempfile.gettempdir())
            click.echo(told, err=True)
            sys.exit(2)
        except UserError as error:
            click.echo(str(error), err=True)
            sys.exit(1 if isinstance(error, Failure) else 2)


def choose_language(context, parameter, value):
    """Set the language as soon as the option is read, so that later messages are in it."""
    if value:
        set_language(value)


@click.group(
    cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES, case_sensitive=False),
    callback=choose_language,
    is_eager=True,
    expose_value=False,
    help="Language of messages and tables (default: FMNIST_LANG, else es).",
)
@click.version_option(package_name="fmnist-utils")
def main():
    """Fashion-MNIST course companion: data, training runs and the audit of the reports."""
    given = settings.variable("FMNIST_LANG")
    if given and not language_named(given):
        raise UserError("text.unknown_language", given=given, allowed=", ".join(LANGUAGES))


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
        click.echo(state["way_out"])
        if state["offline"]:
            click.echo(say("cli.data_offline"))


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
    if named := settings.folder("FMNIST_DATA"):
        click.echo(say("data.not_used", folder=named))


@data.command("verify")
def data_verify():
    """Compare the SHA-256 of the four files with the published ones; exit with 1 if one differs."""
    from fmnist_utils.workshop.download import verify

    checks = verify()
    for path, problem in checks.values():
        click.echo(f"  {say('cli.bad' if problem else 'cli.good')}  {path}")
        if problem:
            click.echo(problem)
    sys.exit(1 if any(problem for _, problem in checks.values()) else 0)


main.add_command(cli_runs.train)
main.add_command(cli_runs.reproduce)
main.add_command(cli_runs.sweep)
main.add_command(cli_runs.status)
main.add_command(cli_runs.witness)


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
    type=click.Choice(LANGUAGES, case_sensitive=False),
    callback=choose_language,
    is_eager=True,
    expose_value=False,
)
@click.option(
    "--timeout", type=click.IntRange(1), help="Stop when a cell takes longer than so many seconds."
)
def run(page, changes, out, timeout):
    """Run PAGE (01, or the path of a copy of its notebook) with papermill.

    Its parameters are checked before it starts.
    """
    from fmnist_utils.workshop.execution import PageFailed, find_page, own_parameters, run_page

    parameters = {name: read_value(value) for name, value in by_name(changes)}
    if page.endswith(".ipynb"):  # a copy, which says its own language
        if chosen_language():
            parameters = {"lang": chosen_language()} | parameters
        for name, own in own_parameters(*find_page(page)).items():
            if parameters.get(name, own) != own:
                told = say("cli.replaced", name=name, given=parameters[name], own=own)
                click.echo(told, err=True)

    def show(run: int, cells: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{say('cli.cells', run=run, cells=cells)} ", nl=False, err=True)

    # So that the kernel does not outlive this program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.perf_counter()
    try:
        path = run_page(page, parameters, out, timeout, show)
    except PageFailed as error:
        click.echo(f"\n{error}" if sys.stderr.isatty() else str(error), err=True)
        sys.exit(1)
    click.echo(say("cli.ran", seconds=time.perf_counter() - started, file=os.path.relpath(path)))


@main.command()
@click.argument("report", required=False)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
@click.option(
    "--card", is_flag=True, help="One page: scope, method, what was missing, results, effort."
)
def audit(report, form, card):
    """Print what REPORT published beside what was measured, and the verdicts.

    REPORT is 01 to 05, or `across` for what they claim together; without it, the whole audit.
    """
    from fmnist_utils import audit as auditing

    if card:
        for name in [report] if report else auditing.student_reports():
            click.echo(auditing.card(name).to_text() + "\n")
        return
    found = auditing.rows(report)
    if form == "json":
        click.echo(json.dumps([row.to_json() for row in found], indent=1, ensure_ascii=False))
        return
    for row, before in zip(found, [None, *found]):
        if not report and (before is None or before.report != row.report):
            across = row.report == auditing.ACROSS
            named = auditing.load_across() if across else auditing.load_report(row.report)
            click.secho(f"{row.report}. {named.title}\n", bold=True, underline=True)
        _show_row(row, auditing)
    for kind, counts in auditing.count_verdicts(found).items():
        told = {verdict.replace(" ", "_"): count for verdict, count in counts.items()}
        if total := sum(counts.values()):
            click.echo(say(f"audit.summary_{kind}", total=total, **told))
    if (by_chance := auditing.chance(found))["tested"]:
        click.echo(say("audit.summary_chance", **by_chance))


def _show_row(row, auditing):
    """Print one line of the audit."""
    click.secho(f"{row.id}  {say(f'verdict.{row.verdict}')}", bold=True)
    if row.kind == "number":
        click.echo(f"  {say('audit.published')}: {row.what}, {row.printed}")
    else:
        click.echo(f"  {say('audit.published')}: {row.what}")
    for protocol in ("theirs", "ours"):
        if estimate := getattr(row, protocol):
            told = auditing.format_estimate(estimate, row.unit)
            click.echo(f"  {say(f'audit.{protocol}')}: {told}")
    if row.runs:
        click.echo(f"  {say('audit.runs')}: {row.runs}")
    if (timing := row.timing) and timing.made:
        told = say(
            "audit.rule_of", date=timing.fixed[:10], n=len(timing.made), earlier=timing.earlier
        )
        click.echo(f"  {say('audit.rule')}: {told}")
    click.echo(f"  {say('audit.reason')}: {row.reason}\n")


@main.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--csv", "table", help="Write a line for each exercise to this file as well.")
@click.option(
    "--seconds",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    help="End the process of an exercise that takes longer.",
)
@click.option(
    "--memory",
    type=click.IntRange(256),
    default=4096,
    show_default=True,
    help="Mebibytes for the process of a notebook, where the system can limit them.",
)
def check(paths, table, seconds, memory):
    """Check the exercises in notebooks of students: files, or folders with what is below them.

    This runs code of theirs, in a process of its own; see "For teachers" in the book.
    """
    from pathlib import Path

    from fmnist_utils.workshop.marking import mark, notebooks_in, write_csv

    marks = []
    for path in notebooks_in(paths):
        found = mark(path, seconds, memory)
        marks += found
        right = sum(one.state == "right" for one in found)
        total = say("check.total", right=right, count=len(found))
        click.secho(f"{os.path.relpath(path)}  {total}", bold=True)
        for one in found:
            click.echo(f"  {one.exercise:<5}  {say(f'check.state_{one.state}')}")
            if one.state not in ("right", "unfinished"):
                lines = one.told.removeprefix("✘ ").splitlines()
                click.echo("".join(f"           {line}\n" for line in lines), nl=False)
    if table:
        write_csv(marks, Path(table))


@main.command()
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES, case_sensitive=False),
    callback=choose_language,
    expose_value=False,
    help="Language of the notebooks and messages (default: FMNIST_LANG, else es).",
)
@click.option("--no-open", is_flag=True, help="Copy the notebooks, and do not start JupyterLab.")
@click.argument("folder", type=click.Path(file_okay=False), required=False)
def lab(no_open, folder):
    """Copy the notebooks into FOLDER and open JupyterLab there (default: ~/fmnist).

    What has been saved in FOLDER is never written over.
    """
    from fmnist_utils.workshop.lab import copy_notebooks, open_lab

    target = settings.without_tilde(folder or "~/fmnist").absolute()
    copies = copy_notebooks(target, get_language())
    click.echo(say("lab.copied", count=len(copies.new), folder=copies.first.parent))
    if copies.kept:
        click.echo(say("lab.kept", names=", ".join(copies.kept)))
    if not no_open:
        sys.exit(open_lab(target, copies.first))


@main.command()
def doctor():
    """Look at the set-up: packages, PyTorch, Jupyter, folders, data.

    Exit with 1 if something has to be corrected.
    """
    from fmnist_utils.workshop.doctor import examine

    findings = examine()
    for finding in findings:
        word = say("doctor.good" if finding.good else "doctor.bad")
        click.echo(click.style(f"{word:<6}", fg=None if finding.good else "red") + finding.text)
    ill = [finding for finding in findings if not finding.good]
    click.echo(say("doctor.ill", count=len(ill)) if ill else say("doctor.healthy"))
    sys.exit(1 if ill else 0)
