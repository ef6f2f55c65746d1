"""Writes src/objects/float_powers.def: the powers of ten that float_text.c multiplies with."""
from fractions import Fraction
import sys


def significand(k):
    """10 ** k as 128 bits with the highest bit set, rounded up."""
    power = Fraction(10) ** k
    exponent = power.numerator.bit_length() - power.denominator.bit_length()
    if power < Fraction(2) ** exponent:
        exponent -= 1
    scaled = power * Fraction(2) ** (127 - exponent)
    return -(-scaled.numerator // scaled.denominator)


def main(path):
    rows = ["/* Made by scripts/float_powers.py: 10 ** k for k from -292 to 324 as 128-bit numbers with the highest bit set, rounded up. */"]
    for k in range(-292, 325):
        q = significand(k)
        note = f"   /* {k} */" if k % 10 == 0 else ""
        rows.append(f"POWER(0x{q >> 64:016x}, 0x{q & (2**64 - 1):016x}){note}")
    with open(path, "w") as f:
        f.write("\n".join(rows) + "\n")


main(sys.argv[1])
