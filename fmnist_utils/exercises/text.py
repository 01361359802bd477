"""The texts of the exercises, in Spanish and in English: see :mod:`fmnist_utils.text`."""

from fmnist_utils import text

WORDS = {
    "exercises.unknown": (
        "no existe el ejercicio {given!r}. Se admiten: {allowed}. {hint}",
        "there is no exercise {given!r}. Allowed: {allowed}. {hint}",
    ),
    "exercises.right": (
        "✔ Ejercicio {number}: correcto. Se probó con {count} entradas al azar.",
        "✔ Exercise {number}: right. It was tried on {count} random inputs.",
    ),
    "exercises.unfinished": (
        "… Ejercicio {number}: falta completar. Hay que reemplazar los puntos (...) y ejecutar "
        "la celda otra vez.",
        "… Exercise {number}: still to be completed. Replace the dots (...) and run the cell "
        "again.",
    ),
    "exercises.wrong": (
        "✘ Ejercicio {number}: todavía no.\n{problem}",
        "✘ Exercise {number}: not yet.\n{problem}",
    ),
    "exercises.with": ("Con {given}:\n{problem}", "With {given}:\n{problem}"),
    # what is wrong
    "exercises.no_function": (
        'Hay que dar la función misma, sin paréntesis: check("…", {name}).',
        'Give the function itself, without parentheses: check("…", {name}).',
    ),
    "exercises.arguments": (
        "La función debe recibir estos argumentos, en este orden: {arguments}.",
        "The function has to take these arguments, in this order: {arguments}.",
    ),
    "exercises.no_argument": ("ninguno", "none"),
    "exercises.endless": (
        "La función no terminó en {seconds} segundos. ¿Hay un ciclo que nunca termina?",
        "The function did not end within {seconds} seconds. Is there a loop that never ends?",
    ),
    "exercises.restart": (
        "Sigue en marcha: conviene reiniciar el núcleo (menú Kernel).",
        "It is still running: restart the kernel (menu Kernel).",
    ),
    "exercises.raised": (
        "la función se interrumpió con el error {error}.",
        "the function stopped with the error {error}.",
    ),
    "exercises.raised_in": (
        "la función se interrumpió con el error {error}, en la línea «{line}».",
        "the function stopped with the error {error}, in the line “{line}”.",
    ),
    "exercises.none": (
        "la función no devolvió nada (None). ¿Falta un return?",
        "the function returned nothing (None). Is a return missing?",
    ),
    "exercises.type": (
        "se esperaba {expected}, y la función devolvió {answer}, de tipo {type}.",
        "{expected} was expected, and the function returned {answer}, of type {type}.",
    ),
    "exercises.shape": (
        "se esperaba un tensor de forma {expected}, y la función devolvió uno de forma {answer}.",
        "a tensor of shape {expected} was expected, and the function returned one of shape "
        "{answer}.",
    ),
    "exercises.value": (
        "se esperaba {expected}, y la función devolvió {answer}.",
        "{expected} was expected, and the function returned {answer}.",
    ),
    "exercises.place": (
        "en el lugar [{place}] se esperaba {expected}, y la función devolvió {answer}.",
        "{expected} was expected at [{place}], and the function returned {answer}.",
    ),
    "exercises.found": (
        "{what}: se esperaba {expected}, y se encontró {answer}.",
        "{what}: {expected} was expected, and {answer} was found.",
    ),
    "exercises.touched": (
        "cambió también {name}; la línea debe cambiar solo decoder[7].bias.",
        "{name} has changed too; the line should change decoder[7].bias alone.",
    ),
    "exercises.dead": (
        "con ese sesgo ({bias}) la red sigue dando cero en todos los píxeles: nace muerta.",
        "with that bias ({bias}) the network still gives zero in all pixels: it is born dead.",
    ),
    "exercises.neither": (
        "la imagen {place} no salió ni como estaba ni de arriba abajo.",
        "image {place} came out neither as it was nor upside down.",
    ),
    "exercises.unfair": (
        "de {total} imágenes salieron {count} de arriba abajo; se esperaba cerca de la mitad, "
        "con un sorteo por imagen.",
        "of {total} images, {count} came out upside down; about half were expected, with a draw "
        "for each image.",
    ),
    # how things are called
    "exercises.dense": (
        "Capas densas, como (entradas, salidas)",
        "Dense layers, as (inputs, outputs)",
    ),
    "exercises.relus": ("Cantidad de capas nn.ReLU", "Number of nn.ReLU layers"),
    "exercises.transposed": (
        "Convoluciones traspuestas, como (canales de entrada, de salida)",
        "Transposed convolutions, as (channels in, channels out)",
    ),
    "exercises.whole": ("un número entero", "a whole number"),
    "exercises.number": ("un número", "a number"),
    "exercises.tensor": ("un tensor", "a tensor"),
    "exercises.list": ("una lista", "a list"),
    "exercises.network": ("una red (nn.Module)", "a network (nn.Module)"),
    "exercises.single": ("de un solo número", "of a single number"),
    "exercises.tensor_of": ("tensor de forma {shape}", "tensor of shape {shape}"),
    # fmnist check
    "check.nothing": (
        "No hay ningún cuaderno (*.ipynb) en {paths}.",
        "There is no notebook (*.ipynb) in {paths}.",
    ),
    "check.no_exercises": (
        "{path}: la página {page} no tiene ejercicios para completar.",
        "{path}: page {page} has no exercises to complete.",
    ),
    "check.missing": (
        "El cuaderno no define la función {name}.",
        "The notebook does not define the function {name}.",
    ),
    "check.unreadable": (
        "La celda que define {name} no se puede leer como Python: {reason}.",
        "The cell that defines {name} cannot be read as Python: {reason}.",
    ),
    "check.raised": (
        "Ejercicio {number}: el código que lo define se interrumpió con el error {error}.",
        "Exercise {number}: the code that defines it stopped with the error {error}.",
    ),
    "check.late": (
        "Ejercicio {number}: no terminó en {seconds} segundos, y se detuvo su proceso.",
        "Exercise {number}: it did not end within {seconds} seconds, and its process was ended.",
    ),
    "check.died": (
        "Ejercicio {number}: el proceso que lo probaba terminó de golpe. ¿Faltó memoria?",
        "Exercise {number}: the process that tried it ended suddenly. Was memory short?",
    ),
    "check.no_csv": (
        "No se puede escribir {path}: {reason}. Conviene indicar otro archivo con --csv.",
        "{path} cannot be written: {reason}. Name another file with --csv.",
    ),
    "check.state_right": ("correcto", "right"),
    "check.state_wrong": ("incorrecto", "wrong"),
    "check.state_unfinished": ("sin completar", "not completed"),
    "check.state_missing": ("falta", "missing"),
    "check.state_unreadable": ("ilegible", "unreadable"),
    "check.total": ("{right} de {count} correctos", "{right} of {count} right"),
}

text.add(WORDS)
