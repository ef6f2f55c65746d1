"""Frame objects after their frame has ended: one object for good, with the names that were added to f_locals."""
import sys
def q():
    fr = sys._getframe()
    l = fr.f_locals
    l["new"] = 3
    return 1 / 0
for _ in range(2):
    try:
        q()
    except ZeroDivisionError as e:
        f = e.__traceback__.tb_next.tb_frame
    print(sorted(f.f_locals), f.f_locals["new"], f.f_locals["fr"] is f, f.f_locals == f.f_locals)
    f.f_locals["more"] = 4
    print(sorted(f.f_locals), len(f.f_locals))
f.clear()
print(sorted(f.f_locals))
