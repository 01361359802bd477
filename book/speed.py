"""The tables and the figure of the page *How fast, and why*, of the measurements that ``benchmarks/bench.py`` made."""

from __future__ import annotations

import json
from pathlib import Path

from fmnist_utils import audit
from fmnist_utils.reports import Measure, load_report
from fmnist_utils.runs import RunStore
from fmnist_utils.text import say, speaking
from writing import NOT_MEASURED, save_figure, short, write_table

WORDS = {
    "ours": {"es": "**este proyecto**", "en": "**this project**"},
    "ours, bfloat16": {"es": "**este proyecto**, `bfloat16`", "en": "**this project**, `bfloat16`"},
    "ours, ten seeds": {"es": "**este proyecto**, diez semillas a la vez", "en": "**this project**, ten seeds at once"},
    "tutorial": {"es": "PyTorch, bucle del tutorial", "en": "PyTorch, the tutorial's loop"},
    "lightning": {"es": "Lightning", "en": "Lightning"},
    "skorch": {"es": "skorch", "en": "skorch"},
    "keras-jax": {"es": "Keras 3 sobre JAX", "en": "Keras 3 on JAX"},
    "flax": {"es": "JAX y Flax, paso compilado", "en": "JAX and Flax, a compiled step"},
    "agrees": {True: {"es": "sí", "en": "yes"}, False: {"es": "**no**", "en": "**no**"}, None: {"es": "–", "en": "–"}},
    "resident": {"es": "cargar imagen por imagen", "en": "load image by image"},
    "kept_memory": {"es": "devolver la memoria en cada paso", "en": "give memory back at every step"},
    "channels_last": {"es": "disposición contigua, no `channels_last`", "en": "contiguous layout, not `channels_last`"},
    "fused": {"es": "optimizador sin fusionar", "en": "optimizer not fused"},
    "one_thread": {"es": "un solo hilo", "en": "a single thread"},
    "bfloat16": {"es": "multiplicar en `bfloat16`", "en": "multiply in `bfloat16`"},
    "compiled": {"es": "`torch.compile`", "en": "`torch.compile`"},
    "convolution": {"es": "convoluciones", "en": "convolutions"},
    "multiplication": {"es": "productos de matrices", "en": "products of matrices"},
    "pooling": {"es": "submuestreo", "en": "pooling"},
    "normalization": {"es": "normalización por lotes", "en": "batch normalization"},
    "activation": {"es": "activaciones", "en": "activations"},
    "dropout": {"es": "números al azar del dropout", "en": "random numbers of dropout"},
    "loading": {"es": "armar el minilote", "en": "making the minibatch"},
    "optimizer": {"es": "optimizador", "en": "optimizer"},
    "rest": {"es": "el resto: el propio Python, gradientes, pérdida", "en": "the rest: Python itself, gradients, loss"},
    "limit": {
        "es": "*lo que tardarían sus multiplicaciones solas*",
        "en": "*what its multiplications alone would take*",
    },
    "epochs": {"es": "épocas", "en": "epochs"},
    "images": {"es": "imágenes", "en": "images"},
    "jobs": {"es": "corridas a la vez, con tanto trabajo cada una", "en": "runs at once, each with as much work"},
    "first_step": {"es": "del arranque al primer paso de `ff`", "en": "from the start to the first step of `ff`"},
    "help": {"es": "`fmnist --help`", "en": "`fmnist --help`"},
    "beyond_torch": {"es": "importar `fmnist_utils`, además de `torch`", "en": "importing `fmnist_utils`, beyond `torch`"},
}
WORKLOADS = ("ff", "convae", "cnn3")
CHOICES = ("resident", "kept_memory", "channels_last", "fused", "one_thread", "bfloat16", "compiled")
KINDS = (
    "convolution", "multiplication", "pooling", "normalization", "activation", "dropout", "loading", "optimizer", "rest",
)  # fmt: skip
FACTORS = ("1", "2", "4", "8")
# What was trained in both precisions: report, group in bfloat16, group in float32, metric, unit.
BOTH_PRECISIONS = [
    ("03", "l1_sigmoid", "l1_sigmoid_float32", "val_loss", "error"),
    ("05", "winner", "float32", "val_loss", "nats"),
    ("05", "winner", "float32", "val_accuracy", "percent"),
]


def write(folder: Path, lang: str, results: Path) -> None:
    """Write the tables ``speed_*.csv`` and the figure ``speed.png`` into ``folder``; the columns are named in ``speed.md``."""
    path = results / "speed.json"
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    with speaking(lang):
        tables = {
            "precision": precision_rows(RunStore()),
            "engines": engine_rows(found, lang),
            "choices": [
                [WORDS[name][lang], *(_times(found, "choices", each, name) for each in WORKLOADS)] for name in CHOICES
            ],
            "profile": profile_rows(found, lang),
            "growth": growth_rows(found, lang),
            "start": start_rows(found, lang),
            "made_with": [made_with(found)],
        }
        draw(found, folder / "speed.png")
    for name, rows in tables.items():
        write_table(folder / f"speed_{name}.csv", rows, NOT_MEASURED[lang])


