"""Every East Asian codec: what single characters and byte pairs become, error handlers, incremental use. Digests keep the output short."""
import codecs
import hashlib
import io

NAMES = """gb2312 gbk gb18030 hz big5 cp950 big5hkscs euc_kr cp949 johab shift_jis cp932 euc_jp shift_jis_2004 euc_jis_2004 euc_jisx0213
shift_jisx0213 iso2022_kr iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext""".split()


def digest(items):
    return hashlib.md5("\n".join(items).encode("utf-8", "surrogatepass")).hexdigest()[:12]


text = "".join(map(chr, list(range(0x80, 0xD800)) + list(range(0xE000, 0x10000)) + list(range(0x20000, 0x20400))))
pairs = bytes(b for lead in range(0x81, 0xFF) for trail in range(0x40, 0xFF, 3) for b in (lead, trail))
for name in NAMES:
    encoded = text.encode(name, "ignore")
    print(name, hashlib.md5(encoded).hexdigest()[:12], digest([encoded.decode(name, "replace")]), digest([pairs.decode(name, "replace")]),
          digest([pairs.decode(name, "backslashreplace")]))
    decoder = codecs.getincrementaldecoder(name)("replace")
    print(digest([decoder.decode(encoded[i:i + 3]) for i in range(0, 3000, 3)]), decoder.getstate())
    encoder = codecs.getincrementalencoder(name)("xmlcharrefreplace")
    print([encoder.encode(c) for c in "\u304b\u309a\xca\u030c\U0001f600~"], encoder.getstate(), encoder.encode("", True))
    reader = codecs.getreader(name)(io.BytesIO(encoded[:100]), "replace")
    print(ascii(reader.read(7)), ascii(reader.readline()))
    for bad in (b"\xff", b"\x81", b"\x1b$B\x7f\x7f"):
        try:
            print(ascii(bad.decode(name)))
        except UnicodeDecodeError as e:
            print(e)
