"""Files that nobody closes: what was written is there after the program, also when only the collector finds them."""
import gc
import os
import subprocess
import sys
import tempfile

folder = tempfile.mkdtemp()
name = os.path.join(folder, "file")


def contents(text):
    with open(name, "w"):
        pass
    subprocess.run([sys.executable, "-c", text, name], check=True)
    with open(name) as f:
        return f.read()


# A global file, and functions, which hold the module's names in a circle.
print(contents("import sys\nout = open(sys.argv[1], 'w')\ndef f(): return out\nout.write('one')"))
print(contents("import sys\nout = open(sys.argv[1], 'wb')\ndef f(): return out\nout.write(b'two')"))
print(contents("import sys\nclass C:\n    out = open(sys.argv[1], 'w')\n    def f(self): return C.out\nc = C()\nc.me = c\nc.out.write('three')"))
print(contents("import sys\ndef f():\n    for i in range(3): yield out\nout = open(sys.argv[1], 'r+')\ng = f()\nnext(g).write('four')"))


# The same before the end, for files that have outlived a collection.
def circle(mode, data):
    box = {"out": open(name, mode)}
    box["box"] = box
    box["out"].write(data)
    gc.collect()
    gc.collect()


import warnings
warnings.simplefilter("ignore")
for mode, data in (("w", "five"), ("wb", b"six")):
    circle(mode, data)
    gc.collect()
    with open(name) as f:
        print(f.read())
os.remove(name)
os.rmdir(folder)
