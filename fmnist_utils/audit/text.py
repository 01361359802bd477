"""The texts of the audit, in Spanish and in English: see :mod:`fmnist_utils.text`.

It is long, but nothing is done in it: one list of pairs is easier to search than several.
"""

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
    "recipes.is_text": (
        "Es texto; como número se escribe {number}.",
        "That is text; as a number it is written {number}.",
    ),
    "recipes.is_list": (
        "Es texto; como lista se escribe {items}: con `{fmnist} run`, -p {name} '{items}'; con "
        "papermill, -y '{name}: {items}'.",
        "That is text; as a list it is written {items}: with `{fmnist} run`, -p {name} '{items}'; "
        "with papermill, -y '{name}: {items}'.",
    ),
    "parameters.not_in_force": (
        "{name}: se pidió {given!r} y rige {found!r}, porque ninguna celda del cuaderno tiene la "
        "etiqueta parameters. En JupyterLab, se elige la celda que asigna lang y, en el inspector "
        "de propiedades (arriba a la derecha), se le agrega esa etiqueta.",
        "{name}: {given!r} was asked for and {found!r} is in force, because no cell of the "
        "notebook has the tag parameters. In JupyterLab, select the cell that assigns lang and, "
        "in the property inspector (top right), add that tag to it.",
    ),
    "records.no_folder": (
        "No existe la carpeta {folder}, que nombra la variable FMNIST_RESULTS: no hay registros "
        "que leer. Sin la variable (`{export} FMNIST_RESULTS=`) se leen los del paquete.",
        "There is no folder {folder}, which the variable FMNIST_RESULTS names: there are no "
        "records to read. Without it (`{export} FMNIST_RESULTS=`) those of the package are read.",
    ),
    "verdicts.nothing_published": (
        "{name} es un estudio de este libro: no publicó nada, y no hay qué auditar. Se auditan: "
        "{allowed}. Sus corridas: `{fmnist} reproduce {number} --dry-run`",
        "{name} is a study of this book: it published nothing, so there is nothing to audit. "
        "Audited are: {allowed}. Its runs: `{fmnist} reproduce {number} --dry-run`",
    ),
    "yaml.repeated": (
        "línea {line}: la clave {key!r} ya estaba en la línea {first}; una de las dos sobra",
        "line {line}: the key {key!r} already stood in line {first}; one of the two has to go",
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
        "{file} está dañado: {reason}. {way_out}",
        "{file} is damaged: {reason}. {way_out}",
    ),
    "runs.altered": (
        "{file} fue modificado después de medirse: su resumen SHA-256 no coincide. {way_out}",
        "{file} was altered after it was measured: its SHA-256 does not match. {way_out}",
    ),
    "runs.restore": (
        "Para recuperarlo como se publicó: `{command}`.",
        "To get it back as it was published: `{command}`.",
    ),
    "runs.publish_anew": (
        "Para apartarlo y hacer la corrida de nuevo: `mv {quoted} {quoted}.damaged` y "
        "`{fmnist} reproduce {report}`.",
        "To set it aside and make the run anew: `mv {quoted} {quoted}.damaged` and "
        "`{fmnist} reproduce {report}`.",
    ),
    "runs.make_anew": (
        "Para apartarlo: `mv {quoted} {quoted}.damaged`; después se repite la misma orden.",
        "To set it aside: `mv {quoted} {quoted}.damaged`; then give the same command again.",
    ),
    # what happened to a file
    "damage.empty": ("está vacío", "it is empty"),
    "damage.lfs": (
        "es un puntero de Git LFS en lugar del contenido",
        "it is a pointer of Git LFS in place of the content",
    ),
    "damage.conflict": (
        "tiene marcas de un conflicto de Git en la línea {line}",
        "it has marks of a Git conflict in line {line}",
    ),
    "damage.page": (
        "es una página web, no el archivo",
        "it is a page of the web, not the file",
    ),
    "damage.cut_short": (
        "se corta en la línea {line}, antes de su final",
        "it breaks off in line {line}, before its end",
    ),
    "damage.not_json": (
        "no es JSON desde la línea {line}, columna {column}",
        "it is no JSON from line {line}, column {column}, on",
    ),
    "damage.encoding": (
        "no es texto en UTF-8 desde el byte {byte}",
        "it is no text in UTF-8 from byte {byte} on",
    ),
    "damage.other": (
        "su contenido no es el que se espera",
        "its content is not what is expected",
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
        "hacerlas: `{fmnist} reproduce {report}`",
        "group {group!r} has no recorded runs under protocol {protocol!r}. To make them: "
        "`{fmnist} reproduce {report}`",
    ),
    "reports.mixed_groups": (
        "los grupos que se promedian semilla por semilla son de un solo informe; se dieron: "
        "{given}.",
        "groups that are averaged seed by seed are of one report; given: {given}.",
    ),
    "reports.one_quantity": (
        "una medida nombra una sola cantidad. Se dio: {given}. Se admite una de: {allowed}.",
        "a measure names one quantity. Given: {given}. Allowed: one of {allowed}.",
    ),
    "reports.whose_group": (
        "{given}: falta decir de qué informe es ese grupo: 05/{given}, por ejemplo.",
        "{given}: it is missing of which report that group is: 05/{given}, for one.",
    ),
    "reports.one_comparison": (
        "una medida se compara con minus o con over, no con los dos.",
        "a measure is compared by minus or by over, not by both.",
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
        "Los pesos de {name} no están entre los registros del repositorio. Para hacerlos: "
        "`{fmnist} reproduce {report}`",
        "The weights of {name} are not among the records of the repository. To make them: "
        "`{fmnist} reproduce {report}`",
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
    "audit.unfold": ("Desplegar las {n} filas", "Unfold the {n} rows"),
    "audit.number_agrees": (
        "Cabe entre {low} y {high}, donde caería otra corrida como las {n} nuestras ({p}). Una "
        "diferencia de {noticed} se habría notado; importa una de {margin}.",
        "Lies between {low} and {high}, where one more run like our {n} would fall ({p}). A "
        "deviation of {noticed} would have been noticed; one of {margin} matters.",
    ),
    "audit.number_differs": (
        "Queda fuera de {low} a {high}, donde caería otra corrida como las {n} nuestras ({p}).",
        "Lies outside {low} to {high}, where one more run like our {n} would fall ({p}).",
    ),
    "audit.number_not_enough": (
        "Cabe entre {low} y {high}, donde caería otra corrida como las {n} nuestras ({p}), pero "
        "eso dice poco: solo una diferencia de {noticed} se habría notado, e importa una de {margin}.",
        "Lies between {low} and {high}, where one more run like our {n} would fall ({p}), but "
        "that says little: only a deviation of {noticed} would have been noticed, and one of "
        "{margin} matters.",
    ),
    "audit.enough": ("Alcanzarían {n} corridas.", "{n} runs would be enough."),
    "audit.never_enough": (
        "Ninguna cantidad de corridas alcanza: una sola, como la del informe, varía más que eso.",
        "No number of runs is enough: a single one, such as that of the report, varies more than that.",
    ),
    "audit.needed": ("Lo decidirían {n} corridas.", "{n} runs would decide it."),
    "audit.never": (
        "No lo decidirían ni mil corridas.",
        "Not even a thousand runs would decide it.",
    ),
    "audit.table_agrees": (
        "La columna entera cabe entre las nuestras (n = {n}, {p}): en promedio está a {shift} de "
        "ellas, y se habría notado {noticed}.",
        "The whole column lies among ours (n = {n}, {p}): on average it is {shift} away from "
        "them, and {noticed} would have been noticed.",
    ),
    "audit.table_differs": (
        "La columna entera no cabe entre las nuestras (n = {n}, {p}): en promedio está a {shift} "
        "de ellas.",
        "The whole column does not lie among ours (n = {n}, {p}): on average it is {shift} away "
        "from them.",
    ),
    "audit.table_not_enough": (
        "La columna entera cabe entre las nuestras (n = {n}, {p}), a {shift} en promedio, pero "
        "solo se habría notado {noticed}, e importa {margin}.",
        "The whole column lies among ours (n = {n}, {p}), {shift} away on average, but only "
        "{noticed} would have been noticed, and {margin} matters.",
    ),
    "audit.too_few": (
        "Corridas hechas: {n} de {planned}; hacen falta al menos dos.",
        "Runs made: {n} of {planned}; it takes at least two.",
    ),
    "audit.unpaired_runs": ("{first} y {second}, sin aparear", "{first} and {second}, unpaired"),
    "audit.no_runs": ("sin corridas", "no runs"),
    "audit.of_runs": ("{hits} de {n} corridas", "{hits} of {n} runs"),
    "audit.runs_of": ("Corridas de {groups}.", "Runs of {groups}."),
    "audit.and_more": ("y {count} grupos más", "and {count} more groups"),
    "audit.kept_last": (
        "Cuentan los pesos de la última época.",
        "The weights of the last epoch count.",
    ),
    "audit.kept_best": (
        "Cuentan los pesos de la época de menor pérdida de validación.",
        "The weights of the epoch of lowest validation loss count.",
    ),
    "audit.chance_above": (
        "P(A > B) = {p:.2f}, entre {low:.2f} y {high:.2f}.",
        "P(A > B) = {p:.2f}, between {low:.2f} and {high:.2f}.",
    ),
    "audit.mcnemar": (
        "Imagen por imagen (McNemar), de {pairs} pares de redes la primera gana con claridad en "
        "{first} y la segunda en {second}.",
        "Image by image (McNemar), of {pairs} pairs of networks the first wins clearly in {first} "
        "and the second in {second}.",
    ),
    "audit.condition": (
        "{what}: {measured}; se pide {wanted}: {outcome}.",
        "{what}: {measured}; asked {wanted}: {outcome}.",
    ),
    "audit.ours_otherwise": ("Con nuestro protocolo: {verdict}.", "Under our protocol: {verdict}."),
    "audit.rule": ("regla", "rule"),
    "audit.rule_of": (
        "como se lee desde el {date}; de sus {n} corridas, {earlier} son anteriores.",
        "as it reads since {date}; of its {n} runs, {earlier} are older.",
    ),
    "audit.point": ("punto", "point"),
    "audit.points": ("puntos", "points"),
    "audit.error": ("qué está mal y qué es correcto", "what is wrong, and what is right"),
    "audit.what": ("qué", "what"),
    "audit.published": ("publicado", "published"),
    "audit.theirs": ("su protocolo", "their protocol"),
    "audit.ours": ("nuestro protocolo", "our protocol"),
    "audit.verdict": ("veredicto", "verdict"),
    "audit.runs": ("corridas", "runs"),
    "audit.reason": ("por qué", "why"),
    "audit.summary_number": (
        "Números publicados: {total}. Coinciden {agrees}, difieren {differs}, no alcanza para {not_enough}, "
        "calibrados {calibrated}, no comparables {cannot_be_compared}.",
        "Published numbers: {total}. Agree {agrees}, differ {differs}, not enough for {not_enough}, "
        "calibrated {calibrated}, cannot be compared {cannot_be_compared}.",
    ),
    "audit.summary_table": (
        "Columnas de tablas, juzgadas enteras: {total}. Coinciden {agrees}, difieren {differs}, no "
        "alcanza para {not_enough}.",
        "Columns of tables, judged whole: {total}. Agree {agrees}, differ {differs}, not enough for "
        "{not_enough}.",
    ),
    "audit.summary_claim": (
        "Afirmaciones de los informes: {total}. Coinciden {agrees}, sin diferencia relevante "
        "{equivalent}, difieren {differs}, sin decidir {undecided}, calibradas {calibrated}, no "
        "comparables {cannot_be_compared}.",
        "Claims of the reports: {total}. Agree {agrees}, no relevant difference {equivalent}, differ "
        "{differs}, undecided {undecided}, calibrated {calibrated}, cannot be compared "
        "{cannot_be_compared}.",
    ),
    "audit.summary_derived": (
        "Afirmaciones nuestras, que ningún informe escribió: {total}. Coinciden {agrees}, sin "
        "diferencia relevante {equivalent}, difieren {differs}, sin decidir {undecided}.",
        "Claims of ours, which no report wrote: {total}. Agree {agrees}, no relevant difference "
        "{equivalent}, differ {differs}, undecided {undecided}.",
    ),
    "audit.summary_chance": (
        "De {tested} números puestos a prueba, {expected:.1f} diferirían solo por azar; difieren "
        "{differ}, y {corrected} si se corrige por ser tantos.",
        "Of {tested} numbers tested, {expected:.1f} would differ by chance alone; {differ} differ, and "
        "{corrected} once their number is corrected for.",
    ),
    # card
    "card.authors": ("Autoría", "Authors"),
    "card.scope": ("Alcance", "Scope"),
    "card.method": ("Método", "Method"),
    "card.stated": ("Lo que dice", "What it states"),
    "card.missing": ("Lo que falta", "What is missing"),
    "card.numbers": ("Números", "Numbers"),
    "card.tables": ("Columnas enteras", "Whole columns"),
    "card.claims": ("Afirmaciones", "Claims"),
    "card.easy": ("Fue fácil", "What was easy"),
    "card.difficult": ("Fue difícil", "What was difficult"),
    "card.contact": ("Contacto", "Contact"),
    "card.effort": ("Esfuerzo", "Effort"),
    "card.dates": ("Fechas", "Dates"),
    "card.cite": ("Para citarla", "To cite it"),
    "card.spent": (
        "{runs} corridas, {hours:.1f} horas de un núcleo (en promedio {minutes:.1f} minutos cada una), unos "
        "{energy:.2f} kWh si un núcleo ocupado gasta {watts} W (se supone; no se midió). Procesadores: "
        "{processors}.",
        "{runs} runs, {hours:.1f} hours of one core ({minutes:.1f} minutes each on average), some "
        "{energy:.2f} kWh if a busy core takes {watts} W (assumed, not measured). Processors: "
        "{processors}.",
    ),
    "card.not_named": ("sin nombre en el registro", "not named in the record"),
    "card.guesses": (
        "Intentos hasta la primera coincidencia: {count}.",
        "Guesses to the first agreement: {count}.",
    ),
    "card.when": (
        "Reglas como se leen hoy: {rules}; márgenes: {margins}; corridas: {made}. La regla es "
        "anterior a todas sus corridas en {older} filas, a una parte en {between} y posterior a todas en "
        "{younger}.",
        "Rules as they read today: {rules}; margins: {margins}; runs: {made}. The rule is "
        "older than all of its runs in {older} rows, than some in {between}, and younger than all in "
        "{younger}.",
    ),
    "card.citation": (
        "Auditoría de «{title}» ({authors}, {year}). En: Fashion-MNIST, informes a prueba, versión {version}.",
        "Audit of “{title}” ({authors}, {year}). In: Fashion-MNIST course companion: five student reports, "
        "re-made and audited, version {version}.",
    ),
    # scrutiny
    "scrutiny.unit_percent": ("porcentajes", "percentages"),
    "scrutiny.unit_share": ("proporciones", "shares"),
    "scrutiny.unit_nats": ("pérdidas", "losses"),
    "scrutiny.unit_error": ("errores de reconstrucción", "reconstruction errors"),
    "scrutiny.unit_images": ("cuentas de imágenes", "counts of images"),
    "scrutiny.unit_epochs": ("épocas de un mínimo", "epochs of a minimum"),
    "scrutiny.unit_seconds": ("segundos", "seconds"),
    "scrutiny.unit_ratio": ("cocientes", "ratios"),
    "scrutiny.unit_points": ("diferencias", "differences"),
    "scrutiny.unit_all": ("todos", "all"),
    "scrutiny.left_out": ("corridas apartadas", "runs left out"),
    "scrutiny.held": ("dentro del intervalo de las demás", "within the interval of the others"),
    "scrutiny.share": ("se esperaba 95 %", "95 % expected"),
    "scrutiny.margins": ("márgenes", "margins"),
    "scrutiny.margins_0.5": ("la mitad", "half as wide"),
    "scrutiny.margins_1": ("los fijados", "as they were fixed"),
    "scrutiny.margins_2": ("el doble", "twice as wide"),
    "scrutiny.unnamed": ("sin nombre ({cpu})", "not named ({cpu})"),
    "scrutiny.not_recorded": ("no se anotó", "not recorded"),
    "scrutiny.kernels": ("lo que eligió oneDNN", "what oneDNN chose"),
    "scrutiny.float32": ("corridas en float32", "runs in float32"),
    "scrutiny.bfloat16": ("corridas en bfloat16", "runs in bfloat16"),
    "scrutiny.precision": ("precisión", "precision"),
    "scrutiny.first": ("la primera vez", "the first time"),
    "scrutiny.drift": ("la segunda menos la primera", "the second less the first"),
    "scrutiny.same": ("mismos pesos", "same weights"),
    "scrutiny.yes": ("sí", "yes"),
    "scrutiny.no": ("no", "no"),
    "scrutiny.not_again": (
        "ninguna corrida se hizo otra vez todavía",
        "no run has been made again yet",
    ),
    "scrutiny.where": ("dónde y cuándo", "where and when"),
    "scrutiny.commits": (
        "nombran un commit que no está en el repositorio",
        "name a commit that is not in the repository",
    ),
    "scrutiny.mixed": (
        "empezadas en unas condiciones y seguidas en otras",
        "begun under some conditions and finished under others",
    ),
    "scrutiny.made": ("cuándo", "when"),
    "scrutiny.rules": ("reglas como se leen hoy", "rules as they read today"),
    "scrutiny.written": ("escritas por primera vez", "first written"),
    "scrutiny.plans": ("cuántas corridas, fijado", "how many runs, fixed"),
    "scrutiny.runs_made": ("corridas hechas", "runs made"),
    "scrutiny.older": (
        "filas con la regla anterior a todas sus corridas",
        "rows whose rule is older than all their runs",
    ),
    "scrutiny.between": ("anterior a una parte", "older than some"),
    "scrutiny.younger": ("posterior a todas", "younger than all"),
    "scrutiny.mended": (
        "de estas, escritas antes y cambiadas después",
        "of these, written before and changed after",
    ),
    # page 05
    "spread.networks": ("redes × corridas", "networks × runs"),
    "spread.shared": ("común a todas", "shared by all"),
    "spread.own": ("de cada una", "of each alone"),
    "spread.same_split": ("la misma división, otra semilla", "the same split, another seed"),
    "spread.other_splits": ("otra división y otra semilla", "another split and another seed"),
    "spread.folds": ("otro bloque y otra semilla", "another fold and another seed"),
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
    "far.source": ("de quién", "whose"),
    "far.measured_here": ("de este libro", "of this book"),
    "far.self_reported": ("lo declara su autor, {year}", "reported by its author, {year}"),
    "far.listed": (
        "enviado a una lista que no comprueba, {year}",
        "sent to a list that checks nothing, {year}",
    ),
    "far.reproduced": ("reproducido por otros, {year}", "reproduced by others, {year}"),
    "far.test_images": ("de prueba", "test images"),
    "far.nearest_images": ("la más cercana de entrenamiento", "the nearest training image"),
    # page 09
    "planted.error": ("error", "error"),
    "planted.printed": ("se imprime (%)", "printed (%)"),
    "planted.judged": ("sin el error (%)", "without the error (%)"),
    "planted.distance": ("distancia (puntos)", "distance (points)"),
    "planted.sign": ("cómo se nota", "how to notice"),
    "planted.wrong": ("mal clasificadas, de 10 000", "wrong, of 10,000"),
    "planted.ten": ("diez clases (%)", "ten classes (%)"),
    "planted.yes_or_no": ("diez síes o noes (%)", "ten times yes or no (%)"),
    "planted.four": ("cuatro clases (%)", "four classes (%)"),
}

text.add(WORDS)
