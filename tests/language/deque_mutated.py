"""A deque that a comparison changes: what remove(), index(), count() and `in` do about it."""
import collections


class Item:
    def __init__(self, result):
        self.result = result

    def __eq__(self, other):
        d.append(1)
        return self.result


for result in False, True:
    for method in "remove", "index", "count", "__contains__":
        d = collections.deque(range(5))
        try:
            print(result, method, getattr(d, method)(Item(result)))
        except Exception as e:
            print(result, method, repr(e))
