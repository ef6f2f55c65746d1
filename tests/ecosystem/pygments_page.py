"""Pygments: a 3,000-line module to HTML, and smaller texts of other languages through other formatters."""
import hashlib
import inspect
import io
import sys

import pygments
from pygments import lexers, formatters, filters, styles, token
from pygments.filters import VisibleWhitespaceFilter, KeywordCaseFilter, NameHighlightFilter

SNIPPETS = {
    "c": '#include <stdio.h>\n/* a comment */\nint main(int argc, char **argv) {\n    printf("%d\\n", argc << 3);\n    return 0x1F;\n}\n',
    "html": '<!DOCTYPE html>\n<html><head><style>p { color: #fff }</style></head>\n<body onload="f()"><p class="a">&amp; <b>x</b></p>'
            '<script>let a = `t${1 + 2}`;</script></body></html>\n',
    "json": '{"a": [1, 2.5e-3, true, null], "b": {"c": "\\u00e9\\n"}}\n',
    "sql": "SELECT a.name, COUNT(*) AS n FROM t a LEFT JOIN u ON a.id = u.id WHERE a.x >= 10 -- comment\nGROUP BY a.name;\n",
    "bash": 'for f in *.py; do\n  echo "${f%.py}" | sed -e \'s/a/b/\' > /dev/null\ndone\n',
    "diff": "--- a\n+++ b\n@@ -1,2 +1,2 @@\n-old\n+new\n same\n",
    "javascript": "const f = async (x) => { for await (const y of x) console.log(/a+b/gi.test(y) ?? 0n); };\n",
    "rst": "Title\n=====\n\n.. code-block:: python\n\n   def f(): return 1\n\n* item *emph* ``lit`` [1]_\n",
    "pycon": ">>> 1/0\nTraceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nZeroDivisionError: division by zero\n",
    "haskell": "module Main where\nmain :: IO ()\nmain = mapM_ print $ filter even [1..10] -- c\n",
    "rust": "fn main() { let v: Vec<u8> = vec![1u8; 3]; println!(\"{:?}\", v.iter().map(|x| x + 1)); }\n",
    "yaml": "a: &x\n  - 1\n  - !!str 2\nb: *x\n# c\n",
    "make": "all: x.o\n\t$(CC) -o $@ $^ # c\n%.o: %.c\n\t$(CC) -c $<\n",
    "ruby": "class A < B\n  def x(y = 1) = \"#{y}\" =~ /z/i\nend\n",
    "scheme": "(define (f x) (if (= x 0) 1 (* x (f (- x 1))))) ; fact\n",
    "lua": "local t = {1, 2, x = [[long]]} --[[ c ]] for k, v in pairs(t) do print(k .. v) end\n",
    "css": "@media print { a:hover::before { content: \"\\201C\"; margin: -1.5em auto !important } }\n",
    "ini": "[a]\nx = 1 ; c\n",
}


def main():
    print("pygments", pygments.__version__)
    with open(inspect.__file__, encoding="utf-8") as f:
        source = f.read()
    print(source.count("\n") > 3000)
    lexer = lexers.get_lexer_by_name("python", stripall=True)
    html = pygments.highlight(source, lexer, formatters.HtmlFormatter(linenos="table", full=True, title="inspect", anchorlinenos=True))
    print(len(html), hashlib.sha256(html.encode()).hexdigest())
    sys.stdout.write(html)

    counts = {}
    for kind, text in lexer.get_tokens(source):
        counts[kind] = counts.get(kind, 0) + 1
    for kind in sorted(counts):
        print(kind, counts[kind])

    for name, text in SNIPPETS.items():
        lexer = lexers.get_lexer_by_name(name)
        print("==", name, lexer)
        for formatter in (formatters.NullFormatter(), formatters.TerminalFormatter(linenos=True), formatters.Terminal256Formatter(style="monokai"),
                          formatters.TerminalTrueColorFormatter(), formatters.LatexFormatter(verboptions="x"), formatters.RtfFormatter(),
                          formatters.SvgFormatter(), formatters.BBCodeFormatter(), formatters.HtmlFormatter(noclasses=True, style="vim")):
            print(pygments.highlight(text, lexer, formatter))
        raw = io.BytesIO()
        pygments.highlight(text, lexer, formatters.RawTokenFormatter(), raw)
        print(raw.getvalue().decode())

    lexer = lexers.PythonLexer()
    lexer.add_filter(VisibleWhitespaceFilter(spaces=True, tabs=True))
    lexer.add_filter(KeywordCaseFilter(case="upper"))
    lexer.add_filter(NameHighlightFilter(names=["f"], tokentype=token.Generic.Heading))
    print(pygments.highlight("def f(x):\n\treturn lambda y: x  # é\n", lexer, formatters.HtmlFormatter()))
    for name in sorted(styles.get_all_styles())[:6]:
        print(formatters.HtmlFormatter(style=name).get_style_defs(".hl"))
    print(sorted(filters.get_all_filters()))
    print(sum(1 for _ in lexers.get_all_lexers()), lexers.guess_lexer("#!/usr/bin/python\nprint 1"), lexers.guess_lexer_for_filename("a.html", "{% if x %}"))


main()
