"""Several readers wait at an empty SimpleQueue; items put in one go wake them all."""
import _queue
import threading

for round in range(300):
    queue = _queue.SimpleQueue()
    got = []
    readers = [threading.Thread(target=lambda: got.append(queue.get()), daemon=True) for _ in range(4)]
    for reader in readers:
        reader.start()
    for i in range(4):
        queue.put(i)
    for reader in readers:
        reader.join(10)
        assert not reader.is_alive(), "a reader sleeps beside an item"
    assert sorted(got) == [0, 1, 2, 3]
print("OK")
