"""Markdown: CommonMark-like text with every bundled extension, extensions of our own and the element tree."""
import xml.etree.ElementTree as etree

import markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor, SimpleTagInlineProcessor
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

TEXT = '''title: Sample
author: One
        Two

# Heading *one* {: #first .cls }

[TOC]

Setext
======

A paragraph with *emphasis*, __strong__, ***both***, `code & <b>`, ``a `tick` ``, a [link](http://example.com/?a=1&b=2 "Title"),
an ![image](pic.png 'alt'), [reference][ref], [ref], <http://auto.example.com>, <me@example.com>, &copy; & AT&T, 1 < 2,
a hard break  
here and \\*escaped\\*, snake_case_word, H~2~O, "smart" 'quotes' -- dashes --- and ellipsis...

[ref]: https://example.org/path_(x) "Ref title"

* one
* two
    * nested

        paragraph in nested

    1. ordered
    2. ordered
* three

    code in list

3. starts
4. at three

> A quote
> with *lines*
>
> > nested
>
> * list

    indented code <tag> & more

```python hl_lines="1 3" linenums="1"
def f(x):
    """Doc."""
    return x
```

~~~~{.html #id}
<p>fenced</p>
~~~~

Name | Value | Right
:--- | :---: | ---:
a    | `x|y` | 1
*b*  | \\|   | 22

Term
:   Definition one
:   Definition two

    with paragraph

HTML is an abbreviation. A footnote[^1] and another[^long].

[^1]: The note.
[^long]:
    First paragraph.

    Second, with `code`.

*[HTML]: Hyper Text Markup Language

!!! warning "Be careful"
    Admonition body.

    * list

<div markdown="1">
Markdown *inside* HTML
</div>

<table><tr><td>raw *html*</td></tr></table>

<!-- comment -->

- - -

Paragraph{: .last title="T" }

==marked== and {++added++} and @user
'''


class MarkExtension(Extension):
    def __init__(self, **kwargs):
        self.config = {"tag": ["mark", "the element"]}
        super().__init__(**kwargs)

    def extendMarkdown(self, md):
        md.inlinePatterns.register(SimpleTagInlineProcessor(r"()==(.*?)==", self.getConfig("tag")), "mark", 175)
        md.inlinePatterns.register(UserProcessor(r"@(\w+)", md), "user", 70)
        md.preprocessors.register(Upper(md), "added", 5)
        md.treeprocessors.register(Count(md), "count", 0)
        md.postprocessors.register(Tail(md), "tail", 0)
        md.parser.blockprocessors.register(Box(md.parser), "box", 175)


class UserProcessor(InlineProcessor):
    def handleMatch(self, m, data):
        el = etree.Element("a", {"href": "/u/" + m.group(1)})
        el.text = m.group(0)
        return el, m.start(0), m.end(0)


class Upper(Preprocessor):
    def run(self, lines):
        return [line.replace("{++", "<ins>").replace("++}", "</ins>") for line in lines]


class Count(Treeprocessor):
    def run(self, root):
        self.md.counted = sorted((tag, sum(1 for _ in root.iter(tag))) for tag in {e.tag for e in root.iter() if isinstance(e.tag, str)})


class Tail(Postprocessor):
    def run(self, text):
        return text + "\n<!-- %d -->" % len(text)


class Box(BlockProcessor):
    def test(self, parent, block):
        return block.startswith("|||")

    def run(self, parent, blocks):
        self.parser.parseBlocks(etree.SubElement(parent, "section"), [blocks.pop(0)[3:]])


def main():
    print("markdown", markdown.__version__)
    print(markdown.markdown(TEXT))
    print(markdown.markdown(TEXT, output_format="xhtml", tab_length=2))
    for name in ("abbr", "admonition", "attr_list", "codehilite", "def_list", "extra", "fenced_code", "footnotes", "legacy_attrs", "legacy_em",
                 "md_in_html", "meta", "nl2br", "sane_lists", "smarty", "tables", "toc", "wikilinks"):
        print("=====", name)
        print(markdown.markdown(TEXT + "\n[[Wiki Link]]", extensions=[name]))
    md = markdown.Markdown(extensions=["extra", "meta", "toc", "smarty", "codehilite", "admonition", MarkExtension(tag="em")],
                           extension_configs={"toc": {"permalink": True, "baselevel": 2}, "codehilite": {"guess_lang": False, "noclasses": True}})
    print(md.convert(TEXT + "\n\n||| boxed *text*\n"))
    print(md.counted, md.Meta, md.toc, md.toc_tokens)
    print(md.reset().convert("# again"))
    print(len(md.reset().convert(TEXT * 20)))
    for nasty in ("[" * 50 + "a" + "]" * 50, "*" * 60, "> " * 30 + "deep", "`" * 31, "<" * 40, "- " * 40 + "x", "![" * 20, "\x02\x03", "&#x41; &bogus;", "a\r\nb\rc\td"):
        print(repr(markdown.markdown(nasty)))
    try:
        markdown.markdown("x", extensions=["nosuch"])
    except Exception as e:
        print(type(e).__name__, e)


main()
