"""Every text that a reader sees in a figure, a table or a message, in Spanish and in English.

The other modules name a text by its key, ``say("plots.epoch")``, so that a page in one language
never shows the other. A mistake that a reader can make raises a :class:`UserError`: what was
given, what is allowed and what to do next, in the reader's language.

The texts of this floor stand at the end of this module. The floors above add theirs when they are
imported: ``fmnist_utils/audit/text.py``, ``fmnist_utils/workshop/text.py``. That list makes the
module long.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fmnist_utils import settings

LANGUAGES = ("es", "en")

_language: str | None = None


def set_language(lang: str) -> None:
    """Choose the language of figures, tables and messages: ``"es"`` or ``"en"``.

    Raises:
        UserError: for any other value.
    """
    global _language
    if lang not in LANGUAGES:
        raise UserError("text.unknown_language", given=lang, allowed=", ".join(LANGUAGES))
    _language = lang


def get_language() -> str:
    """Return the language in force: the one set, else ``FMNIST_LANG``, else Spanish."""
    if _language is not None:
        return _language
    return language_named(settings.variable("FMNIST_LANG")) or "es"


def language_named(name: str | None) -> str | None:
    """Return the language that ``name`` means, as a system writes it too (es_AR.UTF-8), or None."""
    lang = str(name).lower().replace("-", "_").partition("_")[0]
    return lang if lang in LANGUAGES else None


def chosen_language() -> str | None:
    """Return the language that was set, or None if nobody has set one."""
    return _language


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Use the language ``lang`` inside the ``with`` block, and the former one after it."""
    global _language
    before = _language
    set_language(lang)
    try:
        yield
    finally:
        _language = before


def say(key: str, /, lang: str | None = None, **values: Any) -> str:
    """Return the text named ``key`` in the language in force (or ``lang``).

    Args:
        values: what stands in place of the fields in braces. ``{fmnist}``, ``{pip}``, ``{python}``
            and ``{export}`` need none: they are what the reader has to type here.

    Raises:
        KeyError: if there is no such text, which is a mistake in the program.
    """
    return WORDS[key][LANGUAGES.index(lang or get_language())].format_map(_Fields(values))


class _Fields(dict[str, Any]):
    """The fields of a text; one that is not given is a command."""

    def __missing__(self, name: str) -> str:
        return settings.command(name)


def add(words: Mapping[str, tuple[str, str]]) -> None:
    """Add texts, key -> (Spanish, English), as each floor above does when it is imported.

    Raises:
        ValueError: if a key already names another text.
    """
    for key, texts in words.items():
        if WORDS.setdefault(key, texts) != texts:
            raise ValueError(f"two texts are called {key!r}")


def class_names(lang: str | None = None) -> list[str]:
    """Return the names of the ten classes, in the order of their labels."""
    return [say(f"class.{label}", lang=lang) for label in range(10)]


def nearest(name: object, allowed: Iterable[object]) -> str:
    """Return *Did you mean …?* with the allowed name closest to ``name``, or ``""`` if none is."""
    known = {str(item).lower(): str(item) for item in allowed}
    matches = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.6)
    return say("text.did_you_mean", name=known[matches[0]]) if matches else ""


class UserError(ValueError):
    """An error that the reader can cause and can correct; its message is a text of this module.

    Attributes:
        key: the key of the text.
        values: the fields that fill it.
    """

    def __init__(self, key: str, /, **values: Any):
        self.key = key
        self.values = values
        super().__init__(say(key, **values))

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickle loses keyword arguments; an error of another process must keep its message.
        return _rebuild_error, (type(self), self.key, self.values)


class Failure(UserError):
    """What was asked for is allowed, but it failed while it ran."""


def _rebuild_error(error_type: type[UserError], key: str, values: dict[str, Any]) -> UserError:
    return error_type(key, **values)


