"""The texts of the audit, in Spanish and in English: see :mod:`fmnist_utils.text`."""

from fmnist_utils import text

WORDS = {
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
        "momentum: se dio {momentum}, pero adam y adamw ya llevan sus propios momentos; se admite "
        "0, o optimizer sgd.",
        "momentum: given {momentum}, but adam and adamw keep moments of their own; allowed: 0, or "
        "optimizer sgd.",
    ),
    "recipes.classifiers_only": (
        "flips, shifts, erasing y test_flips valen para clasificadores; {model} reconstruye "
        "imágenes.",
        "flips, shifts, erasing and test_flips are for classifiers; {model} reconstructs images.",
    ),
    "recipes.smoothing_of_cross_entropy": (
        "label_smoothing vale para la pérdida cross_entropy; se pidió {loss}.",
        "label_smoothing is for the loss cross_entropy; {loss} was asked for.",
    ),
    "recipes.augmented_batches": (
        "flips, shifts y erasing cambian minilotes enteros; se admite loading 'resident', no "
        "'per_image'.",
        "flips, shifts and erasing change whole minibatches; allowed: loading 'resident', not "
        "'per_image'.",
    ),
    "recipes.per_image_bytes": (
        "loading='per_image' lee imágenes con píxeles de 0 a 1: sin data.mean ni data.std, y sin "
        "freeze='features'.",
        "loading='per_image' reads images with pixels from 0 to 1: no data.mean or data.std, and "
        "no freeze='features'.",
    ),
    "recipes.snapshots_of_autoencoder": (
        "snapshots guarda reconstrucciones, y {model} no reconstruye: clasifica.",
        "snapshots keeps reconstructions, and {model} makes none: it classifies.",
    ),
    "recipes.no_part": ("{name}: {part} no tiene campos.", "{name}: {part} has no fields."),
    "recipes.features_stay": (
        "freeze=features guarda los códigos una sola vez y entrena solo la cabeza: no va con "
        "flips, shifts, erasing ni average.",
        "freeze=features keeps the codes once and trains the head alone: it does not go with "
        "flips, shifts, erasing or average.",
    ),
    "recipes.no_encoder": (
        "encoder_from y freeze valen para encoder_classifier, el clasificador con codificador; se "
        "pidió {model}.",
        "encoder_from and freeze are for encoder_classifier, the classifier with an encoder; "
        "{model} was asked for.",
    ),
    "recipes.features_vary": (
        "freeze=features guarda los códigos una sola vez, y flatten_dropout={dropout} los cambia "
        "en cada paso: usar freeze=gradient, o flatten_dropout=0.",
        "freeze=features keeps the codes once, and flatten_dropout={dropout} changes them at "
        "every step: use freeze=gradient, or flatten_dropout=0.",
    ),
    "recipes.other_encoder": (
        "encoder_from es un {given}, que no tiene el codificador «{wanted}» de este clasificador.",
        "encoder_from is a {given}, which does not have the “{wanted}” encoder of this classifier.",
    ),
    "recipes.nothing_to_watch": (
        "watch: se dio 'val', pero data.val_size es 0; se admite data.val_size ≥ 1, o watch "
        "'test'.",
        "watch: given 'val', but data.val_size is 0; allowed: data.val_size ≥ 1, or watch 'test'.",
    ),
    # what a parameter may be
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
        "{file} (carpeta {folder}) está dañado: su contenido no es el que se registró. Conviene "
        "borrar esa carpeta y repetir la corrida.",
        "{file} (folder {folder}) is damaged: its content is not what was recorded. Delete that "
        "folder and repeat the run.",
    ),
    "runs.altered": (
        "{file} (carpeta {folder}) fue modificado después de medirse: su resumen SHA-256 no "
        "coincide. Conviene borrarlo y repetir la corrida con `fmnist reproduce`.",
        "{file} (folder {folder}) was altered after it was measured: its SHA-256 does not match. "
        "Delete it and repeat the run with `fmnist reproduce`.",
    ),
    "runs.missing": (
        "falta {file}: pocos registros publicados llevan pesos, y solo el de la primera semilla "
        "lleva ejemplos. Para obtenerlos, train(recipe, weights=True).",
        "{file} is not here: few published records have weights, and only that of the first seed "
        "has examples. To get them, train(recipe, weights=True).",
    ),
    # reports
    "reports.no_records": (
        "el grupo {group!r} no tiene corridas guardadas con el protocolo {protocol!r}. Para "
        "hacerlas: fmnist reproduce",
        "group {group!r} has no recorded runs under protocol {protocol!r}. To make them: "
        "fmnist reproduce",
    ),
    "reports.mixed_groups": (
        "los grupos que se promedian semilla por semilla son de un solo informe; se dieron: "
        "{given}.",
        "groups that are averaged seed by seed are of one report; given: {given}.",
    ),
    "reports.one_quantity": (
        "una medida nombra una sola cantidad, y se compara con minus o con over, no con los dos. "
        "Se dio: {given}. Se admite una de: {allowed}.",
        "a measure names one quantity, and is compared by minus or by over, not by both. Given: "
        "{given}. Allowed: one of {allowed}.",
    ),
    "reports.no_bound": (
        "condición «{what}»: falta above o below, o el primero es mayor que el segundo; así se "
        "cumpliría siempre o nunca.",
        "condition “{what}”: above or below is missing, or the first is larger than the second; "
        "so it would hold always or never.",
    ),
    "reports.matrix_of_a_group": (
        "confusion, la matriz publicada, y confusion_of, el grupo del que es, van juntos.",
        "confusion, the published matrix, and confusion_of, the group that it is of, go together.",
    ),
    "reports.not_a_mapping": (
        "{name}: se esperan campos con su valor (campo: valor), y se dio {given}.",
        "{name}: fields and their values are expected (field: value); given: {given}.",
    ),
    "reports.unreadable": ("no se puede leer {file}: {reason}", "cannot read {file}: {reason}"),
    "reports.unknown": (
        "no existe {given!r}. Se admiten: {allowed}. {hint}",
        "there is no {given!r}. Allowed: {allowed}. {hint}",
    ),
    "reports.no_checkpoint": (
        "No hay una red entrenada que se llame {given!r}; las que hay: {allowed}. {hint}",
        "There is no trained network called {given!r}; there are: {allowed}. {hint}",
    ),
    "reports.checkpoint_missing": (
        "Los pesos de {name} no están entre los registros del repositorio. Para hacerlos: fmnist "
        "reproduce {report}",
        "The weights of {name} are not among the records of the repository. To make them: fmnist "
        "reproduce {report}",
    ),
    # the notice of a page
    # headings of measured quantities
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
    # cost
    "cost.parameters": ("parámetros", "parameters"),
    "cost.image": ("multiplicaciones por imagen (10⁶)", "multiply-adds per image (10⁶)"),
    "cost.epochs": ("épocas", "epochs"),
    "cost.updates": ("actualizaciones", "updates"),
    "cost.multiply_adds": ("multiplicaciones en total (10⁹)", "multiply-adds in all (10⁹)"),
    "cost.seconds": ("segundos", "seconds"),
    # outcome
    "outcome.holds": ("se cumple", "holds"),
    "outcome.fails": ("no se cumple", "fails"),
    "outcome.open": ("sin decidir", "undecided"),
    # audit
    "audit.here": ("aquí", "here"),
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
        "No comparables: {undecided} porque las corridas no lo deciden, {runs} porque faltan "
        "corridas, {report} porque el informe no dice lo que hace falta.",
        "Cannot be compared: {undecided} because the runs do not decide, {runs} because runs are "
        "missing, {report} because the report does not say what it takes.",
    ),
    # search
    "search.grid": ("grilla", "grid"),
    "search.random": ("al azar", "random"),
    "search.tpe": ("TPE", "TPE"),
    "search.halving": ("mitades sucesivas", "successive halving"),
    "search.plain": ("validación simple", "plain validation"),
    "search.nested": ("validación anidada", "nested validation"),
    "search.usual": ("sin buscar", "without a search"),
    # page 07
    "far.with_mirror": ("{name}, con espejo", "{name}, mirrored too"),
    "far.not_measured": ("no se midió aquí: pide una GPU", "not measured here: it asks for a GPU"),
    "far.test": ("exactitud % (prueba)", "accuracy % (test)"),
    "far.others": ("de otros: {name}", "of others: {name}"),
}

text.add(WORDS)
