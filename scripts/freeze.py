"""Makes the frozen modules: freeze.py STDLIB BLOB TABLE.

Runs under any Python whose compiler and marshal write 3.13's code. BLOB is marshalled code objects one after the other,
TABLE a C header with one FROZEN(name, origin, offset, size, is_package, is_test) a module. The first three entries are
those without which nothing starts.
"""
import marshal
import os
import sys

# name, file below the library (without .py), origin (None: the name itself, "": none), package, test
MODULES = [
    ("_frozen_importlib", "importlib/_bootstrap", "importlib._bootstrap", 0, 0),
    ("_frozen_importlib_external", "importlib/_bootstrap_external", "importlib._bootstrap_external", 0, 0),
    ("zipimport", "zipimport", None, 0, 0),
    ("abc", "abc", None, 0, 0),
    ("codecs", "codecs", None, 0, 0),
    ("io", "io", None, 0, 0),
    ("_collections_abc", "_collections_abc", None, 0, 0),
    ("_sitebuiltins", "_sitebuiltins", None, 0, 0),
    ("genericpath", "genericpath", None, 0, 0),
    ("ntpath", "ntpath", None, 0, 0),
    ("posixpath", "posixpath", None, 0, 0),
    ("os.path", "posixpath", "posixpath", 0, 0),
    ("os", "os", None, 0, 0),
    ("site", "site", None, 0, 0),
    ("stat", "stat", None, 0, 0),
    ("importlib.util", "importlib/util", None, 0, 0),
    ("importlib.machinery", "importlib/machinery", None, 0, 0),
    ("runpy", "runpy", None, 0, 0),
    ("__hello__", "__hello__", None, 0, 1),
    ("__hello_alias__", "__hello__", "__hello__", 0, 1),
    ("__phello_alias__", "__hello__", "__hello__", 1, 1),
    ("__phello_alias__.spam", "__hello__", "__hello__", 0, 1),
    ("__phello__", "__phello__/__init__", None, 1, 1),
    ("__phello__.__init__", "__phello__/__init__", "<__phello__", 0, 1),
    ("__phello__.ham", "__phello__/ham/__init__", None, 1, 1),
    ("__phello__.ham.__init__", "__phello__/ham/__init__", "<__phello__.ham", 0, 1),
    ("__phello__.ham.eggs", "__phello__/ham/eggs", None, 0, 1),
    ("__phello__.spam", "__phello__/spam", None, 0, 1),
    ("__hello_only__", None, "", 0, 1),
]
HELLO_ONLY = "initialized = True\n"


def module_source(stdlib, file):
    if file is None:
        return HELLO_ONLY
    path = os.path.join(stdlib, file + ".py")
    if file.startswith("__phello__") and not os.path.exists(path):
        return ""                          # Debian leaves these out of the library
    with open(path, encoding="utf-8") as f:
        return f.read()


def main(stdlib, blob_path, table_path):
    blob, rows, made = bytearray(), [], {}
    for name, file, origin, package, test in MODULES:
        shown = file.replace("/", ".") if file else name
        if shown.endswith(".__init__"):
            shown = shown.removesuffix(".__init__")
        if file not in made:
            filename = f"<frozen {shown}>"
            code = compile(module_source(stdlib, file), filename, "exec", dont_inherit=True, optimize=0)
            data = marshal.dumps(code)
            made[file] = (len(blob), len(data))
            blob += data
        offset, size = made[file]
        text = "NULL" if origin is None else '"%s"' % origin
        rows.append(f'FROZEN("{name}", {text}, {offset}, {size}, {"true" if package else "false"}, {"true" if test else "false"})\n')
    with open(blob_path, "wb") as f:
        f.write(blob)
    with open(table_path, "w") as f:
        f.write("/* Made by scripts/freeze.py. */\n" + "".join(rows) + "#undef FROZEN\n")


main(*sys.argv[1:])
