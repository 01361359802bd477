"""The tables and the figure of the page *How fast, and why*, of the measurements that ``benchmarks/bench.py`` made."""

from __future__ import annotations

import json
from pathlib import Path

from book.machinery.generated.writing import NOT_MEASURED, save_figure, short, write_table
from book.machinery.pages import ROOT
from fmnist_utils import audit
from fmnist_utils.audit import Measure, load_report
from fmnist_utils.audit.records import Records
from fmnist_utils.text import say, speaking

MEASURED = ROOT / "benchmarks" / "speed.json"
ENGINES = {
    "ours": {"es": "**este proyecto**", "en": "**this project**"},
    "ours, bfloat16": {"es": "**este proyecto**, `bfloat16`", "en": "**this project**, `bfloat16`"},
    "ours, ten seeds": {
        "es": "**este proyecto**, diez semillas",
        "en": "**this project**, ten seeds",
    },
    "by hand": {"es": "PyTorch, el paso a mano", "en": "PyTorch, the step by hand"},
    "one graph": {
        "es": "PyTorch, el paso compilado entero",
        "en": "PyTorch, the whole step compiled",
    },
    "one graph, C++": {
        "es": "PyTorch, el paso compilado entero, con envoltorio en C++",
        "en": "PyTorch, the whole step compiled, with a wrapper in C++",
    },
    "tutorial": {"es": "PyTorch, ciclo del tutorial", "en": "PyTorch, the tutorial's loop"},
    "lightning": {"es": "Lightning", "en": "Lightning"},
    "skorch": {"es": "skorch", "en": "skorch"},
    "keras-jax": {"es": "Keras 3 sobre JAX", "en": "Keras 3 on JAX"},
    "flax": {"es": "JAX y Flax, paso compilado", "en": "JAX and Flax, a compiled step"},
}
ANSWERS = {
    True: {"es": "sí", "en": "yes"},
    False: {"es": "**no**", "en": "**no**"},
    None: {"es": "–", "en": "–"},
}
CHOICES = {
    "resident": {"es": "cargar imagen por imagen", "en": "load image by image"},
    "kept_memory": {
        "es": "devolver la memoria en cada paso",
        "en": "give memory back at every step",
    },
    "channels_last": {
        "es": "disposición contigua, no `channels_last`",
        "en": "contiguous layout, not `channels_last`",
    },
    "pooling_first": {"es": "rectificar antes del *pooling*", "en": "rectify before pooling"},
    "fused": {"es": "optimizador sin fusionar", "en": "optimizer not fused"},
    "dropout": {"es": "el dropout de PyTorch", "en": "PyTorch's dropout"},
    "one_thread": {"es": "un solo hilo", "en": "a single thread"},
    "bfloat16": {"es": "multiplicar en `bfloat16`", "en": "multiply in `bfloat16`"},
    "compiled": {"es": "`torch.compile`", "en": "`torch.compile`"},
}
KINDS = {
    "convolution": {"es": "convoluciones", "en": "convolutions"},
    "multiplication": {"es": "productos de matrices", "en": "products of matrices"},
    "pooling": {"es": "*pooling*", "en": "pooling"},
    "normalization": {"es": "normalización por lotes", "en": "batch normalization"},
    "activation": {"es": "activaciones", "en": "activations"},
    "dropout": {"es": "números al azar del dropout", "en": "random numbers of dropout"},
    "loading": {"es": "armar el minilote", "en": "making the minibatch"},
    "optimizer": {"es": "optimizador", "en": "optimizer"},
    "rest": {"es": "el resto: gradientes, pérdida", "en": "the rest: gradients, loss"},
    "python": {
        "es": "el propio Python, entre una operación y otra",
        "en": "Python itself, between operations",
    },
}
LIMITS = {
    "float32": {
        "es": "*lo que tardarían sus multiplicaciones solas*",
        "en": "*what its multiplications alone would take*",
    },
    "bfloat16": {
        "es": "*lo mismo, en `bfloat16`, de una época en `bfloat16`*",
        "en": "*the same, in `bfloat16`, of an epoch in `bfloat16`*",
    },
}
RATES = {
    "gemm": {"es": "producto de matrices", "en": "product of matrices"},
    "convolution": {"es": "convolución", "en": "convolution"},
}
GROWTH = {
    "epochs": {"es": "épocas", "en": "epochs"},
    "images": {"es": "imágenes", "en": "images"},
    "jobs": {
        "es": "corridas a la vez, con tanto trabajo cada una",
        "en": "runs at once, each with as much work",
    },
}
START = {  # by the part of the measurement and the name in it
    ("first_step", "ours"): {
        "es": "del arranque al primer paso de `ff`",
        "en": "from the start to the first step of `ff`",
    },
    ("imports", "fmnist_utils"): {
        "es": "importar `fmnist_utils`, además de `torch`",
        "en": "importing `fmnist_utils`, beyond `torch`",
    },
    ("commands", "help"): {"es": "`fmnist --help`", "en": "`fmnist --help`"},
}
TARGETS = [  # workload, engine, against what, how many times as fast it was meant to be
    ("ff", "ours", "tutorial", 8),
    ("ff", "ours", "best_peer", 1),
    ("convae", "ours", "tutorial", 2.5),
    ("convae", "ours", "best_peer", 1.5),
    ("cnn3", "ours", "tutorial", 2),
    ("cnn3", "ours", "best_peer", 1.5),
    ("cnn3", "ours, bfloat16", "tutorial", 4),
    ("ff", "ours, ten seeds", "tutorial", 14),
    ("ff", "ours, ten seeds", "best_peer", 1.5),
    ("ff", "by hand", "best_peer", 1),
]
SUBJECTS = {
    "ours": {"es": "`{}`", "en": "`{}`"},
    "ours, bfloat16": {"es": "`{}` en `bfloat16`", "en": "`{}` in `bfloat16`"},
    "ours, ten seeds": {"es": "diez semillas de `{}`", "en": "ten seeds of `{}`"},
    "by hand": {"es": "`{}`, el paso a mano,", "en": "`{}`, the step by hand,"},
}
AGAINST = {
    "tutorial": {"es": "contra el tutorial", "en": "against the tutorial"},
    "best_peer": {"es": "contra el mejor de los demás", "en": "against the best of the others"},
}
WORKLOADS = ("ff", "convae", "cnn3")
FACTORS = ("1", "2", "4", "8")
# What was trained in both precisions: report, group in bfloat16, group in float32, metric, unit.
BOTH_PRECISIONS = [
    ("03", "l1_sigmoid", "l1_sigmoid_float32", "val_loss", "error"),
    ("05", "winner", "float32", "val_loss", "nats"),
    ("05", "winner", "float32", "val_accuracy", "percent"),
]


