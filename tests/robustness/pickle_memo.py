"""The memo of an Unpickler, given as a dict whose keys run Python code."""
import io
import pickle


class Key(int):
    """A memo number far beyond an array; hashing it changes the dict that is being read."""
    armed = False

    def __hash__(self):
        if Key.armed:
            Key.armed = False
            memo.clear()
            for i in range(1, 4):
                memo[-i * 1000] = "negative"
        return int.__hash__(self)

    __eq__ = int.__eq__


for _ in range(5):
    memo = {Key(10 ** 9 + i): i for i in range(8)}
    unpickler = pickle.Unpickler(io.BytesIO(b"\x80\x04N."))
    Key.armed = True
    try:
        unpickler.memo = memo
    except (ValueError, RuntimeError, MemoryError):
        pass
    assert all(k >= 0 for k in unpickler.memo.copy())
    Key.armed = False
    assert unpickler.load() is None

print("OK")
