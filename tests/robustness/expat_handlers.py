"""Handlers of a pyexpat parser that change the parser, or call it; an entity's parser that outlives its parent."""
import gc
from xml.parsers import expat

# Calling the parser from its own handler.
parser = expat.ParserCreate()
refused = []


def again(name, attributes):
    for call in (lambda: parser.Parse(b"<b>" * 1000 + b"x" * 100000), lambda: parser.ParseFile(__import__("io").BytesIO(b"<c/>"))):
        try:
            call()
        except RuntimeError:
            refused.append(name)


parser.StartElementHandler = again
parser.Parse(b"<a>" + b"<c/>" * 100, False)
assert len(refused) == 202

# The character data's handler switches the buffer off, makes it small, takes handlers away.
for action in ("parser.buffer_text = False", "parser.buffer_size = 1", "parser.CharacterDataHandler = None"):
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 100
    parser.CharacterDataHandler = lambda data: exec(action)
    parser.Parse(b"<a>" + b"x&lt;y" * 1000 + b"</a>", True)

seen = []
parser = expat.ParserCreate()
parser.buffer_text = True


def data(text):
    parser.EndElementHandler = None


parser.CharacterDataHandler = data
parser.StartElementHandler = lambda name, attributes: seen.append(name)
parser.EndElementHandler = lambda name: None
parser.Parse(b"<a>text<b/>text</a>" .replace(b"text</a>", b"text<c/></a>"), True)
assert seen == ["a", "b", "c"], seen

seen.clear()
parser = expat.ParserCreate()
parser.buffer_text = True
parser.CharacterDataHandler = data
parser.StartElementHandler = lambda name, attributes: seen.append(name)
parser.EndElementHandler = lambda name: seen.append("/" + name)
parser.Parse(b"<a><b>text</b><c/></a>", True)
assert seen == ["a", "b", "c"], seen


# read() that parses with the same parser while the file is being parsed.
class File:
    calls = 0

    def read(self, n):
        self.calls += 1
        if self.calls == 2:
            parser.Parse(b"<x/>" * 20000)
        return b"<a>" if self.calls == 1 else b"</a>" if self.calls == 5 else b"<b/>" if self.calls < 5 else b""


parser = expat.ParserCreate()
try:
    parser.ParseFile(File())
except expat.ExpatError:
    pass

# The parser of an external entity lives longer than the one it came from.
parser = expat.ParserCreate()
kept = []


def external(context, base, system, public):
    kept.append(parser.ExternalEntityParserCreate(context))
    return 1


parser.ExternalEntityRefHandler = external
parser.Parse(b"<!DOCTYPE a [<!ENTITY e SYSTEM 'e.xml'>]><a>&e;</a>", True)
del parser, again, data, external
gc.collect()
kept[0].Parse(b"<b>" + b"x" * 10000 + b"</b>", True)
del kept
gc.collect()

print("OK")