def write(folder: Path, lang: str, executed: dict) -> None:
    """Write the tables ``speed_*.csv`` and the figure ``speed.png`` into ``folder``; the columns are named in ``speed.md``."""
    path = MEASURED
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    with speaking(lang):
        tables = {
            "precision": precision_rows(Records()),
            "engines": engine_rows(found, lang),
            "targets": target_rows(found, lang),
            "rates": rate_rows(found, lang),
            "choices": choice_rows(found, lang),
            "profile": profile_rows(found, lang),
            "growth": growth_rows(found, lang),
            "start": start_rows(found, lang),
            "made_with": [made_with(found)],
        }
        draw(found, folder / "speed.png")
    for name, rows in tables.items():
        write_table(folder / f"speed_{name}.csv", rows, NOT_MEASURED[lang])


def precision_rows(store: Records) -> list[list[str]]:
    """Return one row for each quantity measured in both precisions, and for the same seeds: bfloat16, float32, their difference."""
    rows = []
    for name, bfloat16, float32, metric, unit in BOTH_PRECISIONS:
        report = load_report(name)
        one, other = Measure(of=bfloat16, metric=metric), Measure(of=float32, metric=metric)
        found = [
            audit.estimate(report, measure, "theirs", store)
            for measure in (one, other, one.model_copy(update={"minus": (float32,)}))
        ]
        if all(found):
            label = report.label(bfloat16, report.recipe(bfloat16, "theirs"))
            *both, difference = (audit.format_estimate(estimate, unit) for estimate in found)
            rows.append([f"{int(name)}: {label}", say(f"metric.{metric}"), *both, difference])
    return rows


def engine_rows(found: dict, lang: str) -> list[list[str]]:
    """Return one row for each workload and engine.

    It has the seconds of an epoch, how many times ours they are, how many times as fast as the tutorial's loop it is, peak
    memory, and whether losses agree. Engines that failed or were not there when it was measured have a row that says so.
    """
    rows = []
    for row in found.get("summary", []):
        peak = row.get("peak_mb")
        rows.append([
            row["workload"],
            ENGINES[row["engine"]][lang],
            _range(row["seconds"]),
            _ratio(row.get("than_ours"), row["engine"]),
            f"{row['than_tutorial']['median']:.2f}" if "than_tutorial" in row else "–",
            f"{peak['median']:.0f}" if peak else "–",
            ANSWERS[row.get("agrees")][lang],
        ])  # fmt: skip
    measured = {(row["workload"], row["engine"]) for row in found.get("summary", [])}
    failed = [tuple(part.split(", ", 1)) for part in found.get("failed", {})]
    absent = [
        (name, engine)
        for name, engine in failed
        if engine in ENGINES and (name, engine) not in measured
    ]
    absent += [("–", engine) for engine in found.get("missing", [])]
    return rows + [
        [name, ENGINES[engine][lang], NOT_MEASURED[lang], "–", "–", "–", "–"]
        for name, engine in absent
    ]


