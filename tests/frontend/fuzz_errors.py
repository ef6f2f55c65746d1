"""Compares verdicts on texts broken at random: fuzz_errors.py SEED COUNT FILE... Tokens of real statements are deleted, doubled,
swapped, replaced or inserted. Run by the oracle."""
import ast, io, random, sys, tokenize
from compare_errors import compare, report

def statements(path):
    source = open(path, "rb").read().decode()
    lines = source.splitlines(keepends=True)
    for node in ast.parse(source).body:
        text = "".join(lines[node.lineno - 1:node.end_lineno])
        if len(text) < 600:
            yield text
        for sub in ast.walk(node):
            if isinstance(sub, ast.stmt) and sub is not node and sub.end_lineno - sub.lineno < 6:
                yield ast.unparse(sub) + "\n"

WORDS = ("( ) [ ] { } , : ; = == := + - * ** / // @ & | ^ ~ < > != -> . ... ! if else elif for in while def class lambda not and or is "
         "try except finally with as import from return yield await async pass break continue del global nonlocal raise assert None True "
         "False match case type _ print exec x y z 1 2.5 3j 'a' b'a' f'a' f'{a}' \"\"\"a\nb\"\"\" \\ $ ? # \n \n\t \n\x20\x20 *a **b").split(" ")

def pieces(text):
    out, pos = [], (1, 0)
    try:
        for t in tokenize.generate_tokens(io.StringIO(text).readline):
            if t.start > pos and t.start[0] == pos[0]:
                out.append(" " * (t.start[1] - pos[1]))
            out.append(t.string)
            pos = t.end
    except Exception:
        return [text]
    return out

def mutate(rng, parts):
    parts = list(parts)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not parts:
            break
        i = rng.randrange(len(parts))
        k = rng.randrange(6)
        if k == 0:
            del parts[i]
        elif k == 1:
            parts.insert(i, parts[i])
        elif k == 2:
            j = rng.randrange(len(parts))
            parts[i], parts[j] = parts[j], parts[i]
        elif k == 3:
            parts[i] = rng.choice(WORDS)
        elif k == 4:
            parts.insert(i, " " + rng.choice(WORDS) + " ")
        else:
            parts = parts[:i]
    return "".join(parts)

def main():
    rng = random.Random(int(sys.argv[1]))
    count = int(sys.argv[2])
    texts = []
    for path in sys.argv[3:]:
        texts += statements(path)
    bad = wrong = 0
    for i in range(count):
        text = mutate(rng, pieces(rng.choice(texts)))
        mode = rng.choice(("exec", "exec", "exec", "single", "eval"))
        flags = rng.choice((0, 0, 0, ast.PyCF_TYPE_COMMENTS, 0x4000, 0x200, 0x4200))
        a, b = compare(text, mode, flags)
        wrong += "Error" in a[0][:30]
        if a != b:
            bad += 1
            report(text, mode, a, b, flags)
    print(count, "texts,", wrong, "wrong ones,", bad, "differ")
main()
