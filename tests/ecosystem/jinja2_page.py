"""Jinja2: inheritance, macros, filters, loops, extensions, sandbox, async, errors and the generated code itself."""
import asyncio
import traceback

import jinja2
from jinja2 import nodes, sandbox
from jinja2.ext import Extension

TEMPLATES = {
    "base.html": """<!doctype html>
<title>{% block title %}Base{% endblock %}</title>
{%- block nav %}<ul>{% for item in nav recursive %}
  <li class="{{ loop.cycle('odd', 'even') }} {{ loop.depth }}">{{ loop.index }}/{{ loop.length }} <a href="{{ item.href|e }}">{{ item.caption }}</a>
  {%- if item.children %}<ul>{{ loop(item.children) }}</ul>{% endif %}</li>
{%- else %}<li>nothing</li>{% endfor %}</ul>{% endblock %}
{% block body required %}{% endblock %}
<footer>{% block footer scoped %}&copy; {{ year }}{% endblock %}</footer>
""",
    "forms.html": """{% macro input(name, value='', type='text', size=20) -%}
<input type="{{ type }}" name="{{ name }}" value="{{ value|e }}" size="{{ size }}" {{ kwargs|xmlattr }}>
{%- endmacro %}
{% macro dialog(title) %}<div><h2>{{ title }}</h2>{{ caller(varargs|length) }}</div>{% endmacro %}""",
    "page.html": """{% extends "base.html" %}
{% from "forms.html" import input as field, dialog %}
{% import "forms.html" as forms %}
{% block title %}Page of {{ super() }}{% endblock %}
{% block body %}
{% set ns = namespace(total=0) %}
{% for user in users if user.age > 10 -%}
  {% set ns.total = ns.total + user.age %}
  {{- field(user.name, user.name|upper, id="f" ~ loop.index0, **{"data-x": 1}) }}
  {%- if not loop.last %}, {% endif %}{% if loop.changed(user.age // 10) %}*{% endif %}
{% endfor %}
total={{ ns.total }} {{ '%.2f'|format(ns.total / 3) }}
{% call(n) dialog("Hello", 1, 2, 3) %}called with {{ n }}{% endcall %}
{% filter upper|replace('A', '4') %}a banana{% endfilter %}
{% set block_text %}<b>{{ users|map(attribute='name')|join(', ') }}</b>{% endset %}{{ block_text }} {{ block_text|striptags }}
{% with a = 1, b = [1, 2, {'c': 'd'}] %}{{ a + b[0] }} {{ b[2].c }} {{ b[2]['c'] }} {{ b[-1] }}{% endwith %}
{% include ["missing.html", "part.html"] %}
{% include "missing.html" ignore missing %}
{% raw %}{{ not rendered }}{% endraw %}
{% endblock %}""",
    "part.html": "{{ users|groupby('city')|list|length }} cities: {% for g in users|groupby('city') %}{{ g.grouper }}={{ g.list|map(attribute='name')|sort|join('+') }};{% endfor %}",
    "broken.html": "{% for x in y %}\n{{ x }}\n{% endfr %}",
    "failing.html": "line one\n{{ 1 // zero }}\n",
}

FILTERS = """
{{ [3, 1, 2]|sort(reverse=true) }} {{ [1, 2, 3, 4, 5]|batch(2, '-')|list }} {{ range(7)|slice(3)|map('list')|list }}
{{ "a long text that will be truncated somewhere"|truncate(20) }} {{ "wrap this text at ten"|wordwrap(10) }}
{{ 123456789|filesizeformat }} {{ 123456789|filesizeformat(true) }} {{ 3.14159|round(2, 'floor') }} {{ -5|abs }}
{{ {'b': 1, 'a': 2}|dictsort }} {{ {'b': 1, 'a': 2}|dictsort(by='value') }} {{ {'a': [1, none]}|tojson }} {{ "é<x>"|urlencode }}
{{ "http://example.com and more"|urlize(10, true) }} {{ [1, 2, 2, 3]|unique|list }} {{ "hello world"|title }} {{ "Hello"|center(11, ) }}|
{{ none|default('x', true) }} {{ undefined_name|default('d') }} {{ [1, 2, 3]|sum(start=10) }} {{ ['a', 'b']|first }} {{ ['a', 'b']|last }}
{{ [{'a': 1}, {'a': 2}]|selectattr('a', 'gt', 1)|list }} {{ range(10)|reject('odd')|list }} {{ "x" in "xyz" }} {{ 5 is divisibleby 5 }}
{{ 1 if false }}|{{ "a" ~ 1 ~ 2.5 }} {{ 2 ** 3 ** 2 }} {{ 7 // 2 }} {{ 7 % 3 }} {{ not true or false and true }} {{ (1, 2) }} {{ {'k': 'v'}.items()|list }}
{{ [0, 1, 2, 3][1:3] }} {{ "%s-%s"|format("a", "b") }} {{ "a,b".split(",") }} {{ ["x"]|pprint }} {{ "abc"|list|random in "abc" }} {{ 1 < 2 < 3 }}
{{ "text\nmore"|indent(4, first=true) }} {{ "<a>"|escape|forceescape }} {{ "  strip "|trim }} {{ 42|string|int(base=8) }} {{ "12.5"|float + 1 }} {{ 'ab'|wordcount }}
"""


