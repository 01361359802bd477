"""Every word that appears inside a figure, a table or a message, in Spanish and in English.

The other modules name a text by its key (``say("axis.epoch")``) and never hold a sentence of their own, so a page in one
language cannot show the other. Errors that a reader can cause are :class:`UserError`: what was given, what is allowed and
what to do next, in the reader's language.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

LANGUAGES = ("es", "en")

# key: (Spanish, English). Fields in braces are filled by ``say``. One block per module, keys in the order of use.
WORDS: dict[str, tuple[str, str]] = {
    # text
    "text.unknown_language": (
        "idioma desconocido: {given!r}. Se admiten: {allowed}.",
        "unknown language: {given!r}. Allowed: {allowed}.",
    ),
    "text.did_you_mean": ("¿Quiso decir {name!r}?", "Did you mean {name!r}?"),
    # classes, in the order of the labels
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
    # data and synthetic
    "data.notice": (
        "⚠ DATOS SINTÉTICOS. Estas imágenes no son Fashion-MNIST: son prendas dibujadas con fórmulas que ocupan su lugar. "
        "Ningún número obtenido con ellas se puede comparar con los de los informes. "
        "`fmnist data fetch` descarga los datos oficiales.",
        "⚠ SYNTHETIC DATA. These images are not Fashion-MNIST: they are garments drawn by formulas that stand in for it. "
        "No number obtained with them can be compared with those of the reports. "
        "`fmnist data fetch` downloads the official data.",
    ),
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
    "data.no_file": ("ningún archivo", "no file"),
    "data.damaged": (
        "{file} no es el archivo publicado.\n  SHA-256 esperado: {expected}\n  hallado: {found}\n"
        "Conviene reemplazarlo por el publicado, o quitar la variable FMNIST_DATA y ejecutar `fmnist data fetch`.",
        "{file} is not the published file.\n  SHA-256 expected: {expected}\n  found: {found}\n"
        "Replace it by the published one, or unset the variable FMNIST_DATA and run `fmnist data fetch`.",
    ),
    "data.not_idx": (
        "{file} no contiene un arreglo IDX de bytes de forma {shape}. `fmnist data verify` muestra qué archivo es.",
        "{file} does not hold an IDX array of bytes of shape {shape}. `fmnist data verify` shows which file it is.",
    ),
    "data.offline": (
        "Falta {file}, o está dañado, y FMNIST_OFFLINE impide descargarlo.\n  SHA-256 esperado: {expected}\n"
        "  hallado: {found}\n"
        "Con conexión, `fmnist data fetch` lo trae; también se puede nombrar con FMNIST_DATA una carpeta que lo tenga.",
        "{file} is missing or damaged, and FMNIST_OFFLINE forbids downloading it.\n  SHA-256 expected: {expected}\n"
        "  found: {found}\n"
        "Once online, `fmnist data fetch` brings it; or let FMNIST_DATA name a folder that has it.",
    ),
    "data.unreachable": (
        "Falta {file}, o está dañado, y no se pudo descargar.\n  SHA-256 esperado: {expected}\n  hallado: {found}\n"
        "{causes}\nConviene repetir `fmnist data fetch` más tarde, indicar otra dirección con FMNIST_MIRRORS, o nombrar con "
        "FMNIST_DATA una carpeta que tenga los archivos.",
        "{file} is missing or damaged, and could not be downloaded.\n  SHA-256 expected: {expected}\n  found: {found}\n"
        "{causes}\nRun `fmnist data fetch` again later, name another address in FMNIST_MIRRORS, or let FMNIST_DATA name a "
        "folder that has the files.",
    ),
    "data.wrong_bytes": (
        "{size} bytes que no son el archivo publicado; SHA-256 {found}",
        "{size} bytes that are not the published file; SHA-256 {found}",
    ),
    "data.given_up": (
        "demasiado lento: {size} bytes en {seconds:.1f} s",
        "too slow: {size} bytes in {seconds:.1f} s",
    ),
    "data.busy": (
        "Otro proceso descarga los datos desde hace más de {seconds:g} s y retiene {lock}. Conviene esperar a que termine; "
        "si no hay ninguno, borrar ese archivo y ejecutar `fmnist data fetch`.",
        "Another process has been downloading the data for more than {seconds:g} s and holds {lock}. Wait until it ends; "
        "if there is none, delete that file and run `fmnist data fetch`.",
    ),
    "data.cache": (
        "No se puede guardar en {folder}: {cause}. Hacen falta 31 MB y hay {free:.0f} MB libres. La variable FMNIST_CACHE "
        "elige otra carpeta; después, `fmnist data fetch`.",
        "Cannot store in {folder}: {cause}. 31 MB are needed and {free:.0f} MB are free. The variable FMNIST_CACHE chooses "
        "another folder; then `fmnist data fetch`.",
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
        "no se pueden formar minilotes: batch_size={batch_size} (entero desde 1), {inputs} entradas y {targets} objetivos "
        "(deben ser tantas como tantos, al menos una).",
        "cannot make minibatches: batch_size={batch_size} (an integer from 1), {inputs} inputs and {targets} targets (equal "
        "in number, at least one).",
    ),
    "training.diverged": (
        "la pérdida se volvió {loss} en la época {epoch}, paso {step}, con learning_rate={rate:g}. Conviene reducir "
        "learning_rate (por ejemplo a la décima parte) y revisar que las entradas sean finitas.",
        "the loss became {loss} in epoch {epoch}, step {step}, with learning_rate={rate:g}. Lower learning_rate (to a tenth, "
        "say) and check that the inputs are finite.",
    ),
    "training.epochs": ("épocas", "epochs"),
    # evaluation
    "evaluation.precision": ("precisión", "precision"),
    "evaluation.recall": ("exhaustividad", "recall"),
    "evaluation.f1": ("F1", "F1"),
    "evaluation.images": ("imágenes", "images"),
    "evaluation.class": ("clase", "class"),
    "evaluation.true": ("clase verdadera", "true class"),
    "evaluation.predicted": ("clase predicha", "predicted class"),
    "evaluation.share": ("fracción de la clase", "fraction of the class"),
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
    "plots.one_fold": ("un bloque", "one fold"),
    "plots.mean_sd": ("media ± desviación", "mean ± sd"),
    "plots.published": ("publicado", "published"),
    "plots.pca": ("PCA del mismo tamaño", "PCA of the same size"),
    "plots.latent_dim": ("tamaño del espacio latente, n", "size of the latent space, n"),
    "plots.mse": ("error cuadrático medio", "mean squared error"),
    "plots.l1": ("error absoluto medio", "mean absolute error"),
    "plots.best_fit": ("{misfit} %\népoca {epoch}", "{misfit} %\nepoch {epoch}"),
    "plots.cost_epochs": ("épocas", "epochs"),
    "plots.cost_updates": ("actualizaciones", "updates"),
    "plots.cost_multiply_adds": ("multiplicaciones", "multiply-adds"),
    "plots.cost_seconds": ("segundos", "seconds"),
    "plots.z": (
        "z de la diferencia. Arriba, publicado; abajo, media de n = {n}",
        "z of the difference. Above, published; below, mean of n = {n}",
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
    "far.with_mirror": ("{name}, con espejo", "{name}, mirrored too"),
    "far.not_measured": ("no se midió aquí: pide una GPU", "not measured here: it asks for a GPU"),
    "far.test": ("exactitud % (prueba)", "accuracy % (test)"),
    "far.others": ("de otros: {name}", "of others: {name}"),
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
    "plots.drop": ("validación menos prueba (puntos)", "validation less test (points)"),
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
    "plots.epochs_spent": (
        "épocas gastadas, entre todos los intentos",
        "epochs spent, over all trials",
    ),
    "plots.configurations": (
        "configuraciones entre las que se eligió",
        "configurations chosen among",
    ),
    "plots.chosen_accuracy": ("exactitud de la elegida (%)", "accuracy of the chosen one (%)"),
    "plots.excess": ("prometido menos cumplido (puntos)", "promised less kept (points)"),
    "plots.best_there_is": ("la mejor que hay", "the best there is"),
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
    "plots.scratch": ("desde cero", "from scratch"),
    "plots.frozen": ("congelado", "frozen"),
    "plots.tuned": ("ajuste fino", "fine-tuned"),
    "plots.linear_layer": ("capa lineal", "linear layer"),
    "plots.random_weights": ("pesos al azar", "random weights"),
    "plots.pretrained": ("pesos del\nautocodificador", "weights of the\nautoencoder"),
    "plots.trained": ("se entrena", "is trained"),
    "plots.fixed": ("queda fijo", "stays as it is"),
    "plots.minibatch": ("minilote {name}: {values}", "minibatch {name}: {values}"),
    "plots.running_mean": ("medias móviles", "running means"),
    # the interactive pages
    "live.image": ("imagen", "image"),
    "live.reconstruction": ("reconstrucción", "reconstruction"),
    "live.plane": (
        "plano con el {percent} % de la varianza de los códigos",
        "plane with {percent} % of the variance of the codes",
    ),
    "live.mixed_codes": ("se mezclan los códigos", "the codes are mixed"),
    "live.mixed_pixels": ("se mezclan los píxeles", "the pixels are mixed"),
    # recipes
    "recipes.bad": (
        "no se entrenó nada; hay que corregir:\n{details}",
        "nothing was trained; to be corrected:\n{details}",
    ),
    "recipes.unknown": (
        "{name}: no existe ese parámetro. Se admiten: {allowed}. {hint}",
        "{name}: there is no such parameter. Allowed: {allowed}. {hint}",
    ),
    "recipes.wrong": (
        "{name}: se dio {given!r}; se admite: {allowed}. {hint}",
        "{name}: given {given!r}; allowed: {allowed}. {hint}",
    ),
    "recipes.missing": ("{name}: falta ese parámetro.", "{name}: this parameter is missing."),
    "recipes.loss_of_autoencoder": (
        "loss: {model} reconstruye imágenes; se admiten mse y l1, no cross_entropy.",
        "loss: {model} reconstructs images; allowed: mse and l1, not cross_entropy.",
    ),
    "recipes.loss_of_classifier": (
        "loss: {model} clasifica; se admiten cross_entropy y mse, no l1.",
        "loss: {model} classifies; allowed: cross_entropy and mse, not l1.",
    ),
    "recipes.momentum_of_adam": (
        "momentum: se dio {momentum}, pero adam y adamw ya llevan sus propios momentos; se admite 0, o optimizer sgd.",
        "momentum: given {momentum}, but adam and adamw keep moments of their own; allowed: 0, or optimizer sgd.",
    ),
    "recipes.classifiers_only": (
        "flips, shifts, erasing y test_flips valen para clasificadores; {model} reconstruye imágenes.",
        "flips, shifts, erasing and test_flips are for classifiers; {model} reconstructs images.",
    ),
    "recipes.smoothing_of_cross_entropy": (
        "label_smoothing vale para la pérdida cross_entropy; se pidió {loss}.",
        "label_smoothing is for the loss cross_entropy; {loss} was asked for.",
    ),
    "recipes.augmented_batches": (
        "flips, shifts y erasing cambian minilotes enteros; se admite loading 'resident', no 'per_image'.",
        "flips, shifts and erasing change whole minibatches; allowed: loading 'resident', not 'per_image'.",
    ),
    "recipes.per_image_bytes": (
        "loading='per_image' lee imágenes con píxeles de 0 a 1: sin data.mean ni data.std, y sin freeze='features'.",
        "loading='per_image' reads images with pixels from 0 to 1: no data.mean or data.std, and no freeze='features'.",
    ),
    "recipes.snapshots_of_autoencoder": (
        "snapshots guarda reconstrucciones, y {model} no reconstruye: clasifica.",
        "snapshots keeps reconstructions, and {model} makes none: it classifies.",
    ),
    "recipes.no_part": ("{name}: {part} no tiene campos.", "{name}: {part} has no fields."),
    "recipes.features_stay": (
        "freeze=features guarda los códigos una sola vez y entrena solo la cabeza: no va con flips, shifts, erasing ni average.",
        "freeze=features keeps the codes once and trains the head alone: it does not go with flips, shifts, erasing or average.",
    ),
    "recipes.no_encoder": (
        "encoder_from y freeze valen para encoder_classifier, el clasificador con codificador; se pidió {model}.",
        "encoder_from and freeze are for encoder_classifier, the classifier with an encoder; {model} was asked for.",
    ),
    "recipes.features_vary": (
        "freeze=features guarda los códigos una sola vez, y flatten_dropout={dropout} los cambia en cada paso: "
        "usar freeze=gradient, o flatten_dropout=0.",
        "freeze=features keeps the codes once, and flatten_dropout={dropout} changes them at every step: "
        "use freeze=gradient, or flatten_dropout=0.",
    ),
    "recipes.other_encoder": (
        "encoder_from es un {given}, que no tiene el codificador «{wanted}» de este clasificador.",
        "encoder_from is a {given}, which does not have the “{wanted}” encoder of this classifier.",
    ),
    "recipes.nothing_to_watch": (
        "watch: se dio 'val', pero data.val_size es 0; se admite data.val_size ≥ 1, o watch 'test'.",
        "watch: given 'val', but data.val_size is 0; allowed: data.val_size ≥ 1, or watch 'test'.",
    ),
    "allowed.or": (" o ", " or "),
    "allowed.and": (" y ", " and "),
    "allowed.list": ("lista de: {items}", "list of: {items}"),
    "allowed.integer": ("entero", "integer"),
    "allowed.number": ("número", "number"),
    "allowed.string": ("texto", "text"),
    "allowed.boolean": ("True, False", "True, False"),
    "allowed.null": ("None", "None"),
    "allowed.object": ("campos con nombre, {{nombre: valor}}", "named fields, {{name: value}}"),
    "allowed.any": ("cualquier valor", "any value"),
    # runs
    "runs.damaged": (
        "{file} (carpeta {folder}) está dañado: su contenido no es el que se registró. Conviene borrar esa carpeta y repetir la "
        "corrida.",
        "{file} (folder {folder}) is damaged: its content is not what was recorded. Delete that folder and repeat the run.",
    ),
    "runs.altered": (
        "{file} (carpeta {folder}) fue modificado después de medirse: su resumen SHA-256 no coincide. Conviene borrarlo y "
        "repetir la corrida con `fmnist reproduce`.",
        "{file} (folder {folder}) was altered after it was measured: its SHA-256 does not match. Delete it and repeat the run "
        "with `fmnist reproduce`.",
    ),
    "runs.missing": (
        "falta {file}: pocos registros publicados llevan pesos, y solo el de la primera semilla lleva ejemplos. Para obtenerlos, "
        "train(recipe, weights=True).",
        "{file} is not here: few published records have weights, and only that of the first seed has examples. To get them, "
        "train(recipe, weights=True).",
    ),
    "runs.failed": (
        "fallaron {failed} de {total} corridas; las demás terminaron y están guardadas:\n{details}",
        "{failed} of {total} runs failed; the others have finished and are kept:\n{details}",
    ),
    "runs.main_guard": (
        "no empezó ningún proceso: cada uno importa primero el programa que lo pide, y ese vuelve a pedirlos. En un programa, lo "
        'que entrena va debajo de «if __name__ == "__main__":»; con jobs=1 no hace falta.',
        "no process has begun: each one first imports the program that asks for it, which asks again. In a program, what trains "
        'goes under `if __name__ == "__main__":`; with jobs=1 there is no need to.',
    ),
    "runs.killed": (
        "su proceso fue terminado desde afuera tres veces; quizás falta memoria. Conviene repetir con --jobs 1.",
        "its process was killed from outside three times; memory may be short. Try again with --jobs 1.",
    ),
    "runs.cannot_write": (
        "no se pudo escribir {file} ({megabytes} MB): {reason}. Lo anterior sigue intacto. Hace falta espacio o permiso en esa "
        "carpeta, u otra carpeta en FMNIST_RUNS.",
        "cannot write {file} ({megabytes} MB): {reason}. What was there is intact. Make room or get permission in that folder, "
        "or name another one in FMNIST_RUNS.",
    ),
    "runs.no_folder": (
        "no se puede usar la carpeta de corridas {folder}: {reason}. Hace falta permiso y espacio en ella, o bien nombrar otra "
        "en FMNIST_RUNS.",
        "cannot use the folder of runs {folder}: {reason}. Get permission and room in it, or name another one in FMNIST_RUNS.",
    ),
    "runs.out_of_memory": (
        "la memoria de {device} no alcanza con batch_size={batch_size}. Conviene reducir batch_size, cerrar otros programas que "
        "usen ese dispositivo, o usar device='cpu'.",
        "the memory of {device} is too small for batch_size={batch_size}. Lower batch_size, close other programs that use that "
        "device, or use device='cpu'.",
    ),
    "runs.bad_name": (
        "{given!r} no sirve como nombre de archivo. Se admiten letras, cifras, espacios y . _ - , ( ) + =, hasta 120 caracteres, "
        "sin carpetas y sin los nombres que Windows reserva.",
        "{given!r} cannot be a file's name. Allowed: letters, digits, spaces and . _ - , ( ) + =, up to 120 characters, no "
        "folders and none of the names that Windows reserves.",
    ),
    # reports and audit
    "reports.mixed_groups": (
        "los grupos que se promedian semilla por semilla son de un solo informe; se dieron: {given}.",
        "groups that are averaged seed by seed are of one report; given: {given}.",
    ),
    "reports.one_quantity": (
        "una medida nombra una sola cantidad, y se compara con minus o con over, no con los dos. Se dio: {given}. Se admite una de: "
        "{allowed}.",
        "a measure names one quantity, and is compared by minus or by over, not by both. Given: {given}. Allowed: one of {allowed}.",
    ),
    "reports.no_bound": (
        "condición «{what}»: falta above o below, o el primero es mayor que el segundo; así se cumpliría siempre o nunca.",
        "condition “{what}”: above or below is missing, or the first is larger than the second; so it would hold always or never.",
    ),
    "reports.matrix_of_a_group": (
        "confusion, la matriz publicada, y confusion_of, el grupo del que es, van juntos.",
        "confusion, the published matrix, and confusion_of, the group that it is of, go together.",
    ),
    "reports.not_a_mapping": (
        "{name}: se esperan campos con su valor (campo: valor), y se dio {given}.",
        "{name}: fields and their values are expected (field: value); given: {given}.",
    ),
    "reports.unreadable": (
        "no se puede leer {file}: {reason}",
        "cannot read {file}: {reason}",
    ),
    "reports.unknown": (
        "no existe {given!r}. Se admiten: {allowed}. {hint}",
        "there is no {given!r}. Allowed: {allowed}. {hint}",
    ),
    "reports.no_checkpoint": (
        "No hay una red entrenada que se llame {given!r}; las que hay: {allowed}. {hint}",
        "There is no trained network called {given!r}; there are: {allowed}. {hint}",
    ),
    "reports.checkpoint_missing": (
        "Los pesos de {name} no están entre los registros del repositorio. Para hacerlos: fmnist reproduce {report}",
        "The weights of {name} are not among the records of the repository. To make them: fmnist reproduce {report}",
    ),
    "reports.full_is_official": (
        "profile='full' muestra los resultados medidos con los datos oficiales; se admite source='official' o 'auto', o bien "
        "profile='quick'.",
        "profile='full' shows what was measured on the official data; allowed: source='official' or 'auto', or else "
        "profile='quick'.",
    ),
    # execution
    "execution.no_page": (
        "El informe {report} no tiene cuaderno aquí. Cuadernos: {allowed}. También se puede dar la ruta de una copia (.ipynb).",
        "Report {report} has no notebook here. Notebooks: {allowed}. The path of a copy (.ipynb) will do too.",
    ),
    "execution.no_notebook": (
        "No existe el archivo {path}. Se admite el número o el nombre de un informe, o la ruta de un cuaderno. {hint}",
        "There is no file {path}. Allowed: a report's number or name, or the path of a notebook. {hint}",
    ),
    "execution.not_a_notebook": (
        "{path} no es un cuaderno de Jupyter (JSON con celdas). Conviene descargarlo de nuevo.",
        "{path} is not a Jupyter notebook (JSON with cells). Download it again.",
    ),
    "execution.no_report": (
        '{path} no llama a load_report("…"): no se sabe qué parámetros admite. Para cuadernos ajenos está papermill.',
        '{path} does not call load_report("…"): there is no telling which parameters it takes. For other notebooks there is '
        "papermill.",
    ),
    "execution.no_papermill": (
        "Falta papermill, que ejecuta los cuadernos. Para instalarlo: pip install -e '.[notebooks]'",
        "papermill, which runs notebooks, is missing. To install it: pip install -e '.[notebooks]'",
    ),
    "execution.outside": (
        "-o: {out!r} queda fuera de la carpeta de trabajo, {folder}. Conviene ir a la carpeta deseada (cd) y dar un nombre sin "
        "carpetas de fuera.",
        "-o: {out!r} lies outside the working folder, {folder}. Go to the folder you want (cd) and give a name within it.",
    ),
    "execution.not_ipynb": (
        "-o: {out!r} no termina en .ipynb; por ejemplo, {example}.",
        "-o: {out!r} does not end in .ipynb; for example, {example}.",
    ),
    "execution.no_folder": (
        "-o: {out!r} pide una carpeta que no existe. Para crearla: mkdir -p {folder}",
        "-o: {out!r} asks for a folder that does not exist. To make it: mkdir -p {folder}",
    ),
    "execution.overwrites": (
        "-o: {out!r} ocuparía el lugar de una página. Otro nombre: {example}.",
        "-o: {out!r} would take the place of a page. Another name: {example}.",
    ),
    "execution.busy": (
        "Otra ejecución está escribiendo {out}. Conviene esperar a que termine o dar otro nombre con -o.",
        "Another run is writing {out}. Wait for it to end, or give another name with -o.",
    ),
    "execution.failed": (
        "{notebook} no llegó al final: {problem}\nLo que alcanzó a hacer está en {partial}, marcado como parcial.",
        "{notebook} did not reach its end: {problem}\nWhat it did is in {partial}, marked as partial.",
    ),
    "execution.raised": ("falló la celda {cell}\n{error}", "cell {cell} failed\n{error}"),
    "execution.left": (
        "se fue antes de tiempo en la celda {cell}. {error}\nConviene quitar lo que termina el programa, como sys.exit().",
        "it left early in cell {cell}. {error}\nRemove what ends the program, such as sys.exit().",
    ),
    "execution.died": (
        "el núcleo murió en la celda {cell}. Quizás falta memoria: conviene reducir train_size o batch_size, o cerrar otros "
        "programas.",
        "the kernel died in cell {cell}. Memory may be short: lower train_size or batch_size, or close other programs.",
    ),
    "execution.timeout": (
        "la celda {cell} pasó de {seconds} s, el límite de --timeout. Conviene darle más tiempo o menos trabajo (num_epochs).",
        "cell {cell} took more than {seconds} s, the limit of --timeout. Give it more time, or less work (num_epochs).",
    ),
    "execution.no_kernel": (
        "no hay un núcleo de Jupyter llamado python3. Qué hacer: fmnist doctor",
        "there is no Jupyter kernel called python3. What to do: fmnist doctor",
    ),
    "execution.not_started": (
        "no empezó: {reason}\nQué hacer: fmnist doctor",
        "it did not start: {reason}\nWhat to do: fmnist doctor",
    ),
    "execution.interrupted": ("se interrumpió.", "it was interrupted."),
    "execution.notice": (
        "**PARCIAL.** Este cuaderno no llegó al final ({run} de {cells} celdas): {problem}",
        "**PARTIAL.** This notebook did not reach its end ({run} of {cells} cells): {problem}",
    ),
    # doctor
    "doctor.good": ("bien", "good"),
    "doctor.bad": ("MAL", "BAD"),
    "doctor.healthy": ("Todo está en orden.", "All is in order."),
    "doctor.ill": (
        "Problemas: {count}. Después de corregirlos: fmnist doctor",
        "Problems: {count}. Once mended: fmnist doctor",
    ),
    "doctor.versions": ("Python {python}, PyTorch {torch}", "Python {python}, PyTorch {torch}"),
    "doctor.no_package": (
        "falta el paquete {name} (desde la versión {needed}). Para instalarlo: pip install -e .",
        "the package {name} (from version {needed}) is missing. To install it: pip install -e .",
    ),
    "doctor.old_package": (
        "{name} {found} es demasiado viejo: se necesita {needed} o posterior. Para actualizarlo: "
        "pip install --upgrade '{name}>={needed}'",
        "{name} {found} is too old: {needed} or later is needed. To update it: pip install --upgrade '{name}>={needed}'",
    ),
    "doctor.torch_loads": ("PyTorch se carga", "PyTorch loads"),
    "doctor.slow_bfloat16": (
        "Este procesador no multiplica en bfloat16: casi todas las corridas completas de los informes 3 a 7 tardarían aquí decenas\n"
        "    de veces más que en float32. Las páginas no las necesitan: leen sus registros, y en quick entrenan en float32",
        "This processor does not multiply in bfloat16: nearly all complete runs of reports 3 to 7 would take tens of times as long\n"
        "    here as in float32. The pages do not need them: they read their records, and in quick they train in float32",
    ),
    "doctor.mixed_builds": (
        "torch {torch} y torchvision {torchvision} son de compilaciones distintas y no funcionan juntos: {reason}\n"
        "    Hay que instalarlos juntos, del mismo origen: pip install --force-reinstall torch torchvision",
        "torch {torch} and torchvision {torchvision} are of different builds and do not work together: {reason}\n"
        "    Install them together, from one source: pip install --force-reinstall torch torchvision",
    ),
    "doctor.torch_broken": (
        "PyTorch {version} no se puede cargar: {reason}\n    Para instalarlo de nuevo: pip install --force-reinstall torch",
        "PyTorch {version} cannot be loaded: {reason}\n    To install it anew: pip install --force-reinstall torch",
    ),
    "doctor.killed": (
        "el proceso terminó con el código {code}",
        "the process ended with code {code}",
    ),
    "doctor.timeout": ("no terminó en {seconds} s", "it did not end within {seconds} s"),
    "doctor.kernel": (
        "El núcleo de Jupyter es de este Python",
        "The Jupyter kernel is this Python's",
    ),
    "doctor.no_notebooks": (
        "falta lo que ejecuta los cuadernos: {missing}. Para instalarlo: pip install -e '.[notebooks]'",
        "what runs notebooks is missing: {missing}. To install it: pip install -e '.[notebooks]'",
    ),
    "doctor.no_kernel": (
        "no hay un núcleo de Jupyter llamado python3 (los que hay: {known}). Para crearlo:\n"
        "    {python} -m ipykernel install --sys-prefix",
        "there is no Jupyter kernel called python3 (there are: {known}). To make it:\n"
        "    {python} -m ipykernel install --sys-prefix",
    ),
    "doctor.foreign_kernel": (
        "el núcleo python3 de Jupyter usa otro Python, {program}, que no tiene este paquete. Para que use este:\n"
        "    {python} -m ipykernel install --sys-prefix",
        "Jupyter's kernel python3 uses another Python, {program}, which does not have this package. To have it use this one:\n"
        "    {python} -m ipykernel install --sys-prefix",
    ),
    "doctor.folder": (
        "{variable}: {folder}, {free:.0f} GB libres",
        "{variable}: {folder}, {free:.0f} GB free",
    ),
    "doctor.unwritable": (
        "no se puede escribir en {folder}: {reason}. Conviene elegir otra carpeta: export {variable}=carpeta",
        "{folder} cannot be written: {reason}. Choose another folder: export {variable}=folder",
    ),
    "doctor.not_a_folder": ("{path} no es una carpeta", "{path} is not a folder"),
    "doctor.no_space": (
        "quedan {free:.0f} MB en {folder} y hacen falta {needed}. Conviene liberar espacio o elegir otra carpeta: "
        "export {variable}=carpeta",
        "{free:.0f} MB are left in {folder}, and {needed} are needed. Make room, or choose another folder: "
        "export {variable}=folder",
    ),
    "doctor.data": (
        "Los cuatro archivos oficiales están en {folder}",
        "The four official files are in {folder}",
    ),
    "doctor.data_to_fetch": (
        "Faltan {missing} archivos oficiales en {folder}; se pueden bajar: fmnist data fetch",
        "{missing} official files are not in {folder}; they can be had: fmnist data fetch",
    ),
    "doctor.data_folder": (
        "FMNIST_DATA nombra {folder}, donde faltan o están dañados: {files}. Conviene corregirla, o quitarla (unset FMNIST_DATA) "
        "y ejecutar fmnist data fetch",
        "FMNIST_DATA names {folder}, where these are missing or damaged: {files}. Mend it, or unset FMNIST_DATA and run "
        "fmnist data fetch",
    ),
    "doctor.no_network": (
        "faltan {missing} archivos oficiales en {folder}, y no se llega a donde están:\n    {mirrors}\n"
        "    Con red, fmnist data fetch los baja; sin ella, se pueden copiar de otra computadora a una carpeta y nombrarla: "
        "export FMNIST_DATA=carpeta\n    Mientras tanto las páginas usan datos sintéticos y lo avisan.",
        "{missing} official files are not in {folder}, and where they are is out of reach:\n    {mirrors}\n"
        "    Once online, fmnist data fetch brings them; otherwise copy them from another computer to a folder and name it: "
        "export FMNIST_DATA=folder\n    Until then the pages use synthetic data, and say so.",
    ),
    "doctor.offline": (
        "faltan {missing} archivos oficiales en {folder}, y FMNIST_OFFLINE impide bajarlos. Para bajarlos: unset FMNIST_OFFLINE "
        "y fmnist data fetch",
        "{missing} official files are not in {folder}, and FMNIST_OFFLINE forbids the download. To get them: unset "
        "FMNIST_OFFLINE, then fmnist data fetch",
    ),
    "doctor.data_unknown": (
        "Los datos no se pudieron revisar: primero tiene que cargarse PyTorch.",
        "The data could not be looked at: PyTorch has to load first.",
    ),
    # set-up (.ci/make_env.py)
    "env.making": ("Preparando el entorno {folder}.", "Setting up the environment {folder}."),
    "env.updating": ("Actualizando el entorno {folder}.", "Updating the environment {folder}."),
    "env.repairing": (
        "La preparación anterior de {folder} quedó a medias: se rehace desde el principio.",
        "The last set-up of {folder} was cut short: making it anew from the start.",
    ),
    "env.cost": (
        "Se hace una sola vez: unos minutos y hasta {gigabytes} GB de disco (hay {free:.0f} GB libres).",
        "This happens once: some minutes and up to {gigabytes} GB of disk ({free:.0f} GB are free).",
    ),
    "env.waiting": (
        "Otro proceso está preparando {folder}; se espera a que termine.",
        "Another process is setting up {folder}; waiting for it to finish.",
    ),
    "env.ready": ("Entorno listo: {folder}", "Environment ready: {folder}"),
    "env.foreign_folder": (
        "{folder} no está vacía y no es un entorno virtual: no se toca. Conviene elegir otra carpeta, por ejemplo "
        "make book VENV=.venv-fmnist",
        "{folder} is not empty and is no virtual environment: it is left alone. Choose another folder, for example "
        "make book VENV=.venv-fmnist",
    ),
    "env.failed": (
        "No se pudo preparar {folder}: falló «{command}» (el motivo está más arriba). Las causas habituales:\n"
        "  - no se llega al registro de paquetes: revisar la conexión o la configuración de pip (pip config list);\n"
        "  - falta disco: se usan hasta {gigabytes} GB, y otro tanto de paso en la carpeta temporal (había {free:.0f} GB "
        "libres; TMPDIR=carpeta elige otra);\n"
        "  - Python vino sin el módulo venv: en Debian y Ubuntu, apt install python3-venv.\n"
        "Después, repetir el mismo comando.",
        "Could not set up {folder}: `{command}` failed (the reason stands above). The usual causes:\n"
        "  - the package registry is out of reach: check the connection, or pip's settings (pip config list);\n"
        "  - no disk space: up to {gigabytes} GB are used, and as much in passing in the temporary folder ({free:.0f} GB "
        "were free; TMPDIR=folder chooses another);\n"
        "  - Python came without its venv module: on Debian and Ubuntu, apt install python3-venv.\n"
        "Then repeat the same command.",
    ),
    "page.quick": (
        "**Ensayo en vivo** (perfil `quick`): cada red se entrena aquí mismo con {images} imágenes durante {epochs} épocas. El "
        "texto comenta las corridas completas (perfil `full`).",
        "**A live rehearsal** (profile `quick`): each network is trained right here, on {images} images for {epochs} epochs. "
        "The text comments on the complete runs (profile `full`).",
    ),
    "page.full": (
        "**Corridas completas** (perfil `full`): las curvas y las tablas salen de los registros publicados, medidos con los datos "
        "oficiales; lo que no tiene registro se entrena.",
        "**Complete runs** (profile `full`): curves and tables come from the published records, measured on the official data; "
        "what has no record is trained.",
    ),
    "metric.selected_epoch": ("mejor época", "best epoch"),
    "metric.parameters": ("parámetros", "parameters"),
    "metric.multiply_adds": ("multiplicaciones por imagen", "multiply-adds per image"),
    "metric.test_loss": ("pérdida (prueba)", "loss (test)"),
    "metric.test_accuracy": ("exactitud % (prueba)", "accuracy % (test)"),
    "metric.test_dead_units": ("unidades muertas", "dead units"),
    "metric.test_flipped_accuracy": (
        "exactitud % (prueba, con espejo)",
        "accuracy % (test, mirrored too)",
    ),
    "metric.val_flipped_accuracy": (
        "exactitud % (validación, con espejo)",
        "accuracy % (validation, mirrored too)",
    ),
    "metric.val_loss": ("pérdida (validación)", "loss (validation)"),
    "metric.val_accuracy": ("exactitud % (validación)", "accuracy % (validation)"),
    "metric.train_loss": ("pérdida (entrenamiento)", "loss (training)"),
    "metric.train_accuracy": ("exactitud % (entrenamiento)", "accuracy % (training)"),
    "cost.parameters": ("parámetros", "parameters"),
    "cost.image": ("multiplicaciones por imagen (10⁶)", "multiply-adds per image (10⁶)"),
    "cost.epochs": ("épocas", "epochs"),
    "cost.updates": ("actualizaciones", "updates"),
    "cost.multiply_adds": ("multiplicaciones en total (10⁹)", "multiply-adds in all (10⁹)"),
    "cost.seconds": ("segundos", "seconds"),
    "verdict.agrees": ("coincide", "agrees"),
    "verdict.differs": ("difiere", "differs"),
    "verdict.cannot be compared": ("no comparable", "cannot be compared"),
    "outcome.holds": ("se cumple", "holds"),
    "outcome.fails": ("no se cumple", "fails"),
    "outcome.open": ("sin decidir", "undecided"),
    "audit.number_agrees": (
        "Cabe entre {low} y {high}, donde caería otra corrida como las {n} nuestras.",
        "Lies between {low} and {high}, where one more run like our {n} would fall.",
    ),
    "audit.number_differs": (
        "Queda fuera de {low} a {high}, donde caería otra corrida como las {n} nuestras.",
        "Lies outside {low} to {high}, where one more run like our {n} would fall.",
    ),
    "audit.too_few": (
        "Corridas hechas: {n}; hacen falta al menos dos.",
        "Runs made: {n}; it takes at least two.",
    ),
    "audit.unpaired_runs": ("{first} y {second}, sin aparear", "{first} and {second}, unpaired"),
    "audit.no_runs": ("sin corridas", "no runs"),
    "audit.condition": (
        "{what}: {measured}; se pide {wanted}: {outcome}.",
        "{what}: {measured}; asked {wanted}: {outcome}.",
    ),
    "audit.ours_otherwise": ("Con nuestro protocolo: {verdict}.", "Under our protocol: {verdict}."),
    "audit.point": ("punto", "point"),
    "audit.points": ("puntos", "points"),
    "audit.error": ("qué está mal y qué es correcto", "what is wrong, and what is right"),
    "audit.what": ("qué", "what"),
    "audit.published": ("publicado", "published"),
    "audit.theirs": ("su protocolo", "their protocol"),
    "audit.ours": ("nuestro protocolo", "our protocol"),
    "audit.verdict": ("veredicto", "verdict"),
    "audit.reason": ("por qué", "why"),
    "audit.summary_number": (
        "Números: {total}. Coinciden {agrees}, difieren {differs}, no comparables {cannot}.",
        "Numbers: {total}. Agree {agrees}, differ {differs}, cannot be compared {cannot}.",
    ),
    "audit.summary_claim": (
        "Afirmaciones: {total}. Coinciden {agrees}, difieren {differs}, no comparables {cannot}.",
        "Claims: {total}. Agree {agrees}, differ {differs}, cannot be compared {cannot}.",
    ),
    "audit.summary_open": (
        "No comparables: {undecided} porque las corridas no lo deciden, {runs} porque faltan corridas, {report} porque el informe "
        "no dice lo que hace falta.",
        "Cannot be compared: {undecided} because the runs do not decide, {runs} because runs are missing, {report} because the "
        "report does not say what it takes.",
    ),
    # closing pages of the book
    "closing.no_record": ("sin registro todavía", "no record yet"),
    "closing.no_example": (
        "las páginas de cierre muestran corridas del informe {report}, y sus registros no están. Para hacerlos: fmnist reproduce "
        "{report}",
        "the closing pages show runs of report {report}, and its records are not here. To make them: fmnist reproduce {report}",
    ),
    "closing.report": ("informe {number}", "report {number}"),
    "closing.together": ("1–5 · juntos", "1–5 · together"),
    # cli
    "cli.not_a_change": (
        "--set: se dio {given!r}; se admite CAMPO=VALOR, por ejemplo num_epochs=5 o model.dropout=0.1.",
        "--set: given {given!r}; allowed: FIELD=VALUE, for example num_epochs=5 or model.dropout=0.1.",
    ),
    "cli.good": ("bien", "good"),
    "cli.bad": ("falta o está dañado", "missing or damaged"),
    "cli.data_folder": (
        "Los archivos oficiales se buscan en {folder}",
        "The official files are looked for in {folder}",
    ),
    "cli.data_next": ("Para bajarlos: fmnist data fetch", "To get them: fmnist data fetch"),
    "cli.data_offline": ("FMNIST_OFFLINE impide bajarlos.", "FMNIST_OFFLINE forbids the download."),
    "cli.data_complete": ("Los cuatro archivos están completos.", "The four files are complete."),
    "cli.data_digests": (
        "         se esperaba {expected}\n         se encontró {found}",
        "         expected {expected}\n         found    {found}",
    ),
    "cli.cells": ("  celdas: {run} de {cells}", "  cells: {run} of {cells}"),
    "cli.ran": ("Listo en {seconds:.0f} s: {file}", "Done in {seconds:.0f} s: {file}"),
    "cli.interrupted": (
        "Interrumpido. Nada de lo terminado se pierde; para seguir desde la última época: {command}",
        "Interrupted. Nothing that was finished is lost; to go on from the last epoch: {command}",
    ),
    "cli.plan": (
        "{report}: {total} corridas, faltan {missing}",
        "{report}: {total} runs, {missing} missing",
    ),
    "cli.slow_bfloat16": (
        "Corridas que multiplican en bfloat16: {count}. Este procesador no sabe hacerlo; PyTorch lo imita, y puede tardar decenas\n"
        "de veces más que en float32. En float32 son otras recetas, con registros propios: --set precision=float32 en fmnist\n"
        "train, set: {{precision: float32}} en un plan.",
        "Runs that multiply in bfloat16: {count}. This processor cannot; PyTorch imitates it, and may take tens of times as long as\n"
        "in float32. In float32 they are other recipes, with records of their own: --set precision=float32 in fmnist train,\n"
        "set: {{precision: float32}} in a plan.",
    ),
    "cli.yardsticks": (
        "{file}: los errores de PCA y de las imágenes constantes",
        "{file}: the errors of PCA and of constant images",
    ),
    "cli.published": ("  {file}  ({seconds:.0f} s)", "  {file}  ({seconds:.0f} s)"),
    # plans
    "plans.unreadable": (
        "no se puede leer el plan {file}: {reason}. Se espera un archivo YAML con una lista, runs; la página «Cómo se ejecuta» "
        "trae ejemplos.",
        "cannot read the plan {file}: {reason}. A YAML file with a list, runs, is expected; the page “How to run it” has "
        "examples.",
    ),
    "plans.one_of": (
        "cada elemento de runs nombra una sola de estas cosas: report, recipe o page.",
        "each item of runs names one and only one of these: report, recipe or page.",
    ),
    "plans.group_of_report": ("group: vale con report.", "group: goes with report."),
    "plans.protocol_of_group": (
        "protocol: un informe entero se hace con los suyos; para elegir uno hace falta group.",
        "protocol: a whole report is made under its own; to choose one takes group.",
    ),
    "plans.page_changed": (
        "{page} cambió después de que se encargara esta corrida. Un barrido nuevo la encarga como está ahora.",
        "{page} has changed since this run was asked for. A new sweep asks for it as it is now.",
    ),
    "plans.seeds_of_group": (
        "seeds: un informe entero tiene las suyas; para elegirlas hace falta group.",
        "seeds: a whole report has its own; to choose them takes group.",
    ),
    "plans.no_folds": (
        "folds vale para recetas; una página se repite con seeds o con grid.",
        "folds is for recipes; a page is repeated with seeds or with grid.",
    ),
    # search
    "search.unknown": (
        "método de búsqueda desconocido: {given!r}. Se admiten: {allowed}. {hint}",
        "unknown search method: {given!r}. Allowed: {allowed}. {hint}",
    ),
    "search.budget": (
        "el presupuesto, {budget} épocas, no alcanza para un intento, que tiene {epochs}.",
        "the budget, {budget} epochs, is not enough for one trial, which has {epochs}.",
    ),
    "search.incomplete": (
        "la configuración {given} tiene {found} corridas, y cada una debe tener tantas como las demás.",
        "the configuration {given} has {found} runs, and each must have as many as the others.",
    ),
    "search.no_optuna": (
        "para buscar hace falta Optuna: pip install -e '.[search]'",
        "searching needs Optuna: pip install -e '.[search]'",
    ),
    "search.grid": ("grilla", "grid"),
    "search.random": ("al azar", "random"),
    "search.tpe": ("TPE", "TPE"),
    "search.halving": ("mitades sucesivas", "successive halving"),
    "search.plain": ("validación simple", "plain validation"),
    "search.nested": ("validación anidada", "nested validation"),
    "search.method": ("método", "method"),
    "search.trials": ("intentos", "trials"),
    "search.reached": ("llegan a un σ de la mejor", "arrive within one σ of the best"),
    "search.epochs": ("épocas hasta llegar (mediana)", "epochs until then (median)"),
    "search.usual": ("sin buscar", "without a search"),
    "search.accuracy": ("exactitud de la elegida", "accuracy of the chosen one"),
    "field.optimizer": ("optimizador", "optimizer"),
    "field.learning_rate": ("tasa", "rate"),
    "field.dropout": ("dropout", "dropout"),
    "field.kernel_size": ("núcleo", "kernel"),
    "field.batch_size": ("lote", "batch"),
    # sweeps
    "sweeps.differs": (
        "la corrida {id} se hizo dos veces y no dio lo mismo bit por bit, como ocurre entre procesadores distintos; queda la que "
        "terminó primero.",
        "run {id} was made twice and did not come out the same bit by bit, as happens between different processors; the one that "
        "finished first is kept.",
    ),
    "sweeps.blocked": (
        "no empezó: falló la corrida de cuyo codificador parte",
        "not begun: the run whose encoder it starts from has failed",
    ),
    "sweeps.no_dask": (
        "--engine dask necesita el complemento «cluster». Para instalarlo: pip install -e '.[cluster]'. Sin él, --engine local usa "
        "esta computadora, y «fmnist worker» varias que compartan una carpeta.",
        "--engine dask needs the extra “cluster”. To install it: pip install -e '.[cluster]'. Without it, --engine local uses this "
        "computer, and `fmnist worker` several that share a folder.",
    ),
    "sweeps.no_scheduler": (
        "no se llega al planificador de Dask en {address}: {reason}. Nada de lo terminado se pierde; el mismo comando sigue donde "
        "quedó.",
        "the Dask scheduler at {address} is out of reach: {reason}. Nothing that was finished is lost; the same command goes on "
        "where it was.",
    ),
    "sweeps.scheduler_of_dask": (
        "--scheduler vale con --engine dask.",
        "--scheduler goes with --engine dask.",
    ),
    "sweeps.plan": (
        "Plan: {total} corridas, faltan {missing}.",
        "Plan: {total} runs, {missing} missing.",
    ),
    "sweeps.unknown_cost": (
        "De {unknown} no hay registros parecidos y no se sabe cuánto tardan; no cuentan en lo que sigue.",
        "Of {unknown} there are no like records, so how long they take is not known; what follows leaves them out.",
    ),
    "sweeps.cost": (
        "Costo estimado con los registros de corridas parecidas: {runs} corridas, {alone} de una en una.",
        "Estimated cost, from the records of like runs: {runs} runs, {alone} one after the other.",
    ),
    "sweeps.projection": (
        "Con {hands} a la vez: {took}, con {busy:.0f} % del tiempo en entrenar y {losses} computadoras perdidas en el camino "
        "(simulación).",
        "With {hands} at a time: {took}, with {busy:.0f} % of the time in training and {losses} workers lost on the way "
        "(simulated).",
    ),
    "sweeps.conditions": (
        "  Se supone: {start_up:g} s para empezar cada corrida; {failing:g} % que fallan una vez; cada trabajador se pierde "
        "{losses_per_day:g} vez por día, lo notan a los {lease:g} s y vuelve a los {back_after:g} s; {epochs} épocas por corrida; "
        "todos igual de rápidos.",
        "  Taken for granted: {start_up:g} s to begin each run; {failing:g} % that fail once; each worker is lost "
        "{losses_per_day:g} time a day, is missed after {lease:g} s and is back after {back_after:g} s; {epochs} epochs a run; all "
        "equally fast.",
    ),
    "sweeps.days": ("{count:.1f} días", "{count:.1f} days"),
    "sweeps.hours": ("{count:.1f} horas", "{count:.1f} hours"),
    "sweeps.minutes": ("{count:.0f} minutos", "{count:.0f} minutes"),
    "sweeps.seconds": ("{count:.0f} segundos", "{count:.0f} seconds"),
    "sweeps.finished": (
        "Listo: las {total} corridas del plan están hechas.",
        "Done: all {total} runs of the plan are made.",
    ),
    "sweeps.no_store": (
        "no hay una carpeta {folder}. --store nombra una en la que ya se haya hecho un barrido; sin él se mira la de siempre.",
        "there is no folder {folder}. --store names one in which there has been a sweep; without it the usual one is looked at.",
    ),
    "sweeps.store": ("Corridas en {folder}", "Runs in {folder}"),
    "sweeps.done": ("hechas", "done"),
    "sweeps.running": ("en curso", "running"),
    "sweeps.stale": (
        "abandonadas: otro trabajador las retomará",
        "abandoned: another worker will take them up",
    ),
    "sweeps.failed": ("fallidas", "failed"),
    "sweeps.waiting": ("en espera", "waiting"),
    "sweeps.beat": (
        "{host}, última señal hace {seconds:.0f} s",
        "{host}, last sign {seconds:.0f} s ago",
    ),
    "sweeps.retry": (
        "Para intentar de nuevo las fallidas: fmnist sweep PLAN.yaml --retry. El detalle está en failed.json, en la carpeta attempts.",
        "To try the failed ones again: fmnist sweep PLAN.yaml --retry. The details are in failed.json, in the folder attempts.",
    ),
}

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
    from_environment = os.environ.get("FMNIST_LANG", "es")
    return from_environment if from_environment in LANGUAGES else "es"


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Have ``lang`` in force for as long as the block lasts."""
    global _language
    before = _language
    set_language(lang)
    try:
        yield
    finally:
        _language = before


