# Destructors see the line that let go.
import sys


class Line:
    def __del__(self):
        print("freed at line +", sys._getframe(1).f_lineno - sys._getframe(1).f_code.co_firstlineno)


def letting_go():
    a = Line()

    a = None
    b = Line()

    del b
    Line()
    c = lambda: d
    d = Line()

    d = None
    if Line() is None:
        pass
    x, y = Line(), Line()

    x, y = 1, 2


letting_go()