class RepeatExtension(Extension):
    tags = {"repeat"}

    def parse(self, parser):
        lineno = next(parser.stream).lineno
        count = parser.parse_expression()
        body = parser.parse_statements(["name:endrepeat"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_repeat", [count]), [], [], body).set_lineno(lineno)

    def _repeat(self, count, caller):
        return "|".join(caller() for _ in range(count))


def attempt(what, f):
    try:
        print(what, "->", f())
    except Exception as e:
        print(what, "->", type(e).__name__, e)


def main():
    env = jinja2.Environment(loader=jinja2.DictLoader(TEMPLATES), autoescape=jinja2.select_autoescape(), trim_blocks=False,
                             extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", "jinja2.ext.i18n", RepeatExtension])
    env.install_gettext_callables(lambda s: s[::-1], lambda s, p, n: '<' + (s if n == 1 else p) + '>', newstyle=True)
    users = [{"name": "Ann <a>", "age": 31, "city": "Rome"}, {"name": "Bob", "age": 9, "city": "Oslo"},
             {"name": "Cyd & Co", "age": 35, "city": "Rome"}, {"name": "Dé", "age": 58, "city": "Bonn"}]
    nav = [{"href": "/a?x=1&y=2", "caption": "A", "children": [{"href": "/b", "caption": "B"}, {"href": "/c", "caption": "<C>"}]}, {"href": "#", "caption": "D"}]
    print(env.get_template("page.html").render(users=users, nav=nav, year=2025))
    print(env.from_string(FILTERS).render())
    print(env.from_string("{% repeat 3 %}<{{ x }}>{% endrepeat %}{% do l.append(4) %}{{ l }}").render(x=5, l=[1]))
    print(env.from_string("{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 5 %}{% break %}{% endif %}{{ i }}{% endfor %}").render())
    print(env.from_string("{% trans %}abc{% endtrans %} {% trans n=2 %}{{ n }} thing{% pluralize %}{{ n }} things{% endtrans %} {{ _('xyz') }}").render())
    for name in ("page.html", "base.html", "forms.html"):
        print(env.compile(TEMPLATES[name], name, raw=True))
    print(env.parse(TEMPLATES["part.html"]))
    print(list(env.lex("{{ a|b(1) }}{# c #}\n{%- if x -%} y {% endif %}")))
    print(sorted(jinja2.meta.find_undeclared_variables(env.parse(TEMPLATES["page.html"]))) if hasattr(jinja2, "meta") else None)

    attempt("syntax", lambda: env.get_template("broken.html"))
    attempt("missing", lambda: env.get_template("none.html"))
    attempt("undefined", lambda: env.from_string("{{ a.b.c }}").render())
    attempt("required", lambda: env.get_template("base.html").render())
    attempt("strict", lambda: jinja2.Environment(undefined=jinja2.StrictUndefined).from_string("{{ a }}").render())
    attempt("filter", lambda: env.from_string("{{ a|nosuch }}"))
    box = sandbox.SandboxedEnvironment()
    attempt("sandbox", lambda: box.from_string("{{ ''.__class__.__mro__ }}").render())
    attempt("sandbox", lambda: box.from_string("{{ f.__globals__ }}").render(f=main))
    attempt("sandbox", lambda: box.from_string("{{ '{0.__class__}'.format(1) }}").render())
    attempt("immutable", lambda: sandbox.ImmutableSandboxedEnvironment().from_string("{{ l.append(1) }}").render(l=[]))
    attempt("range", lambda: box.from_string("{{ range(1000000) }}").render())
    try:
        env.get_template("failing.html").render(zero=0)
    except ZeroDivisionError:
        print([(f.name, f.lineno, f.filename) for f in traceback.extract_tb(__import__("sys").exc_info()[2])][1:])

    async def numbers():
        for i in range(4):
            await asyncio.sleep(0)
            yield i

    async def double(x):
        return 2 * x

    async def render():
        aenv = jinja2.Environment(enable_async=True)
        t = aenv.from_string("{% for x in numbers() %}{{ loop.index }}:{{ double(x) }}{{ ',' if not loop.last }}{% endfor %} {{ numbers()|map('string')|join('-') }}")
        print(await t.render_async(numbers=numbers, double=double))
        print([s async for s in t.generate_async(numbers=numbers, double=double)])
    asyncio.run(render())
    print("".join(env.from_string("{% for i in range(1000) %}{{ i * i }} {% endfor %}").generate())[-100:])
    big = env.from_string("<table>{% for row in table %}<tr>{% for c in row %}<td>{{ c|e }}</td>{% endfor %}</tr>{% endfor %}</table>")
    print(len(big.render(table=[[i * j for i in range(50)] for j in range(300)])))
    native = __import__("jinja2.nativetypes", fromlist=["x"]).NativeEnvironment()
    print(repr(native.from_string("{{ [1, x] }}").render(x=2)), repr(native.from_string("{{ 1 }}{{ 2 }}").render()))


import jinja2.meta
main()