def say(key: str, /, lang: str | None = None, **values) -> str:
    """Return the text named ``key`` in the language in force (or ``lang``), its fields filled with ``values``.

    Raises:
        KeyError: if there is no such text; that is a mistake of ours, not of the reader.
    """
    return WORDS[key][LANGUAGES.index(lang or get_language())].format(**values)


def class_names(lang: str | None = None) -> list[str]:
    """Return the names of the ten classes, in the order of their labels."""
    return [say(f"class.{label}", lang=lang) for label in range(10)]


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return the sentence *Did you mean …?* for the allowed name closest to ``name``, or an empty string."""
    known = {str(item).lower(): str(item) for item in allowed}
    matches = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.6)
    return say("text.did_you_mean", name=known[matches[0]]) if matches else ""


class UserError(ValueError):
    """An error that the reader can cause and can mend; its message is a text of this module.

    Attributes:
        key: the key of the text.
        values: the fields that fill it.
    """

    def __init__(self, key: str, /, **values):
        self.key, self.values = key, values
        super().__init__(say(key, **values))

    def __reduce__(
        self,
    ):  # so that it crosses process borders: keyword arguments are lost by default
        return _rebuild_error, (type(self), self.key, self.values)


class Failure(UserError):
    """What was asked for is allowed, and failed when it ran."""


def _rebuild_error(cls, key, values):
    return cls(key, **values)