def precision_rows(store: RunStore) -> list[list[str]]:
    """Return one row for each quantity measured in both precisions, and for the same seeds: bfloat16, float32, their difference."""
    rows = []
    for name, bfloat16, float32, metric, unit in BOTH_PRECISIONS:
        report = load_report(name)
        one, other = Measure(of=bfloat16, metric=metric), Measure(of=float32, metric=metric)
        found = [
            audit.estimate(report, each, "theirs", store)
            for each in (one, other, one.model_copy(update={"minus": (float32,)}))
        ]
        if all(found):
            label = report.label(bfloat16, report.recipe(bfloat16, "theirs"))
            *both, difference = (audit.format_estimate(each, unit) for each in found)
            rows.append([f"{int(name)}: {label}", say(f"metric.{metric}"), *both, difference])
    return rows


def engine_rows(found: dict, lang: str) -> list[list[str]]:
    """Return one row for each workload and engine: seconds of an epoch, how many times ours, peak memory, whether losses agree.

    Engines that were not there when it was measured have a row that says so.
    """
    rows = []
    for row in found.get("summary", []):
        seconds, than, peak = row["seconds"], row.get("than_ours"), row.get("peak_mb")
        rows.append([
            row["workload"],
            WORDS[row["engine"]][lang],
            f"{seconds['median']:.2f} ({seconds['min']:.2f}–{seconds['max']:.2f})",
            _ratio(than, row["engine"]),
            f"{peak['median']:.0f}" if peak else "–",
            WORDS["agrees"][row.get("agrees")][lang],
        ])  # fmt: skip
    absent = [["–", WORDS[engine][lang], NOT_MEASURED[lang], "–", "–", "–"] for engine in found.get("missing", [])]
    return rows + absent


def _ratio(than: dict | None, engine: str) -> str:
    """Return how many times as long as ours an engine takes; for several runs at once, how many times as short."""
    if not than or engine == "ours":
        return "1" if engine == "ours" else "–"
    return f"{1 / than['median']:.2f}"


def _times(found: dict, part: str, workload: str, name: str) -> str:
    """Return how many times as long an epoch takes, with its spread if it was measured more than once."""
    value = found.get(part, {}).get(workload, {}).get(name)
    if not value:
        return "–"
    return f"{value['median']:.2f}" + (f" ({value['min']:.2f}–{value['max']:.2f})" if value["n"] > 1 else "")


def profile_rows(found: dict, lang: str) -> list[list[str]]:
    """Return one row for each kind of work: its share of the time of an epoch of each workload; last, the machine's limit."""
    shares, limits = found.get("profile", {}), found.get("limits", {})
    rows = [[WORDS[kind][lang], *(_percent(shares.get(each, {}).get(kind)) for each in WORKLOADS)] for kind in KINDS]
    return [*rows, [WORDS["limit"][lang], *(_percent(limits.get(each, {}).get("float32")) for each in WORKLOADS)]]


def growth_rows(found: dict, lang: str) -> list[list[str]]:
    """Return how time grows: for each of epochs, images and jobs, seconds over those that proportion foretells."""
    growth = found.get("linearity", {})
    shown = {name: [growth.get(name, {}).get(factor) for factor in FACTORS] for name in ("epochs", "images", "jobs")}
    return [[WORDS[name][lang], *(f"{value:.2f}" if value else "–" for value in values)] for name, values in shown.items()]


def start_rows(found: dict, lang: str) -> list[list[str]]:
    """Return the seconds before anything is trained."""
    start = found.get("start", {"first_step": {}, "commands": {}})
    values = {"first_step": start["first_step"].get("ours")}
    values |= {name: start["commands"].get(name) for name in ("beyond_torch", "help")}
    return [[WORDS[name][lang], f"{value['median']:.2f}" if value else "–"] for name, value in values.items()]


def made_with(found: dict) -> list[str]:
    """Return date, processor, cores, memory, versions, data, repetitions and commit."""
    machine = found.get("hardware", {})
    versions = ", ".join(f"{name} {number}" for name, number in found.get("versions", {}).items())
    memory = f"{machine['memory_gib']} GiB" if machine else "–"
    how = found.get("how", {}).get("repetitions", "–")
    cpu, cores = machine.get("cpu", "–"), machine.get("cores", "–")
    return [
        found.get("date", "–")[:10],
        cpu,
        cores,
        memory,
        versions or "–",
        found.get("data", "–"),
        how,
        short(found.get("commit")),
    ]


def draw(found: dict, path: Path) -> None:
    """Draw the seconds of an epoch of every engine; an empty figure if nothing was measured."""
    seconds: dict[str, dict[str, list[float]]] = {}
    for row in found.get("summary", []):
        if row["engine"] != "ours, ten seeds":
            values = [row["seconds"][name] for name in ("min", "median", "max")]
            seconds.setdefault(row["workload"], {})[row["engine"]] = values
    save_figure(path, "epoch_times", seconds or {"–": {}})


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"
