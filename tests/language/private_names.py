"""Private functions of the C API that compiled packages import (pyrsistent, orjson and others), called by name."""
import ctypes

api, o, n = ctypes.pythonapi, ctypes.py_object, ctypes.c_ssize_t
api._PyList_Extend.restype = o
api._PyList_Extend.argtypes = o, o
items = [1]
print(api._PyList_Extend(items, (2, 3)), api._PyList_Extend(items, iter("ab")), items)
for bad in (5, None):
    try:
        api._PyList_Extend(items, bad)
    except TypeError as e:
        print(e, items)

for name in ("_PyDict_SetItem_KnownHash", "_PyDict_SetItem_KnownHash_LockHeld"):
    f = api[name]
    f.argtypes = o, o, o, n
    d = {"k": 0}
    key = ("a", 1)
    print(f(d, key, 1, hash(key)), f(d, "k", 2, hash("k")), d, d[("a", 1)])
f = api._PyDict_SetItem_KnownHash
f.argtypes = o, o, o, n
try:
    f([], 1, 2, 1)
except SystemError as e:
    print("SystemError")

for name in ("_PySet_NextEntry", "_PySet_NextEntryRef"):
    f = api[name]
    f.argtypes = o, ctypes.POINTER(n), ctypes.POINTER(o), ctypes.POINTER(n)
    for s in (set(), {1, 2, 40}, frozenset("xyz"), set(range(30)) - set(range(3, 27))):
        at, key, hashed, found = n(0), ctypes.py_object(), n(0), []
        while f(s, ctypes.byref(at), ctypes.byref(key), ctypes.byref(hashed)):
            found.append((key.value, hashed.value == hash(key.value)))
        print(name, sorted(found), sorted(k for k, same in found) == sorted(s))
    try:
        f([], ctypes.byref(at), ctypes.byref(key), ctypes.byref(hashed))
    except SystemError as e:
        print("SystemError")
