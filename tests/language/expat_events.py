"""pyexpat: every event of a document, buffering, namespaces, entities, encodings, what is refused, handlers that raise."""
import io
import xml.parsers.expat as expat

TEXT = b"""<?xml version="1.0" encoding="iso-8859-1" standalone="no"?>
<?style a="b"?>
<!DOCTYPE root SYSTEM "http://x/y.dtd" [
<!ELEMENT root (a, (b | c)*, d?)+>
<!ELEMENT a (#PCDATA | e)*>
<!ELEMENT f EMPTY>
<!ELEMENT g ANY>
<!ATTLIST root x CDATA "default" y (one|two) #REQUIRED>
<!NOTATION n PUBLIC "pub" "sys">
<!ENTITY e "entity value">
<!ENTITY ext SYSTEM "external.txt">
<!ENTITY un SYSTEM "file" NDATA n>
]>
<root y="one" z="\xe9">text &amp; &#233; &e; &ext; <![CDATA[ <raw> ]]> <!-- comment --><sub xmlns:p="urn:p" p:q="1"><p:inner/></sub>
more</root>
<?end?>
"""
NAMES = [n for n in dir(expat.ParserCreate()) if n.endswith("Handler") or n == "DefaultHandlerExpand"]


def attempt(f):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e, sorted(vars(e).items()))


def events(text, skip=(), feed=None, **settings):
    p = expat.ParserCreate(namespace_separator=settings.pop("separator", None))
    for name, value in settings.items():
        setattr(p, name, value)

    def handler(name):
        def handle(*args):
            print(name, args, p.CurrentLineNumber, p.CurrentColumnNumber)
            return 1
        return handle
    for name in NAMES:
        if name not in skip:
            setattr(p, name, handler(name))
    if feed:
        for i in range(0, len(text), feed):
            p.Parse(text[i:i + feed])
        p.Parse(b"", True)
    else:
        attempt(lambda: p.Parse(text, True))
    return p


print(NAMES)
events(TEXT, skip=["DefaultHandlerExpand", "DefaultHandler"])
events(TEXT, skip=["DefaultHandler", "NotStandaloneHandler"], ordered_attributes=True, specified_attributes=True, buffer_text=True)
events(TEXT, skip=["DefaultHandlerExpand"] + [n for n in NAMES if "Element" not in n and "Namespace" not in n], separator="!", namespace_prefixes=True, buffer_text=True, feed=7)
events("<a>\u20ac\U0001f600</a>", skip=["DefaultHandler", "DefaultHandlerExpand"])
events("<?xml version='1.0' encoding='koi8-r'?><a>\u0416</a>".encode("koi8-r"), skip=["DefaultHandler", "DefaultHandlerExpand"])
for bad in (b"", b"<a>", b"<a></b>", b"x", b"<a b=1/>", b"<a b='1' b='2'/>", b"<a>&nosuch;</a>", b"<a>&#0;</a>", b"<a/><b/>", b"<a>\xff</a>", b"<?xml version='1.0' encoding='nosuch'?><a/>",
            b"<!DOCTYPE a [<!ENTITY a '&b;'><!ENTITY b '&a;'>]><a>&a;</a>", b"<a><![CDATA[x", b"<p:a/>", b"<a>]]></a>", b"\xfe\xff\0<\0a\0/\0>"):
    attempt(lambda: expat.ParserCreate().Parse(bad, True))
attempt(lambda: expat.ParserCreate(namespace_separator=" ").Parse(b"<p:a/>", True))
p = expat.ParserCreate()
for f in (lambda: p.Parse(3), lambda: expat.ParserCreate(3), lambda: expat.ParserCreate(None, "ab"), lambda: expat.ParserCreate(None, None, 3), lambda: setattr(p, "buffer_size", 0), lambda: setattr(p, "buffer_size", "x"),
          lambda: p.buffer_size, lambda: setattr(p, "buffer_size", 1 << 40), lambda: setattr(p, "zz", 1), lambda: p.ParseFile(3), lambda: p.ParseFile(io.StringIO("<a/>")), lambda: expat.ErrorString(3), lambda: p.intern,
          lambda: p.GetInputContext(), lambda: p.namespace_prefixes, lambda: type(p)(), lambda: delattr(p, "buffer_text"), lambda: p.SetBase("base"), lambda: p.GetBase(), lambda: expat.errors.codes["syntax error"],
          lambda: expat.errors.messages[4], lambda: expat.model.XML_CTYPE_SEQ, lambda: expat.native_encoding, lambda: expat.ParserCreate(intern=None).intern):
    attempt(f)
p = expat.ParserCreate()
attempt(lambda: p.ParseFile(io.BytesIO(b"<a>" + b"x" * 10000 + b"</a>")))
p = expat.ParserCreate()
seen = []


def raising(name, attributes):
    seen.append(name)
    if name == "b":
        raise KeyError(name)


p.StartElementHandler = raising
attempt(lambda: p.Parse(b"<a><b/><c/></a>", True))
print(seen, p.StartElementHandler)
p = expat.ParserCreate()
p.buffer_text, p.buffer_size = True, 5
pieces = []
p.CharacterDataHandler = pieces.append
p.Parse("<a>one\ntwo three four\n<b/>five</a>", True)
print(pieces, p.buffer_used)


def external(context, base, system, public):
    sub = p.ExternalEntityParserCreate(context)
    sub.CharacterDataHandler = lambda data: print("external", data)
    sub.Parse("<i>from outside</i>", True)
    return 1


p = expat.ParserCreate()
p.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
p.ExternalEntityRefHandler = external
attempt(lambda: p.Parse(b"<!DOCTYPE a [<!ENTITY e SYSTEM 'x'>]><a>&e;</a>", True))
p = expat.ParserCreate()
p.ExternalEntityRefHandler = lambda *args: 0
attempt(lambda: p.Parse(b"<!DOCTYPE a [<!ENTITY e SYSTEM 'x'>]><a>&e;</a>", True))
