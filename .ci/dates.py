"""Write when each rule of the audit was fixed, from git, into fmnist_utils/reports/dates.json.

    make dates

A rule that was never committed as it reads now gets the present time, so that both can be
committed together.
"""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fmnist_utils.audit.dates import DATES, fingerprint, rule_files, rules_of
from fmnist_utils.audit.groups import Loader
from fmnist_utils.audit.schema import FOLDER

ROOT = Path(__file__).resolve().parents[1]


def git(*arguments: str) -> str:
    """Return what a command of git prints."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def is_whole() -> bool:
    """Return whether the history is there, all of it."""
    try:
        return git("rev-parse", "--is-shallow-repository").strip() == "false"
    except (OSError, subprocess.CalledProcessError):
        return False


def versions(path: Path) -> list[tuple[str, str]]:
    """Return when a file was committed, under whatever name, and its text then, oldest first."""
    found = []
    marked = git("log", "--follow", "--format=@%H %at", "--name-only", "--", str(path))
    for entry in marked.split("@")[1:]:
        head, *names = [line for line in entry.splitlines() if line]
        commit, seconds = head.split()
        text = git("show", f"{commit}:{names[0]}")
        found.append((utc(datetime.fromtimestamp(int(seconds), UTC)), text))
    return sorted(found)


def utc(time: datetime) -> str:
    """Return a time in the form of the records."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def in_form(rule: Any) -> Any:
    """Return a rule of an older version in the form of today, where only the form has changed."""
    if isinstance(rule, list):
        return [in_form(part) for part in rule]
    if not isinstance(rule, dict):
        return rule
    found: dict[str, Any] = {}
    for name, value in rule.items():
        quantity = name.removeprefix("minus_")
        if name == "amended":  # the day of a change, which was written down before git was asked
            continue
        if quantity != name:
            found["less"] = {"at_epoch" if quantity == "at" else quantity: value}
        elif name == "take_other":
            other = in_form(value)
            less = other.pop("less", None)
            found |= {"other": other} | ({"other_less": less} if less else {})
        else:
            found[name] = in_form(value)
    return found


def history(path: Path, now: str) -> dict[str, dict[str, str]]:
    """Return when each rule of a file was first written, since when it reads so, and its digits."""
    present = rules_of(Loader(path.read_text("utf-8")).get_single_data())
    written: dict[str, str] = {}
    since: dict[str, tuple[str, str]] = {}
    for time, text in versions(path):
        for name, rule in rules_of(Loader(text).get_single_data()).items():
            rule = in_form(rule)
            digits = fingerprint(rule)
            written.setdefault(name, time)
            if since.get(name, ("", ""))[0] != digits:
                since[name] = digits, time
    dates = {}
    for name, rule in present.items():
        digits, fixed = since.get(name, ("", now))
        fixed = fixed if digits == fingerprint(rule) else now
        dates[name] = {
            "written": written.get(name, now),
            "fixed": fixed,
            "rule": fingerprint(rule),
        }
    return dates


def main() -> None:
    if not is_whole():
        raise SystemExit("dates.json is made from the whole history, which is not here")
    now = utc(datetime.now(UTC))
    lines = []
    for file in rule_files():
        rows = history(FOLDER / file, now).items()
        inner = ",\n".join(f"  {json.dumps(name)}: {json.dumps(dates)}" for name, dates in rows)
        lines.append(f" {json.dumps(file)}: {{\n{inner}\n }}")
    (FOLDER / DATES).write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()
