"""Trees that change while they are searched, compared, copied and freed; very deep ones; parsers called from their own handlers."""
import collections
import copy
import gc
import io
import pickle
import random
import sys
import xml.etree.ElementTree as ET
from _elementtree import Element, SubElement, TreeBuilder, XMLParser

DEEP = 100_000


def raises(kinds, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except kinds as e:
        return e
    raise AssertionError(f'{function} did not raise')


# Depth: freed, collected, iterated, copied, pickled, parsed, printed.
def deep(n=DEEP):
    root = e = Element('e', a='1')
    for _ in range(n):
        e = SubElement(e, 'e')
        e.text = e.tail = 't'
    return root, e

root, last = deep()
assert sum(1 for _ in root.iter()) == DEEP + 1 and sum(1 for _ in root.itertext()) == 2 * DEEP
for copier in (copy.deepcopy, pickle.dumps, ET.tostring):
    raises((RecursionError, MemoryError), copier, root)
last.append(root)                                                    # a cycle
del root, last
gc.collect()
del_me = deep()[0]
del del_me
parsed = ET.fromstring('<a>' * 20000 + '</a>' * 20000)
del parsed
parser = XMLParser()
parser.feed('<a>' * 20000)
del parser
builder = TreeBuilder()
for _ in range(DEEP): builder.start('a', {})
del builder


# __eq__, __hash__ and __del__ that change the tree.
class Tag(str):
    action = staticmethod(lambda: None)
    def __eq__(self, other):
        self.action()
        return False
    __hash__ = str.__hash__


def tree(n=10):
    e = Element('root', k='v')
    for i in range(n): SubElement(e, Tag('x')).text = 'y' * 100
    return e

def shrink(e):
    def act():
        if len(e): del e[len(e) // 2:]
        e.text = e.tail = None
    return act

def replace(e):
    def act():
        e[:] = [Element(Tag('z')) for _ in range(20)]
        e.attrib = {}
        gc.collect()
    return act

def vanish(e):
    def act():
        e.clear()
        for child in list(e.iter()): child.tag = 'changed'
        gc.collect()
    return act

for action in (shrink, replace, vanish):
    for use in (lambda e: e.find('q'), lambda e: e.findtext('q'), lambda e: e.findall('q'), lambda e: list(e.iter('q')),
                lambda e: e.findall('.//q'), lambda e: list(e.iterfind('q/q')), lambda e: e.find(Tag('q'))):
        e = tree()
        Tag.action = staticmethod(action(e))
        use(e)
        Tag.action = staticmethod(lambda: None)


class Child(Element):
    action = None
    def __eq__(self, other):
        if Child.action: Child.action()
        return True
    __hash__ = None

for action in (shrink, replace, vanish):
    e = Element('r')
    for i in range(5): e.append(Child('c'))
    Child.action = action(e)
    e.remove(Element('other'))
    Child.action = None


class Dying(Element):
    parent = None
    def __del__(self):
        p = Dying.parent
        if p is not None:
            p.append(Element('late'))
            p[0:1] = [Element('later')]
            p.text = 'x'

def family():
    Dying.parent = None
    e = Element('r')
    for i in range(9): e.append(Dying('d'))
    Dying.parent = e
    return e

for use in (lambda e: e.clear(), lambda e: e.__delitem__(slice(None)), lambda e: e.__setitem__(slice(0, 9, 2), [Element('n')] * 5),
            lambda e: e.__delitem__(slice(0, 9, 2)), lambda e: e.__setitem__(0, Element('n')), lambda e: e.remove(e[3]),
            lambda e: e.__setstate__({'tag': 'q'}), lambda e: e.__setitem__(slice(2, 5), []), lambda e: e.__setitem__(slice(2, 3), e)):
    e = family()
    use(e)
    assert all(isinstance(child, Element) for child in e), list(e)
    Dying.parent = None


class Index:
    def __init__(self, e): self.e = e
    def __index__(self):
        self.e.clear()
        return 3

for use in (lambda e, i: e[i], lambda e, i: e.__setitem__(i, Element('n')), lambda e, i: e.__delitem__(i)):
    e = tree()
    raises(IndexError, use, e, Index(e))
for use in (lambda e, i: e[i:9], lambda e, i: e.__setitem__(slice(i, 9), [Element('n')]), lambda e, i: e.__delitem__(slice(i, 9)),
            lambda e, i: e.insert(i, Element('n')), lambda e, i: e.__setitem__(slice(i, 9, 2), [])):
    e = tree()
    use(e, Index(e))

def children(e):
    yield Element('a')
    e.clear()
    yield Element('b')

e = tree()
e[2:8] = children(e)
e.extend(children(e))
e[:] = e
e.extend(e)
assert len(e) == 4
raises(ValueError, e.__setitem__, slice(0, 9, 2), [1, 2, 3])


# Copies whose parts are not what one expects, or change what is copied.
class Part:
    def __init__(self, e): self.e = e
    def __deepcopy__(self, memo):
        self.e.clear()
        memo.clear()
        gc.collect()
        return 'part'

e = tree()
e.text = Part(e)
e.attrib['p'] = Part(e)
copy.deepcopy(e)
class BadDict(dict):
    def __deepcopy__(self, memo): return 5
e.attrib = BadDict()
raises(TypeError, copy.deepcopy, e)
class BadChild(Element):
    def __deepcopy__(self, memo): return 5
e = Element('r')
e.append(BadChild('c'))
raises(TypeError, copy.deepcopy, e)
raises(TypeError, e.__setstate__, {'tag': 1, '_children': [1]})
raises(TypeError, e.__setstate__, {'tag': 1, 'attrib': 1})
e.tag = e
raises(RuntimeError, repr, e)
class Rep:
    def __repr__(self):
        e.tag = 'gone'
        return 'rep'
e.tag = Rep()
repr(e)
class Key:
    def __init__(self, e): self.e = e
    def __hash__(self): return hash('k')
    def __eq__(self, other):
        self.e.clear()
        self.e.attrib = {}
        return False
e = tree()
e.get(Key(e))
e = tree()
e.set(Key(e), 1)


# Iterators over what changes; kept alive by nothing else.
e = tree()
it = e.iter()
del e
gc.collect()
next(it).clear()
assert list(it) == []
e = tree(3)
for child in e.iter():
    if len(e) < 50: e.insert(0, Element('n'))
e = tree(3)
e.append(e)
it = e.iter()
for _ in range(10000): next(it)
del it
gc.collect()


# Builders with targets and factories that do as they please.
builder = TreeBuilder(element_factory=lambda tag, attrib: builder.close() or tag)
builder.start('a', {})
raises((AttributeError, TypeError), builder.start, 'b', {})
class Fickle(Element):
    def append(self, child):
        builder.__init__()
        builder.end('x')
        raise KeyError
builder = TreeBuilder(element_factory=Fickle)
builder.start('a', {})
raises((KeyError, IndexError), builder.start, 'b', {})
builder = TreeBuilder()
builder.start('a', {})
shared = ['x']
builder.data(shared)
builder.data('y')
raises(TypeError, builder.end, 'a')
assert shared == ['x']
builder = TreeBuilder()
for _ in range(3): raises(IndexError, builder.end, 'a')
builder.data('t')
builder.start('a', {}); builder.data('t'); builder.end('a'); builder.data('u')
raises(ET.ParseError, builder.start, 'b', {})


# Parsers entered from their handlers, made again, dropped.
def handlers(act):
    class Target:
        def start(self, tag, attrib): act()
        end = data = comment = close = lambda self, *args: act()
        def pi(self, *args): act()
        def start_ns(self, *args): act()
        def end_ns(self, *args): act()
        def doctype(self, *args): act()
    return Target()

DOCUMENT = '<!DOCTYPE a SYSTEM "x"><a xmlns="u" xmlns:p="v">t<!--c--><?p i?><b k="v">x&e;y</b></a>'
for act in (lambda: p.feed('<x/>'), lambda: p.close(), lambda: p.flush(), lambda: p.__init__(), lambda: p._parse_whole(io.StringIO('<a/>')),
            lambda: p._setevents([], ['start'])):
    p = XMLParser(target=handlers(act))
    p.entity['e'] = 'E'
    raises((RuntimeError, TypeError), p.feed, DOCUMENT)
    try: p.close()
    except (ET.ParseError, RuntimeError, TypeError, SyntaxError): pass

def forget():
    global p
    p = None
    gc.collect()
p = XMLParser(target=handlers(forget))
p.entity['e'] = 'E'
p.feed(DOCUMENT)

class Events(collections.deque):
    def append(self, pair):
        gc.collect()
        pair[1] is not None and hasattr(pair[1], 'clear') and pair[1].clear()
        try: parser.feed('<q/>')
        except RuntimeError: pass
        parser._setevents([], ['end'])
parser = XMLParser()
parser._setevents(Events(), ['start', 'end', 'comment', 'pi', 'start-ns', 'end-ns'])
raises(RuntimeError, parser.feed, DOCUMENT.replace('&e;', ''))

class Reader:
    def __init__(self, act): self.act, self.n = act, 0
    def read(self, size):
        self.n += 1
        self.act()
        return '<a>' if self.n == 1 else b'</a>' if self.n == 2 else None
p = XMLParser()
p._parse_whole(Reader(lambda: None))
p = XMLParser()
raises(ET.ParseError, p._parse_whole, Reader(lambda: p.__init__()))

class Restart:
    def start(self, tag, attrib): raise KeyError(tag)
    def end(self, tag): raise AssertionError('called after an exception')
p = XMLParser(target=Restart())
raises(KeyError, p.feed, '<a><b/></a>')
class Meddler(TreeBuilder):
    def start(self, tag, attrib):
        super().start(tag, attrib)
        self.__init__()
        super().end(tag) if tag == 'odd' else None
        return Element('other')
p = XMLParser(target=Meddler())
raises((IndexError, ET.ParseError, AssertionError), p.feed, '<a><odd/><odd/><b/></a>')

# Random documents, whole and in pieces: the same as the Python parser makes of them, or the same error.
random.seed(2)
from test.support.import_helper import import_fresh_module
python = import_fresh_module('xml.etree.ElementTree', blocked=['_elementtree'])
pieces = ['<a>', '</a>', '<b x="1" y="&lt;">', '</b>', '<c/>', 'text', ' \n ', '&amp;', '&#233;', '<!--c-->', '<?p q?>', '<n:d xmlns:n="u" n:e="f"/>', '\u20ac\U0001f600',
          '<![CDATA[<z>]]>', '&undefined;', '<d xmlns="w"><e/></d>', '<', '>', '&']

def outcome(module, document, size):
    parser = module.XMLParser(target=module.TreeBuilder(insert_comments=True, insert_pis=True))
    try:
        for i in range(0, len(document), size): parser.feed(document[i:i + size])
        return [(str(e.tag)[:20] if isinstance(e.tag, str) else 'special', dict(e.attrib), e.text or '', e.tail or '') for e in parser.close().iter()]
    except module.ParseError as e:
        return e.code

for _ in range(1500):
    document = '<a>' + ''.join(random.choice(pieces[:-4] if random.random() < .9 else pieces) for _ in range(random.randrange(12))) + '</a>'
    if random.random() < .7:
        for tag in 'ab': document = document if document.count(f'<{tag}') == document.count(f'</{tag}') else document.replace(f'</{tag}>', '').replace(f'<{tag}>', '')
        document = '<a>' + document + '</a>'
    for size in (1, 7, 10**6):
        expected = outcome(python, document, size)
        got = outcome(ET, document, size)
        assert got == expected, (document, got, expected)
print('OK')