def _ratio(than: dict | None, engine: str) -> str:
    """Return how many times as long as ours an engine takes; for several runs at once, how many times as short."""
    if not than or engine == "ours":
        return "1" if engine == "ours" else "–"
    return f"{1 / than['median']:.2f}"


def _range(value: dict | float | None, form: str = ".2f", absent: str = "–") -> str:
    """Return a median, with the smallest and the largest if they differ; a number alone is one that was measured once."""
    if value is None:
        return absent
    if not isinstance(value, dict):
        return f"{value:{form}}"
    ends = f" ({value['min']:{form}}–{value['max']:{form}})" if value["min"] < value["max"] else ""
    return f"{value['median']:{form}}{ends}"


def target_rows(found: dict, lang: str) -> list[list[str]]:
    """Return one row for each aim: what, how many times as fast it was to be, how many it is, whether that is reached."""
    rows = {(row["workload"], row["engine"]): row for row in found.get("summary", [])}
    table = []
    for name, engine, other, aim in TARGETS:
        reached = rows.get((name, engine), {}).get(f"than_{other}")
        what = f"{SUBJECTS[engine][lang].format(name)} {AGAINST[other][lang]}"
        answer = ANSWERS[reached["median"] >= aim if reached else None][lang]
        table.append([what, f"{aim:g}", _range(reached, absent=NOT_MEASURED[lang]), answer])
    return table


def rate_rows(found: dict, lang: str) -> list[list[str]]:
    """Return GFLOP/s of a product of matrices and of a convolution, in float32 and in bfloat16."""
    rates = found.get("rates", {})
    return [
        [words[lang], *(_range(rates.get(f"{kind}_{precision}"), ".0f") for precision in LIMITS)]
        for kind, words in RATES.items()
    ]


def choice_rows(found: dict, lang: str) -> list[list[str]]:
    """Return one row for each choice that was measured: how many times as long an epoch of each workload takes without it."""
    choices = found.get("choices", {})
    rows = [
        [words[lang], *(_range(choices.get(name, {}).get(choice)) for name in WORKLOADS)]
        for choice, words in CHOICES.items()
    ]
    return _with_values(rows)


def _with_values(rows: list[list[str]]) -> list[list[str]]:
    """Leave out the rows without a value, if there are others."""
    return [row for row in rows if not {*row[1:]} <= {"–", *NOT_MEASURED.values()}] or rows


def profile_rows(found: dict, lang: str) -> list[list[str]]:
    """Return one row for each kind of work: its share of the time of an epoch of each workload; last, the machine's limits."""
    shares = {name: profile["shares"] for name, profile in found.get("profile", {}).items()}
    rows = [
        [words[lang], *(_percent(parts.get(name, {}).get(row)) for name in WORKLOADS)]
        for rows, parts in ((KINDS, shares), (LIMITS, found.get("limits", {})))
        for row, words in rows.items()
    ]
    return _with_values(rows)


def growth_rows(found: dict, lang: str) -> list[list[str]]:
    """Return how time grows: for each of epochs, images and jobs, seconds over those that proportion foretells."""
    growth = found.get("linearity", {})
    return [
        [words[lang], *(_range(growth.get(name, {}).get(factor)) for factor in FACTORS)]
        for name, words in GROWTH.items()
    ]


def start_rows(found: dict, lang: str) -> list[list[str]]:
    """Return the seconds before anything is trained."""
    start = found.get("start", {})
    rows = [
        [words[lang], _range(start.get(part, {}).get(name), absent=NOT_MEASURED[lang])]
        for (part, name), words in START.items()
    ]
    return _with_values(rows)


def made_with(found: dict) -> list[str]:
    """Return date, processor and its instructions, cores, memory, versions, data, repetitions, minutes and commit."""
    machine = found.get("hardware", {})
    cpu, instructions = machine.get("cpu", "–"), machine.get("instructions")
    versions = ", ".join(f"{name} {number}" for name, number in found.get("versions", {}).items())
    return [
        found.get("date", "–")[:10],
        f"{cpu} ({', '.join(instructions)})" if instructions else cpu,
        machine.get("cores", "–"),
        f"{machine['memory_gib']} GiB" if machine else "–",
        versions or "–",
        found.get("data", "–"),
        found.get("how", {}).get("repetitions", "–"),
        f"{found['minutes']:.0f}" if "minutes" in found else "–",
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
