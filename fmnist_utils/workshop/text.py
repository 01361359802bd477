"""The texts of the workshop, in Spanish and in English: see :mod:`fmnist_utils.text`.

It is long, but nothing is done in it: one list of pairs is easier to search than several.
"""

from fmnist_utils import text

WORDS = {
    # lab
    "lab.copied": (
        "Cuadernos copiados en {folder}: {count}. Lo que se guarde ahí no se vuelve a tocar.",
        "Notebooks copied to {folder}: {count}. What is saved there is never touched again.",
    ),
    "lab.kept": (
        "Ya estaban, con cambios o de otra versión, y quedan como estaban: {names}. Para tener "
        "de nuevo el original, se le cambia el nombre al archivo y se repite `{fmnist} lab`.",
        "These were there, changed or of another version, and stay as they were: {names}. To "
        "get the original again, rename the file and run `{fmnist} lab` once more.",
    ),
    "lab.no_notebooks": (
        "Faltan los cuadernos: no están en {folder}. Conviene instalar de nuevo el paquete.",
        "The notebooks are missing: they are not in {folder}. Install the package again.",
    ),
    "lab.no_folder": (
        "No se puede escribir en {folder}: {reason}. Se puede indicar otra carpeta: "
        "`{fmnist} lab CARPETA`.",
        "{folder} cannot be written: {reason}. Name another folder: `{fmnist} lab FOLDER`.",
    ),
    "lab.no_jupyterlab": (
        "Falta JupyterLab. Para instalarlo: `{pip} install jupyterlab`.",
        "JupyterLab is missing. To install it: `{pip} install jupyterlab`.",
    ),
    # download
    "data.offline": (
        "Falta {file}, o está dañado, y FMNIST_OFFLINE impide descargarlo. Con conexión: "
        "`{export} FMNIST_OFFLINE=` y después `{fmnist} data fetch`. También se puede nombrar con "
        "FMNIST_DATA una carpeta que tenga los archivos.",
        "{file} is missing or damaged, and FMNIST_OFFLINE forbids downloading it. Once online: "
        "`{export} FMNIST_OFFLINE=`, then `{fmnist} data fetch`. Or let FMNIST_DATA name a folder "
        "that has the files.",
    ),
    "data.unreachable": (
        "No se pudo descargar {file}.\n  SHA-256 esperado: {expected}\n"
        "{causes}{variable}\n"
        "Conviene repetir `{fmnist} data fetch` más tarde, indicar otra dirección con "
        "FMNIST_MIRRORS, o nombrar con FMNIST_DATA una carpeta que tenga los archivos.",
        "{file} could not be downloaded.\n  SHA-256 expected: {expected}\n"
        "{causes}{variable}\n"
        "Run `{fmnist} data fetch` again later, name another address in FMNIST_MIRRORS, or let "
        "FMNIST_DATA name a folder that has the files.",
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
        "Otro proceso descarga los datos desde hace más de {seconds:g} s y retiene {lock}. "
        "Conviene esperar a que termine, o terminarlo, y ejecutar `{fmnist} data fetch`.",
        "Another process has been downloading the data for more than {seconds:g} s and holds "
        "{lock}. Wait until it ends, or end it, and run `{fmnist} data fetch`.",
    ),
    "data.cache": (
        "No se puede guardar en {folder}: {cause}. Hacen falta 31 MB y hay {free:.0f} MB libres. "
        "Para elegir otra carpeta: `{export} FMNIST_CACHE=CARPETA`; después, `{fmnist} data "
        "fetch`.",
        "Cannot store in {folder}: {cause}. 31 MB are needed and {free:.0f} MB are free. To choose "
        "another folder: `{export} FMNIST_CACHE=FOLDER`; then `{fmnist} data fetch`.",
    ),
    # runs
    "runs.cannot_write": (
        "no se pudo escribir {file} ({megabytes} MB): {reason}. Lo anterior sigue intacto. Hace "
        "falta espacio o permiso en esa carpeta, u otra carpeta en FMNIST_RUNS.",
        "cannot write {file} ({megabytes} MB): {reason}. What was there is intact. Make room or "
        "get permission in that folder, or name another one in FMNIST_RUNS.",
    ),
    "runs.no_folder": (
        "no se puede usar la carpeta de corridas {folder}: {reason}. Hace falta permiso y espacio "
        "en ella, o bien nombrar otra en FMNIST_RUNS.",
        "cannot use the folder of runs {folder}: {reason}. Get permission and room in it, or name "
        "another one in FMNIST_RUNS.",
    ),
    "runs.out_of_memory": (
        "la memoria de {device} no alcanza con batch_size={batch_size}. Conviene reducir "
        "batch_size, cerrar otros programas que usen ese dispositivo, o usar device='cpu'.",
        "the memory of {device} is too small for batch_size={batch_size}. Lower batch_size, close "
        "other programs that use that device, or use device='cpu'.",
    ),
    "runs.waiting": (
        "Otro proceso hace esta corrida, en {folder}: {holder}. Se espera a que termine. Si quedó "
        "colgado, se lo termina en esa computadora con `kill -9 {process}`, y esta orden sigue "
        "desde la última época.",
        "Another process is making this run, in {folder}: {holder}. Waiting for it to end. If it "
        "hangs, end it on that computer, `kill -9 {process}`, and this command goes on from the "
        "last epoch.",
    ),
    "runs.holder": (
        "el proceso {process} de {computer}, desde {since}",
        "process {process} of {computer}, since {since}",
    ),
    "data.waiting": (
        "Otro proceso ({holder}) descarga los datos en {folder}; se espera hasta {limit:g} s.",
        "Another process ({holder}) downloads the data to {folder}; waiting for up to {limit:g} s.",
    ),
    "data.not_used": (
        "FMNIST_DATA nombra {folder}: mientras sea así, lo descargado no se usa. Para usarlo: "
        "`{export} FMNIST_DATA=`.",
        "FMNIST_DATA names {folder}: as long as it does, what was downloaded is not used. To use "
        "it: `{export} FMNIST_DATA=`.",
    ),
    "data.by_variable": (
        "  a través de lo que dice la variable {name}: {value}. Sin ella: `{export} {name}=`.",
        "  by way of what the variable {name} says: {value}. Without it: `{export} {name}=`.",
    ),
    "runs.busy": (
        "otro proceso trabaja en {folder}",
        "another process is at work in {folder}",
    ),
    "runs.bad_name": (
        "{given!r} no sirve como nombre de archivo. Se admiten letras, cifras, espacios y . _ - , "
        "( ) + =, hasta 120 caracteres, sin carpetas y sin los nombres que Windows reserva.",
        "{given!r} cannot be a file's name. Allowed: letters, digits, spaces and . _ - , ( ) + =, "
        "up to 120 characters, no folders and none of the names that Windows reserves.",
    ),
    # execution
    "execution.no_page": (
        "El informe {report} no tiene cuaderno aquí. Cuadernos: {allowed}. También se puede dar "
        "la ruta de una copia (.ipynb).",
        "Report {report} has no notebook here. Notebooks: {allowed}. The path of a copy (.ipynb) "
        "will do too.",
    ),
    "execution.no_notebook": (
        "No existe el archivo {path}. Se admite el número o el nombre de un informe, o la ruta de "
        "un cuaderno. {hint}",
        "There is no file {path}. Allowed: a report's number or name, or the path of a notebook. "
        "{hint}",
    ),
    "execution.not_a_notebook": (
        "{path} no se puede leer como cuaderno de Jupyter (JSON con celdas): {reason}. Antes de "
        "tocarlo conviene guardar una copia: lo escrito ahí quizás se pueda recuperar. {older}",
        "{path} cannot be read as a Jupyter notebook (JSON with cells): {reason}. Keep a copy "
        "before you touch it: what was written there may perhaps be recovered. {older}",
    ),
    "execution.checkpoint": (
        "JupyterLab guardó una versión anterior en {path}.",
        "JupyterLab has saved an earlier version in {path}.",
    ),
    "execution.no_report": (
        '{path} no llama a load_report("…"), y por eso no se sabe qué parámetros admite. Los '
        "cuadernos ajenos se ejecutan con papermill.",
        '{path} does not call load_report("…"), so its parameters are not known. Run other '
        "notebooks with papermill.",
    ),
    "execution.no_papermill": (
        "Falta papermill, que ejecuta los cuadernos. Para instalarlo: `{pip} install papermill`.",
        "papermill, which runs notebooks, is missing. To install it: `{pip} install papermill`.",
    ),
    "execution.outside": (
        "-o: {out!r} queda fuera de la carpeta de trabajo, {folder}. Conviene ir a la carpeta "
        "deseada (cd) y dar un nombre dentro de ella.",
        "-o: {out!r} is outside the working folder, {folder}. Go to the folder you want (cd) and "
        "give a name within it.",
    ),
    "execution.not_ipynb": (
        "-o: {out!r} no termina en .ipynb; por ejemplo, {example}.",
        "-o: {out!r} does not end in .ipynb; for example, {example}.",
    ),
    "execution.no_folder": (
        "-o: {out!r} pide una carpeta que no existe. Para crearla: `mkdir -p {folder}`.",
        "-o: {out!r} asks for a folder that does not exist. To make it: `mkdir -p {folder}`.",
    ),
    "execution.overwrites": (
        "-o: {out!r} ocuparía el lugar de una página. Otro nombre: {example}.",
        "-o: {out!r} would take the place of a page. Another name: {example}.",
    ),
    "execution.busy": (
        "Otra ejecución está escribiendo {out}: {holder}. Conviene esperar a que termine o dar "
        "otro nombre con -o.",
        "Another run is writing {out}: {holder}. Wait for it to end, or give another name with -o.",
    ),
    "execution.failed": (
        "{notebook} no llegó al final: {problem}\n"
        "Lo que se ejecutó está en {partial}, marcado como parcial.",
        "{notebook} did not reach its end: {problem}\n"
        "What was run is in {partial}, marked as partial.",
    ),
    "execution.failed_at_once": (
        "{notebook} no llegó al final: {problem}",
        "{notebook} did not reach its end: {problem}",
    ),
    "execution.no_parameters_cell": (
        "{path}: ninguna celda tiene la etiqueta parameters, y sin ella esto no tendría efecto: "
        "{names}. En JupyterLab, se elige la celda que asigna lang y, en el inspector de "
        "propiedades (arriba a la derecha), se le agrega esa etiqueta. Una copia nueva de cada "
        "cuaderno, que la tiene: "
        "`{fmnist} lab --no-open nuevos`",
        "{path}: no cell has the tag parameters, so {names} would have no effect. In JupyterLab, "
        "select the cell that assigns lang and, in the property inspector (top right), add that "
        "tag to it. A new copy of each notebook, which has it: `{fmnist} lab --no-open new`",
    ),
    "execution.assigned_again": (
        "{name}: la celda {cell} le da otro valor, y -p {name} no tendría efecto. Conviene quitar "
        "esa línea, o ejecutar sin -p {name}.",
        "{name}: cell {cell} gives it another value, so -p {name} would have no effect. Remove "
        "that line, or run without -p {name}.",
    ),
    "execution.not_in_force": (
        "{name}: se pidió {given!r}, y al final rige {found}; alguna celda lo cambió. Los números "
        "de este cuaderno no son los que se pidieron.",
        "{name}: {given!r} was asked for, and {found} is in force at the end; some cell changed "
        "it. The numbers in this notebook are not those that were asked for.",
    ),
    "execution.raised": (
        "falló la celda {cell}\n{error}",
        "cell {cell} failed\n{error}",
    ),
    "execution.left": (
        "el cuaderno terminó antes de tiempo, en la celda {cell}. {error}\n"
        "Conviene quitar lo que termina el programa, como sys.exit().",
        "the notebook ended early, in cell {cell}. {error}\n"
        "Remove what ends the program, such as sys.exit().",
    ),
    "execution.died": (
        "el núcleo murió en la celda {cell}. Quizás falta memoria: conviene reducir train_size o "
        "batch_size, o cerrar otros programas.",
        "the kernel died in cell {cell}. Memory may be short: lower train_size or batch_size, or "
        "close other programs.",
    ),
    "execution.timeout": (
        "la celda {cell} pasó de {seconds} s, el límite de --timeout. Conviene darle más tiempo o "
        "menos trabajo (num_epochs).",
        "cell {cell} took more than {seconds} s, the limit of --timeout. Give it more time, or "
        "less work (num_epochs).",
    ),
    "execution.no_kernel": (
        "no hay un núcleo de Jupyter llamado python3. Qué hacer: `{fmnist} doctor`.",
        "there is no Jupyter kernel called python3. What to do: `{fmnist} doctor`.",
    ),
    "execution.not_started": (
        "no empezó: {reason}\nQué hacer: `{fmnist} doctor`.",
        "it did not start: {reason}\nWhat to do: `{fmnist} doctor`.",
    ),
    "execution.interrupted": ("se interrumpió.", "it was interrupted."),
    "execution.notice": (
        "**PARCIAL.** Este cuaderno no llegó al final ({run} de {cells} celdas): {problem}",
        "**PARTIAL.** This notebook did not reach its end ({run} of {cells} cells): {problem}",
    ),
    # doctor
    "doctor.good": ("bien", "good"),
    "doctor.bad": ("MAL", "BAD"),
    "doctor.healthy": ("Todo está en orden.", "Everything is in order."),
    "doctor.ill": (
        "Problemas: {count}. Después de corregirlos, conviene repetir `{fmnist} doctor`.",
        "Problems: {count}. After correcting them, run again: `{fmnist} doctor`.",
    ),
    "doctor.versions": ("Python {python}, PyTorch {torch}", "Python {python}, PyTorch {torch}"),
    "doctor.no_package": (
        "falta el paquete {name} (desde la versión {needed}). Para instalarlo: `{pip} install "
        "'{name}>={needed}'`.",
        "the package {name} (from version {needed}) is missing. To install it: `{pip} install "
        "'{name}>={needed}'`.",
    ),
    "doctor.old_package": (
        "{name} {found} es demasiado viejo: se necesita {needed} o posterior. Para actualizarlo: "
        "`{pip} install --upgrade '{name}>={needed}'`.",
        "{name} {found} is too old: {needed} or later is needed. To update it: `{pip} install "
        "--upgrade '{name}>={needed}'`.",
    ),
    "doctor.torch_loads": ("PyTorch se carga", "PyTorch loads"),
    "doctor.slow_bfloat16": (
        "Este procesador no tiene instrucciones para bfloat16: casi todas las corridas completas "
        "de los\n"
        "    informes 3 a 7 tardarían aquí decenas de veces más que en float32. Las páginas no "
        "las necesitan:\n"
        "    muestran sus registros, y entrenan en float32",
        "This processor has no instructions for bfloat16: nearly all complete runs of reports 3 "
        "to 7 would\n"
        "    take tens of times as long here as in float32. The pages do not need them: they show "
        "their\n"
        "    records, and train in float32",
    ),
    "doctor.mixed_builds": (
        "torch {torch} y torchvision {torchvision} son de compilaciones distintas y no funcionan "
        "juntos: {reason}\n"
        "    Hay que instalarlos juntos, del mismo origen: `{pip} install --force-reinstall torch "
        "torchvision`.",
        "torch {torch} and torchvision {torchvision} are of different builds and do not work "
        "together: {reason}\n"
        "    Install them together, from one source: `{pip} install --force-reinstall torch "
        "torchvision`.",
    ),
    "doctor.torch_broken": (
        "PyTorch {version} no se puede cargar: {reason}\n"
        "    Para instalarlo de nuevo: `{pip} install --force-reinstall torch`.",
        "PyTorch {version} cannot be loaded: {reason}\n"
        "    To install it anew: `{pip} install --force-reinstall torch`.",
    ),
    "doctor.no_home": (
        "no se sabe cuál es la carpeta personal: falta la variable HOME, y el sistema no conoce a "
        "este usuario. Jupyter no arranca así. Una carpeta que sirve mientras tanto: "
        "`{export} HOME={folder}`.",
        "which folder is the user's is not known: the variable HOME is missing, and the system "
        "does not know this user. Jupyter does not start without it. One that will do for now: "
        "`{export} HOME={folder}`.",
    ),
    "doctor.no_results": (
        "no existe la carpeta {folder}, que nombra FMNIST_RESULTS: no hay registros que leer, y "
        "`{fmnist} reproduce` la crearía. Para leer los del paquete: `{export} FMNIST_RESULTS=`.",
        "there is no folder {folder}, which FMNIST_RESULTS names: there are no records to read, "
        "and `{fmnist} reproduce` would make it. To read those of the package: "
        "`{export} FMNIST_RESULTS=`.",
    ),
    "doctor.not_asked": (
        "no se pudo preguntar por los núcleos de Jupyter: {reason}\n"
        "    Lo que dice Jupyter mismo: `{python} -m jupyter kernelspec list`.",
        "Jupyter could not be asked for its kernels: {reason}\n"
        "    What Jupyter itself says: `{python} -m jupyter kernelspec list`.",
    ),
    "doctor.mirrors_not_asked": (
        "faltan {missing} archivos oficiales en {folder}, y no se pudo probar si se pueden bajar: "
        "{reason}",
        "{missing} official files are missing in {folder}, and whether they can be downloaded "
        "could not be tried: {reason}",
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
        "falta lo que ejecuta los cuadernos. Para instalarlo: `{pip} install {missing}`.",
        "what runs notebooks is missing. To install it: `{pip} install {missing}`.",
    ),
    "doctor.no_kernel": (
        "no hay un núcleo de Jupyter llamado python3 (los que hay: {known}). Para crearlo:\n"
        "    `{python} -m ipykernel install --sys-prefix`",
        "there is no Jupyter kernel called python3 (there are: {known}). To make it:\n"
        "    `{python} -m ipykernel install --sys-prefix`",
    ),
    "doctor.foreign_kernel": (
        "el núcleo python3 de Jupyter usa otro Python, {program}, que no tiene este paquete. Para "
        "que use este:\n"
        "    `{python} -m ipykernel install --sys-prefix`",
        "Jupyter's kernel python3 uses another Python, {program}, which does not have this "
        "package. To have it use this one:\n"
        "    `{python} -m ipykernel install --sys-prefix`",
    ),
    "doctor.folder": (
        "{variable}: {folder}, {free:.0f} GB libres",
        "{variable}: {folder}, {free:.0f} GB free",
    ),
    "doctor.unwritable": (
        "no se puede escribir en {folder}: {reason}. Conviene elegir otra carpeta: "
        "`{export} {variable}=CARPETA`.",
        "{folder} cannot be written: {reason}. Choose another folder: "
        "`{export} {variable}=FOLDER`.",
    ),
    "doctor.not_a_folder": ("{path} no es una carpeta", "{path} is not a folder"),
    "doctor.no_space": (
        "quedan {free:.0f} MB en {folder} y hacen falta {needed}. Conviene liberar espacio o "
        "elegir otra carpeta: `{export} {variable}=CARPETA`.",
        "{free:.0f} MB are left in {folder}, and {needed} are needed. Make room, or choose "
        "another folder: `{export} {variable}=FOLDER`.",
    ),
    "doctor.data": (
        "Los cuatro archivos oficiales están en {folder}",
        "The four official files are in {folder}",
    ),
    "doctor.data_to_fetch": (
        "Faltan {missing} archivos oficiales en {folder}. Para bajarlos: `{fmnist} data fetch`.",
        "{missing} official files are missing in {folder}. To download them: `{fmnist} data "
        "fetch`.",
    ),
    "doctor.data_folder": (
        "faltan o están dañados: {files}. {way_out}",
        "missing or damaged: {files}. {way_out}",
    ),
    "doctor.no_network": (
        "faltan {missing} archivos oficiales en {folder}, y ninguna de estas direcciones "
        "responde:\n"
        "    {mirrors}{variable}\n"
        "    Con red, `{fmnist} data fetch` los baja; sin ella, se pueden copiar de otra "
        "computadora a una carpeta y nombrarla: `{export} FMNIST_DATA=CARPETA`.\n"
        "    Las páginas no los necesitan: usan la muestra que viene con el paquete.",
        "{missing} official files are missing in {folder}, and none of these addresses answers:\n"
        "    {mirrors}{variable}\n"
        "    Once online, `{fmnist} data fetch` downloads them; otherwise copy them from another "
        "computer to a folder and name it: `{export} FMNIST_DATA=FOLDER`.\n"
        "    The pages do not need them: they use the sample that comes with the package.",
    ),
    "doctor.offline": (
        "faltan {missing} archivos oficiales en {folder}, y FMNIST_OFFLINE impide bajarlos. Para "
        "bajarlos: `{export} FMNIST_OFFLINE=`, y después `{fmnist} data fetch`.",
        "{missing} official files are missing in {folder}, and FMNIST_OFFLINE forbids the "
        "download. To download them: `{export} FMNIST_OFFLINE=`, then `{fmnist} data fetch`.",
    ),
    "doctor.data_unknown": (
        "Los datos no se pudieron revisar: primero tiene que cargarse PyTorch.",
        "The data could not be checked: PyTorch has to load first.",
    ),
    # cli
    "cli.no_home": (
        "{path}: ~ es la carpeta personal, y aquí no se sabe cuál es: falta la variable HOME. Una "
        "que sirve mientras tanto: `{export} HOME={folder}`.",
        "{path}: ~ is the folder of the user, and which one that is here is not known: the "
        "variable HOME is missing. One that will do for now: `{export} HOME={folder}`.",
    ),
    "cli.not_a_change": (
        "--set: se dio {given!r}; se admite CAMPO=VALOR, por ejemplo num_epochs=5 o "
        "model.dropout=0.1.",
        "--set: given {given!r}; allowed: FIELD=VALUE, for example num_epochs=5 or "
        "model.dropout=0.1.",
    ),
    "cli.good": ("bien", "good"),
    "cli.bad": ("falta o está dañado", "missing or damaged"),
    "cli.data_folder": (
        "Los archivos oficiales se buscan en {folder}",
        "The official files are looked for in {folder}",
    ),
    "cli.data_offline": (
        "FMNIST_OFFLINE impide bajarlos; para permitirlo: `{export} FMNIST_OFFLINE=`.",
        "FMNIST_OFFLINE forbids the download; to allow it: `{export} FMNIST_OFFLINE=`.",
    ),
    "cli.data_complete": ("Los cuatro archivos están completos.", "The four files are complete."),
    "cli.cells": ("  celdas: {run} de {cells}", "  cells: {run} of {cells}"),
    "cli.replaced": (
        "{name}: {given!r}, en lugar de {own!r}, que está en el cuaderno.",
        "{name}: {given!r}, in place of {own!r}, which is in the notebook.",
    ),
    "cli.twice": (
        "{name}: se dio dos veces. Conviene dejar una.",
        "{name}: given twice. Keep one.",
    ),
    "cli.ran": ("Listo en {seconds:.0f} s: {file}", "Done in {seconds:.0f} s: {file}"),
    "cli.interrupted": (
        "Interrumpido. Nada de lo terminado se pierde; para seguir desde la última época: "
        "`{command}`",
        "Interrupted. Nothing that was finished is lost; to go on from the last epoch: `{command}`",
    ),
    "cli.plan": (
        "{report}: {total} corridas, faltan {missing}",
        "{report}: {total} runs, {missing} missing",
    ),
    "cli.slow_bfloat16": (
        "Corridas que multiplican en bfloat16: {count}. Este procesador no tiene instrucciones "
        "para eso; PyTorch\n"
        "lo imita, y puede tardar decenas de veces más que en float32. En float32 son otras "
        "recetas, con\n"
        "registros propios: --set precision=float32 en fmnist train, set: {{precision: float32}} "
        "en un plan.",
        "Runs that multiply in bfloat16: {count}. This processor has no instructions for it; "
        "PyTorch imitates\n"
        "them, and may take tens of times as long as in float32. In float32 they are other "
        "recipes, with\n"
        "records of their own: --set precision=float32 in fmnist train, set: {{precision: "
        "float32}} in a plan.",
    ),
    "cli.yardsticks": (
        "{file}: los errores de PCA y de las imágenes constantes",
        "{file}: the errors of PCA and of constant images",
    ),
    "cli.planted": (
        "{file}: los errores de la página 09, con treinta semillas",
        "{file}: the errors of page 09, with thirty seeds",
    ),
    "cli.quality": (
        "{file}: las imágenes repetidas y las más cercanas",
        "{file}: images that come twice, and the nearest ones",
    ),
    "witness.made": (
        "{group}, semilla {seed}: {metric} {first:.4f} la primera vez, {again:.4f} la segunda; "
        "mismos pesos: {same_weights}",
        "{group}, seed {seed}: {metric} {first:.4f} the first time, {again:.4f} the second; same "
        "weights: {same_weights}",
    ),
    "cli.published": ("  {file}  ({seconds:.0f} s)", "  {file}  ({seconds:.0f} s)"),
    # workshop.plans
    "plans.unreadable": (
        "no se puede leer el plan {file}: {reason}. Se espera un archivo YAML con una lista, "
        "runs; la página «Cómo se ejecuta» trae ejemplos.",
        "cannot read the plan {file}: {reason}. A YAML file with a list, runs, is expected; the "
        "page “How to run it” has examples.",
    ),
    "plans.one_of": (
        "cada elemento de runs nombra una sola de estas cosas: report o recipe.",
        "each item of runs names exactly one of these: report or recipe.",
    ),
    "plans.twice": (
        "{names}: un mismo elemento del plan da este campo de dos maneras; queda una sola entre "
        "set, grid, seeds y folds.",
        "{names}: one item of the plan gives this field in two ways; keep one of set, grid, seeds "
        "and folds.",
    ),
    "plans.group_of_report": (
        "group: solo se admite junto con report.",
        "group: allowed only together with report.",
    ),
    "plans.protocol_of_group": (
        "protocol: solo se admite junto con group; un informe entero usa sus propios protocolos.",
        "protocol: allowed only together with group; a whole report uses its own protocols.",
    ),
    "plans.seeds_of_group": (
        "seeds: solo se admite junto con group; un informe entero usa sus propias semillas.",
        "seeds: allowed only together with group; a whole report uses its own seeds.",
    ),
    # workshop.many
    "many.runs": ("corridas", "runs"),
    "many.some_failed": (
        "fallaron {failed} de {total} corridas; las demás terminaron y están guardadas. La misma "
        "orden intenta de nuevo las que fallaron.\n{details}",
        "{failed} of {total} runs failed; the others have finished and are kept. The same command "
        "tries the failed ones again.\n{details}",
    ),
    "many.no_encoder": (
        "no empezó, porque falló la corrida de la que toma el codificador",
        "not started, because the run that gives it the encoder failed",
    ),
    "many.died": (
        "su proceso murió {times} veces sin terminarla (código {code}; si es negativo, el número "
        "de la señal que lo mató). Si es −9, quizás falta memoria: conviene repetir con --jobs 1.",
        "its process died {times} times before the run was finished (code {code}; a negative one "
        "is the number of the signal that killed it). With −9, memory may be short: try again "
        "with --jobs 1.",
    ),
    "many.no_dask": (
        "para varias corridas a la vez hace falta Dask: `{pip} install distributed`. Sin él, "
        "--jobs 1 hace una por vez.",
        "several runs at a time need Dask: `{pip} install distributed`. Without it, --jobs 1 makes "
        "one at a time.",
    ),
    "many.no_scheduler": (
        "no se llega al planificador de Dask en {address}: {reason}. Nada de lo terminado se "
        "pierde. Conviene iniciarlo ahí, `{python} -m distributed.cli.dask_scheduler`, y repetir "
        "la misma orden.",
        "the Dask scheduler at {address} cannot be reached: {reason}. Nothing that was finished is "
        "lost. Start it there, `{python} -m distributed.cli.dask_scheduler`, and give the same "
        "command again.",
    ),
    "many.no_workers": (
        "El planificador de Dask en {address} no tiene trabajadores todavía. Esta orden los "
        "espera; uno se inicia con "
        "`{python} -m distributed.cli.dask_worker {address} --nthreads 4`.",
        "The Dask scheduler at {address} has no workers yet. This command waits for them; "
        "`{python} -m distributed.cli.dask_worker {address} --nthreads 4` starts one.",
    ),
    "many.not_seen": (
        "un trabajador la hizo, pero aquí no está en {folder}. Todas las computadoras tienen que "
        "ver la misma carpeta de corridas.",
        "a worker has made it, but here it is not in {folder}. All the computers must see the same "
        "folder of runs.",
    ),
    "many.jobs_or_scheduler": (
        "--jobs vale para esta computadora; con --scheduler, las corridas a la vez son los hilos "
        "de sus trabajadores. Se da una de las dos opciones.",
        "--jobs is for this computer; with --scheduler, as many runs go on at a time as its "
        "workers have threads. Give one of the two options.",
    ),
    "many.bad_part": (
        "--part: se dio {given!r}; se admite K/N con 1 ≤ K ≤ N, por ejemplo 3/40.",
        "--part: given {given!r}; allowed: K/N with 1 ≤ K ≤ N, for example 3/40.",
    ),
    "many.plan": (
        "{total} corridas, faltan {missing}.",
        "{total} runs, {missing} missing.",
    ),
    "many.unknown_cost": (
        "De {unknown} no hay registros parecidos: no se sabe cuánto tardan, y lo que sigue no las "
        "cuenta.",
        "For {unknown} there are no like records: how long they take is not known, and what "
        "follows leaves them out.",
    ),
    "many.cost": (
        "Costo de {runs} corridas, estimado con registros de otras parecidas: {alone} de una en "
        "una.",
        "Cost of {runs} runs, estimated from the records of like ones: {alone} one after the "
        "other.",
    ),
    "many.cost_together": (
        "Con {jobs} a la vez, al menos {least}.",
        "With {jobs} at a time, at least {least}.",
    ),
    "many.days": ("{count:.1f} días", "{count:.1f} days"),
    "many.hours": ("{count:.1f} horas", "{count:.1f} hours"),
    "many.minutes": ("{count:.0f} minutos", "{count:.0f} minutes"),
    "many.seconds": ("{count:.0f} segundos", "{count:.0f} seconds"),
    "many.finished": (
        "Listo: {total} corridas hechas.",
        "Done: {total} runs are made.",
    ),
    "many.no_store": (
        "no existe la carpeta {folder}. --store nombra una carpeta en la que ya se hicieron "
        "corridas; sin esa opción se usa la habitual.",
        "there is no folder {folder}. --store names a folder in which runs have been made; "
        "without it the usual one is used.",
    ),
    "many.store": ("Corridas en {folder}", "Runs in {folder}"),
    "many.done": ("hechas", "done"),
    "many.running": ("en curso", "running"),
    "many.failed": ("fallidas", "failed"),
    "many.waiting": ("en espera", "waiting"),
    "many.details": (
        "Cada falla está descripta por entero en failed.json, en la carpeta de su corrida.",
        "Each failure is described in full in failed.json, in the folder of its run.",
    ),
}

text.add(WORDS)
