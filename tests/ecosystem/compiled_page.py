"""Extension modules compiled for CPython 3.13: markupsafe's in C, charset_normalizer's by mypyc; loaded as they are."""
import gc
import weakref

import charset_normalizer
import charset_normalizer.md as md
import markupsafe
import markupsafe._native
import markupsafe._speedups


class Hostile(str):
    def __html__(self):
        return "<b>%s</b>" % str.upper(self)


class Raises:
    def __str__(self):
        raise LookupError("no text")


print(markupsafe._speedups.__file__.rpartition("/")[2], md.__file__.rpartition("/")[2])
for module in (markupsafe._speedups, markupsafe._native):
    for value in ("", "plain", "<a href=\"x\">'&'</a>", "é<\u20ac>\U0001f600&", "&" * 50, 5, None, [1, "<"], Hostile("h<")):
        print(repr(module.escape(value)), repr(module.escape_silent(value)), repr(module.soft_str(value)))
    for call in (lambda: module.escape(Raises()), lambda: module.escape(), lambda: module.soft_str(Raises())):
        try:
            print(call())
        except Exception as e:
            print(type(e).__name__, e if module is markupsafe._speedups else "")
print(markupsafe.Markup("<i>%s</i> %d") % ("<x>", 3), markupsafe.Markup("{0:>5}{a!r}").format("<", a="&"), markupsafe.Markup("<p>a &amp; b</p>").striptags())

TEXTS = {"cp1251": "Привет, как у вас дела? Всё хорошо, спасибо большое.", "utf_8": "Grüße aus Köln – naïve café, 日本語もあります。", "ascii": "nothing special here",
         "utf_16": "Sixteen bits of ünïcödé", "big5": "繁體中文的一段文字,用來測試編碼偵測。", "shift_jis": "日本語の文章です。文字コードを判定します。"}
for encoding, text in TEXTS.items():
    data = text.encode(encoding)
    best = charset_normalizer.from_bytes(data).best()
    print(encoding, best and (best.encoding, best.language, round(best.chaos, 4), str(best) == text, best.could_be_from_charset[:3], best.alphabets))
    print(charset_normalizer.detect(data))
plugins = [md.TooManySymbolOrPunctuationPlugin(), md.TooManyAccentuatedPlugin(), md.UnprintablePlugin(), md.SuspiciousRange(), md.SuperWeirdWordPlugin(), md.ArchaicUpperLowerPlugin()]
for plugin in plugins:
    for character in "aÀ!?\x01 Ж漢。 xYzW" * 5:
        if plugin.eligible(character):
            plugin.feed(character)
    print(type(plugin).__name__, round(plugin.ratio, 5), type(plugin).__mro__[1].__name__, type(plugin).ratio.__class__.__name__)
    plugin.reset()
    print(plugin.ratio)


class Sub(md.MessDetectorPlugin):
    def eligible(self, character):
        return True

    def feed(self, character):
        self.count = getattr(self, "count", 0) + 1

    @property
    def ratio(self):
        return float(self.count)


try:
    sub = Sub()
    sub.feed("x")
    print(sub.ratio, sub.eligible("x"))
except TypeError as e:
    print(e)
del Sub                  # mess_ratio() asks for the subclasses
gc.collect()
for call in (lambda: md.mess_ratio(5), lambda: md.mess_ratio("text", "x"), lambda: md.is_suspiciously_successive_range(1, 2), lambda: md.mess_ratio(), lambda: plugins[0].feed(3),
             lambda: setattr(plugins[0], "_symbol_count", "x"), lambda: plugins[0].nothing, lambda: md.mess_ratio("a", maximum_threshold=0.1, no=1)):
    try:
        print(call())
    except Exception as e:
        print(type(e).__name__, e)
print(md.mess_ratio("Qu'est-ce que c'est?", debug=True), round(md.mess_ratio("Ã©Ã¨Ã\x01 ÄÖÜ ///---" * 20), 4), md.is_suspiciously_successive_range("Basic Latin", "Katakana"))
dead = []
for plugin in plugins:
    try:
        weakref.finalize(plugin, dead.append, 1)
    except TypeError as e:
        dead.append(str(e))
del plugins, plugin
gc.collect()
print(dead)