# key: (Spanish, English). ``say`` fills the fields in braces. One block for each module, in the
# order of use.
WORDS: dict[str, tuple[str, str]] = {
    # text
    "text.unknown_language": (
        "idioma desconocido: {given!r}. Se admiten: {allowed}.",
        "unknown language: {given!r}. Allowed: {allowed}.",
    ),
    "text.did_you_mean": ("¿Quiso decir {name!r}?", "Did you mean {name!r}?"),
    # the classes, in the order of their labels
    "class.0": ("Camiseta", "T-shirt/top"),
    "class.1": ("Pantalón", "Trouser"),
    "class.2": ("Pulóver", "Pullover"),
    "class.3": ("Vestido", "Dress"),
    "class.4": ("Abrigo", "Coat"),
    "class.5": ("Sandalia", "Sandal"),
    "class.6": ("Camisa", "Shirt"),
    "class.7": ("Zapatilla", "Sneaker"),
    "class.8": ("Bolso", "Bag"),
    "class.9": ("Botín", "Ankle boot"),
    # data
    "data.choice": (
        "{name}: se dio {given!r}. Se admite: {allowed}. {hint}",
        "{name}: given {given!r}. Allowed: {allowed}. {hint}",
    ),
    "data.whole": (
        "{name}: se dio {given!r}. Se admite un entero de {low} a {high}.",
        "{name}: given {given!r}. Allowed: a whole number from {low} to {high}.",
    ),
    "data.number": (
        "{name}: se dio {given!r}. Se admite un número de {low} a {high}.",
        "{name}: given {given!r}. Allowed: a number from {low} to {high}.",
    ),
    "data.missing": (
        'Falta {file}. {way_out} Con source="sample" no hace falta bajar nada.',
        '{file} is missing. {way_out} With source="sample" nothing needs to be downloaded.',
    ),
    "data.unreadable": (
        "{file} no se puede leer: {reason}. {way_out}",
        "{file} cannot be read: {reason}. {way_out}",
    ),
    "data.damaged": (
        "{file} no contiene los datos publicados.\n"
        "  SHA-256 esperado (sin comprimir): {expected}, {length} bytes\n"
        "  hallado: {found}, {size} bytes\n"
        "{way_out}",
        "{file} does not hold the published data.\n"
        "  SHA-256 expected (unpacked): {expected}, {length} bytes\n"
        "  found: {found}, {size} bytes\n"
        "{way_out}",
    ),
    "data.fetch": (
        "Para bajar los datos oficiales: `{fmnist} data fetch`; si están en otra carpeta, la "
        "variable FMNIST_DATA la nombra.",
        "To download the official data: `{fmnist} data fetch`; if they are in another folder, let "
        "the variable FMNIST_DATA name it.",
    ),
    "data.other_folder": (
        "Se buscó en {folder}, que nombra FMNIST_DATA{found}. Conviene corregir la variable, o "
        "vaciarla, `{export} FMNIST_DATA=`, y después `{fmnist} data fetch`.",
        "It was looked for in {folder}, which FMNIST_DATA names{found}. Correct the variable, or "
        "empty it, `{export} FMNIST_DATA=`, and then `{fmnist} data fetch`.",
    ),
    "data.found_instead": (
        "; hay ahí {names}, y se esperan los cuatro archivos publicados, en .gz o descomprimidos",
        "; it holds {names}, and the four published files are expected, as .gz or unpacked",
    ),
    "data.packed": (
        "Está quizás en {archive}, que hay que descomprimir: `{python} -m {module} -e {quoted} "
        "{folder}`.",
        "It may be in {archive}, which has to be unpacked: `{python} -m {module} -e {quoted} "
        "{folder}`.",
    ),
    "data.restore": (
        "Es parte de este paquete. Para recuperarlo: `{command}`.",
        "It is part of this package. To get it back: `{command}`.",
    ),
    # photos
    "photos.given": ("la dada", "as given"),
    "photos.grey": ("en gris", "grey"),
    "photos.negated": ("fondo negro", "black background"),
    "photos.trimmed": ("sin bordes", "trimmed"),
    "photos.small": ("28 × 28", "28 × 28"),
    "photos.missing": (
        "No existe el archivo {file}; se buscó desde la carpeta {folder}. {hint}",
        "There is no file {file}; it was looked for from the folder {folder}. {hint}",
    ),
    "photos.unreadable": (
        "{file} no se puede leer como imagen: {reason}. Se espera un archivo JPEG, PNG, WebP, GIF, "
        "BMP o TIFF entero. Una foto HEIC de iPhone se exporta antes como JPEG.",
        "{file} cannot be read as a picture: {reason}. Expected: a whole file in JPEG, PNG, WebP, "
        "GIF, BMP or TIFF. Export a HEIC photo of an iPhone as JPEG first.",
    ),
    "photos.kind": (
        "own_image: se dio un objeto {given}. Se admite la ruta de un archivo, una imagen de PIL "
        "(Image.open), un arreglo de NumPy o un tensor.",
        "own_image: given an object {given}. Allowed: the path of a file, a PIL image "
        "(Image.open), a NumPy array or a tensor.",
    ),
    "photos.shape": (
        "own_image: se dieron números {dtype} de forma {shape}. Se espera una sola imagen de "
        "números: (alto, ancho), (alto, ancho, canales) o (canales, alto, ancho), con 1, 3 o 4 "
        "canales. De un lote se pasa una por vez: own_image(images[0]).",
        "own_image: given {dtype} numbers of shape {shape}. Expected: one picture made of "
        "numbers: (height, width), (height, width, channels) or (channels, height, width), with 1, "
        "3 or 4 channels. Of a batch, give one at a time: own_image(images[0]).",
    ),
    "photos.range": (
        "own_image: los valores van de {low:g} a {high:g}. Se esperan de 0 a 1, de 0 a 255, o "
        "enteros hasta 65535. Si la imagen está normalizada, primero se la lleva a [0, 1].",
        "own_image: the values go from {low:g} to {high:g}. Expected: from 0 to 1, from 0 to 255, "
        "or whole numbers to 65535. If the picture is normalized, bring it to [0, 1] first.",
    ),
    "photos.plain": (
        "own_image: nada se distingue del fondo. Hace falta una prenda sola, sobre un fondo liso "
        "de otro brillo.",
        "own_image: nothing stands out from the background. Take one garment alone, on a plain "
        "background of another brightness.",
    ),
    # models
    "models.unknown": (
        "no existe {given!r}. Se admiten: {allowed}. {hint}",
        "there is no {given!r}. Allowed: {allowed}. {hint}",
    ),
    # training
    "training.no_device": (
        "este equipo no tiene el dispositivo {given!r}. Se admiten: {allowed}.",
        "this machine has no device {given!r}. Allowed: {allowed}.",
    ),
    "training.bad_batches": (
        "no se pueden formar minilotes: se dieron batch_size={batch_size}, {inputs} entradas y "
        "{targets} objetivos. Se admite un batch_size desde 1, y tantas entradas como objetivos, "
        "al menos una.",
        "cannot make minibatches: given batch_size={batch_size}, {inputs} inputs and {targets} "
        "targets. Allowed: a batch_size from 1, and as many inputs as targets, at least one.",
    ),
    "training.diverged": (
        "la pérdida se volvió {loss} en la época {epoch}, paso {step}, con "
        "learning_rate={rate:g}. Conviene reducir learning_rate (por ejemplo a la décima parte) y "
        "revisar que las entradas sean finitas.",
        "the loss became {loss} in epoch {epoch}, step {step}, with learning_rate={rate:g}. Lower "
        "learning_rate (to a tenth, say) and check that the inputs are finite.",
    ),
    "training.epochs": ("épocas", "epochs"),
    # evaluation
    "evaluation.true": ("clase verdadera", "true class"),
    "evaluation.predicted": ("clase predicha", "predicted class"),
    "evaluation.images": (
        "images: se dio {given}. Se espera un tensor de forma (N, 1, 28, 28), en coma flotante y "
        "preparado como al entrenar, es decir, de 0 a 1 si no se normalizó. De una imagen del "
        "conjunto: images[:1]. Para una propia: "
        "`from fmnist_utils.photos import own_image; own_image(picture)`",
        "images: given {given}. Expected: a tensor of shape (N, 1, 28, 28), floating point, "
        "prepared as in training, that is, from 0 to 1 unless it was normalized. For one image of "
        "the data set: images[:1]. For one of your own: "
        "`from fmnist_utils.photos import own_image; own_image(picture)`",
    ),
    # plots
    "plots.numbers": ("números publicados", "published numbers"),
    "plots.claims": ("afirmaciones", "claims"),
    "plots.epoch": ("época", "epoch"),
    "plots.loss": ("pérdida", "loss"),
    "plots.accuracy": ("exactitud (%)", "accuracy (%)"),
    "plots.train": ("entrenamiento, tras la época", "training, after the epoch"),
    "plots.val": ("validación", "validation"),
    "plots.test": ("prueba", "test"),
    "plots.running": ("entrenamiento, durante la época", "training, during the epoch"),
    "plots.runs": ("{name} (n = {n})", "{name} (n = {n})"),
    "plots.band": ("de mínimo a máximo", "minimum to maximum"),
    "plots.best": ("mejor época de cada corrida", "best epoch of each run"),
    "plots.unknown_column": (
        "la historia no tiene la columna {column!r}. Tiene: {allowed}. {hint}",
        "the history has no column {column!r}. It has: {allowed}. {hint}",
    ),
    "plots.one_seed": ("una semilla", "one seed"),
    "clinic.healthy": ("programa sano", "healthy program"),
    "clinic.patient": ("paciente {number}", "patient {number}"),
    "plots.step": ("paso", "step"),
    "plots.learning_rate": ("tasa de aprendizaje", "learning rate"),
    "plots.one_search": ("una búsqueda", "one search"),
    "plots.one_fold": ("un bloque", "one fold"),
    "plots.mean_sd": ("media ± desviación", "mean ± sd"),
    "plots.published": ("publicado", "published"),
    "plots.pca": ("PCA del mismo tamaño", "PCA of the same size"),
    "plots.latent_dim": ("tamaño del espacio latente, n", "size of the latent space, n"),
    "plots.mse": ("error cuadrático medio", "mean squared error"),
    "plots.l1": ("error absoluto medio", "mean absolute error"),
    "plots.best_fit": (
        "{misfit} %\népoca {epoch}",
        "{misfit} %\nepoch {epoch}",
    ),
    "plots.cost_epochs": ("épocas", "epochs"),
    "plots.cost_updates": ("actualizaciones", "updates"),
    "plots.cost_multiply_adds": ("multiplicaciones", "multiply-adds"),
    "plots.cost_seconds": ("segundos", "seconds"),
    "plots.z": (
        "z de la diferencia. Arriba, publicado; abajo, media de n = {n}",
        "z of the difference. Above, published; below, mean of n = {n}",
    ),
    "plots.no_interval": (
        "ningún número tiene todavía dos corridas",
        "no number has two runs yet",
    ),
    "plots.in_margins": (
        "publicado menos nuestro, en márgenes",
        "published less ours, in margins",
    ),
    "plots.misfit": (
        "desajuste con los valores publicados (%)",
        "misfit to the published values (%)",
    ),
    "plots.val_accuracy": ("exactitud de validación (%)", "validation accuracy (%)"),
    "plots.gain": ("lo que agrega cada paso (puntos)", "what each step adds (points)"),
    "plots.training_seconds": (
        "segundos de entrenamiento, en un núcleo",
        "seconds of training, on one core",
    ),
    "plots.original": ("original", "original"),
    "plots.seconds": ("segundos por época", "seconds per epoch"),
    "plots.epoch_seconds": (
        "segundos por época de 60 000 imágenes",
        "seconds per epoch of 60,000 images",
    ),
    "plots.ours": ("este proyecto", "this project"),
    "plots.recall": ("exhaustividad (%), n = {n}", "recall (%), n = {n}"),
    "plots.recall_alone": ("exhaustividad (%)", "recall (%)"),
    "plots.classifiers": ("{name}: {n} redes", "{name}: {n} networks"),
    "plots.mistake": (
        "es: {true}\ndice: {predicted}\n{confidence}",
        "is: {true}\nsays: {predicted}\n{confidence}",
    ),
    "plots.is": ("es: {true}", "is: {true}"),
    "plots.pixel_row": ("fila", "row"),
    "plots.pixel_column": ("columna", "column"),
    "plots.forward": ("ida: valores", "forward: values"),
    "plots.backward": ("vuelta: gradientes", "backward: gradients"),
    "plots.probability": ("probabilidad", "probability"),
    "plots.labels": ("etiquetas de entrenamiento", "training labels"),
    "plots.mean_output": ("salida media de cada píxel", "mean output of each pixel"),
    "plots.contributions": ("productos que suma cada píxel", "products that each pixel adds up"),
    "plots.lowest_loss": ("menor pérdida de validación", "lowest validation loss"),
    "plots.highest_accuracy": ("mayor exactitud de validación", "highest validation accuracy"),
    "plots.flat": ("a menos del {share} % del mínimo", "within {share} % of the minimum"),
    "plots.place": ("puesto", "place"),
    "plots.seed": ("semilla {seed}", "seed {seed}"),
    "plots.reproduced": ("reproducido", "reproduced"),
    "plots.dense_units": ("unidades de la capa densa, n", "units of the dense layer, n"),
    "plots.parameters": ("parámetros (millones)", "parameters (millions)"),
    "plots.multiply_adds": (
        "multiplicaciones por imagen\n(millones)",
        "multiply-adds per image\n(millions)",
    ),
    "plots.drop": ("validación menos prueba (puntos)", "validation minus test (points)"),
    "plots.chosen": (
        "la de mayor exactitud de validación",
        "the one of highest validation accuracy",
    ),
    "plots.average": ("la media de las doce", "the mean of the twelve"),
    "plots.kernel": ("núcleo", "kernel"),
    "plots.variance_share": (
        "parte de la varianza entre configuraciones (%)",
        "part of the variance between configurations (%)",
    ),
    "plots.one_field": ("un hiperparámetro por sí solo", "one hyperparameter by itself"),
    "plots.two_fields": ("dos juntos, además", "two together, beyond that"),
    "plots.configurations": (
        "configuraciones entre las que se eligió",
        "configurations chosen among",
    ),
    "plots.excess": ("prometido menos cumplido (puntos)", "promised less kept (points)"),
    "plots.inputs": ("entradas", "inputs"),
    "plots.hidden_layer": ("capa oculta", "hidden layer"),
    "plots.outputs": ("salidas", "outputs"),
    "plots.latent_code": ("código latente", "latent code"),
    "plots.reconstruction": ("reconstrucción", "reconstruction"),
    "plots.encoder": ("codificador", "encoder"),
    "plots.decoder": ("decodificador", "decoder"),
    "plots.momentum": ("SGD con momento", "SGD with momentum"),
    "plots.training_mode": ("al entrenar", "in training"),
    "plots.evaluation_mode": ("al evaluar", "in evaluation"),
    "plots.three_sets": ("tres conjuntos", "three sets"),
    "plots.fits": ("entrenar: ajusta los pesos", "train: fits the weights"),
    "plots.decides": ("validar: decide", "validate: decides"),
    "plots.measures": ("probar: mide, una vez", "test: measures, once"),
    "plots.early_stopping": ("parada temprana", "early stopping"),
    "plots.kept": ("pesos que quedan", "weights that are kept"),
    "plots.patience": ("paciencia", "patience"),
    "plots.cross_validation": ("validación cruzada", "cross-validation"),
    "plots.stride_padding": (
        "paso {stride}, relleno {padding}",
        "stride {stride}, padding {padding}",
    ),
    "plots.transposed": ("traspuesta, paso 2", "transposed, stride 2"),
    "plots.output_padding": ("y relleno de salida 1", "and output padding 1"),
    "plots.constant": ("respuesta constante, a", "constant answer, a"),
    "plots.mean_at": ("media, {value:g}", "mean, {value:g}"),
    "plots.median_at": ("mediana, {value:g}", "median, {value:g}"),
    "plots.values": ("los cinco valores", "the five values"),
    "plots.first_component": ("primera componente", "first component"),
    "plots.one_image": ("una imagen", "one image"),
    "plots.kept_of_it": ("lo que se conserva de ella", "what is kept of it"),
    "plots.mean_image": ("la imagen media", "the mean image"),
    "plots.one_pixel": ("brillo de un píxel", "brightness of one pixel"),
    "plots.other_pixel": ("brillo de otro píxel", "brightness of another pixel"),
    "plots.two_channels": ("entran 2 canales", "2 channels in"),
    "plots.six_kernels": ("3 × 2 núcleos", "3 × 2 kernels"),
    "plots.three_channels": ("salen 3 canales", "3 channels out"),
    "plots.scratch": ("desde cero", "from scratch"),
    "plots.frozen": ("congelado", "frozen"),
    "plots.tuned": ("ajuste fino", "fine-tuned"),
    "plots.linear_layer": ("capa lineal", "linear layer"),
    "plots.random_weights": ("pesos al azar", "random weights"),
    "plots.pretrained": (
        "pesos del\nautocodificador",
        "weights of the\nautoencoder",
    ),
    "plots.trained": ("se entrena", "is trained"),
    "plots.fixed": ("queda fijo", "stays as it is"),
    "plots.minibatch": ("minilote {name}: {values}", "minibatch {name}: {values}"),
    "plots.running_mean": ("medias móviles", "running means"),
    "plots.pretrained_network": ("preentrenada", "pretrained"),
    # inside a network
    "plots.weight": ("peso", "weight"),
    "plots.image": ("imagen", "image"),
    "plots.absolute_value": ("valor absoluto", "absolute value"),
    "plots.zeros": ("{share} % ceros", "{share} % zeros"),
    "plots.activations": ("activaciones", "activations"),
    "plots.gradients": ("gradientes", "gradients"),
    "plots.covered_black": ("tapar con negro", "cover with black"),
    "plots.covered_grey": ("tapar con gris", "cover with grey"),
    "plots.gradient": ("gradiente", "gradient"),
    "plots.dead": ("unidades muertas (fracción)", "dead units (fraction)"),
    # verdict
    "verdict.agrees": ("coincide", "agrees"),
    "verdict.equivalent": ("sin diferencia relevante", "no relevant difference"),
    "verdict.differs": ("difiere", "differs"),
    "verdict.not enough": ("no alcanza", "not enough"),
    "verdict.undecided": ("sin decidir", "undecided"),
    "verdict.calibrated": ("calibrado", "calibrated"),
    "verdict.cannot be compared": ("no comparable", "cannot be compared"),
    # field
    "field.optimizer": ("optimizador", "optimizer"),
    "field.learning_rate": ("tasa", "rate"),
    "field.dropout": ("dropout", "dropout"),
    "field.kernel_size": ("núcleo", "kernel"),
    "field.dense_sizes": ("capa densa", "dense layer"),
    "field.batch_size": ("lote", "batch"),
    # the set-up, .ci/make_env.py
    # the interactive pages
    "live.image": ("imagen", "image"),
    "live.reconstruction": ("reconstrucción", "reconstruction"),
    "live.plane": (
        "plano con el {percent} % de la varianza de los códigos",
        "plane with {percent} % of the variance of the codes",
    ),
    "live.mixed_codes": ("se mezclan los códigos", "the codes are mixed"),
    "live.mixed_pixels": ("se mezclan los píxeles", "the pixels are mixed"),
    # the closing pages of the book
    "closing.no_record": ("sin registro todavía", "no record yet"),
    "closing.no_example": (
        "las páginas de cierre muestran corridas del informe {report}, y sus registros no están. "
        "Para hacerlos: `{fmnist} reproduce {report}`",
        "the closing pages show runs of report {report}, and its records are not here. To make "
        "them: `{fmnist} reproduce {report}`",
    ),
    "closing.report": ("informe {number}", "report {number}"),
    "closing.together": ("1–5 · juntos", "1–5 · together"),
}
