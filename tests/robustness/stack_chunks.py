"""What greenlet does to a thread's stack of frames: it sets the stack aside, lets calls make a new one, and gives that back to the
arena allocator, as PyThreadState's public layout and CPython's use of the allocator let it."""
import ctypes
import sys

OFFSET = 232      # of datastack_chunk in PyThreadState; datastack_top and datastack_limit follow
api = ctypes.pythonapi
api.PyThreadState_Get.restype = ctypes.c_void_p


class Arena(ctypes.Structure):
    _fields_ = [("ctx", ctypes.c_void_p), ("alloc", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)),
                ("free", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t))]


def pages():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[0])


def down(n):
    return down(n - 1) + 1 if n else 0


words = ctypes.c_void_p * 3
here = api.PyThreadState_Get() + OFFSET
none, saved, new = words(), words(), words()
arena = Arena()
api.PyObject_GetArenaAllocator(ctypes.byref(arena))
assert ctypes.c_void_p.from_address(here).value
before = None
for i in range(2000):
    ctypes.memmove(saved, here, 24)
    ctypes.memmove(here, none, 24)
    down(3 if i % 10 else 600)
    ctypes.memmove(new, here, 24)
    ctypes.memmove(here, saved, 24)
    chunk = new[0]
    while chunk:
        previous, size = (ctypes.c_size_t * 2).from_address(chunk)
        arena.free(arena.ctx, chunk, size)
        chunk = previous
    if i == 200:
        before = pages()
grown = pages() - before
assert grown < 2000, "%d pages more" % grown
print(down(900))
print("OK")
