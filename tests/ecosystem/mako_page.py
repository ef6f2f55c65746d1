"""Mako: inheritance, defs, blocks, filters, control lines, Python blocks, the generated module and its errors."""
import os
import re

import mako
from mako import exceptions
from mako.lookup import TemplateLookup
from mako.template import Template

FILES = {
    "base.mako": """<%page args="title='none'"/>
<html><head><title>${self.title()}</title></head>
<body>
<%block name="header">default header ${title}</%block>
${next.body()}
<%def name="title()">Base</%def>
% for i, part in list(enumerate(self.parts())):
  ${loop.index} ${'last' if loop.last else 'more'} ${loop.cycle('a', 'b')}: ${part | h}
% endfor
</body></html>
<%!
    def helper(x):
        return [x] * 2
%>
<%def name="parts()"><% return helper("<p>") %></%def>
""",
    "page.mako": """<%inherit file="base.mako"/>
<%namespace name="lib" file="lib.mako"/>
<%namespace file="lib.mako" import="badge, *"/>
<%def name="title()">Page ${capture(parent.title).strip()[::-1]}</%def>
<%block name="header">${parent.header()} and mine</%block>
## a comment
<%doc>
 more comment ${x}
</%doc>
<%
    total = sum(u["age"] for u in users)
    context.write("written\\n")
%>
total ${total} ${"%05.1f" % (total / 3)} \\
joined
% if total > 100:
 large
% elif total > 50:
 medium
% else:
 small
% endif
% for u in users:
${badge(u["name"], u["age"])}
  % for c in u["name"]:
${c}${loop.parent.index}${"" if loop.last else ","}\\
  % endfor

% endfor
<%lib:box title="T&amp;C" n="${3 * 2}">
  content of <b>box</b>
  <%def name="extra(x)">extra ${x}</%def>
</%lib:box>
<%call expr="lib.twice()">body ${loop_value}</%call>
%% literal percent
<%text>${not evaluated} % for</%text>
${"<a href='x'>" | h} ${" x y " | trim,u} ${"é&" | u} ${"a" | shout} ${'&lt;' | n} ${None} ${[1, {'a': 2}]}
% try:
  ${1 // 0}
% except ZeroDivisionError as e:
  caught ${e}
% endtry
% while counter:
  <% counter.pop() %>${len(counter)}
% endwhile
<%include file="lib.mako" args="who='include'"/>
""",
    "lib.mako": """<%page args="who='nobody'"/>
<%def name="badge(name, age=0)" filter="trim">
  [${name | h}:${age}]
</%def>
<%def name="box(title, n)">
<div title="${title}" n="${n}">${caller.body()}${caller.extra(n)}</div>
</%def>
<%def name="twice()"><% loop_value = 1 %>${caller.body()}${caller.body()}</%def>
hello ${who}
""",
    "cached.mako": "<%def name='f(x)' buffered='True'>buffered ${x}</%def>${f(1).upper()}",
}


def attempt(what, f):
    try:
        print(what, "->", f())
    except Exception as e:
        print(what, "->", type(e).__name__, re.sub(r"memory:0x\w+", "memory:X", str(e)))


def shout(text):
    return text.upper() + "!"


def main():
    print("mako", mako.__version__)
    for name, text in FILES.items():
        with open(name, "w", encoding="utf-8") as f:
            f.write(text)
    lookup = TemplateLookup(["."], module_directory="modules", imports=["from __main__ import shout"], default_filters=["str"])
    users = [{"name": "Ann<", "age": 31}, {"name": "Bob", "age": 9}, {"name": "Cy", "age": 27}]
    page = lookup.get_template("page.mako")
    print(page.render(users=users, title="given", counter=[1, 2, 3], loop_value="L"))
    print(re.sub(r"_modified_time = .*|_template_filename = .*|\"(filename|uri)\": .*", "X", page.code))
    print(lookup.get_template("cached.mako").render())
    print(lookup.get_template("lib.mako").get_def("badge").render(name="<n>", age=4))
    print(sorted(os.path.join(d, f) for d, _, fs in os.walk("modules") for f in fs if f.endswith(".py")))
    print(page.has_def("title"), page.list_defs())

    for text in ("${x", "% for x in y:\n${x}", "% if a:\n% endfor", "<%def>x</%def>", "<%nosuch/>", "${1 +}", "<% x = %>", "% endif",
                 "<%block name='a'/><%block name='a'/>", "<%def name='f()'>", "${x | nosuch}", "<%page args='x, y=1'/>${x}", "${undefined_thing}"):
        attempt(repr(text), lambda: Template(text, uri="t").render(x=1))
    attempt("strict", lambda: Template("${nosuch}", strict_undefined=True).render())
    attempt("lookup", lambda: lookup.get_template("missing.mako"))
    failing = Template("line 1\n<%def name='f(a)'>\n${10 // a}\n</%def>\n${f(0)}\n", uri="failing", module_filename=os.path.abspath("failing_module.py"))
    try:
        failing.render()
    except ZeroDivisionError:
        trace = exceptions.RichTraceback()
        print([(lineno, function, line) for _, lineno, function, line in trace.traceback[-2:]], trace.error)
        print("\n".join(exceptions.text_error_template().render().splitlines()[-6:]).replace(os.getcwd(), "."))
    t = Template("% for row in rows:\n<tr>${' '.join(str(c) for c in row)}</tr>\n% endfor\n", enable_loop=False)
    print(len(t.render(rows=[[i * j for i in range(30)] for j in range(300)])))
    print(Template("${x}é", output_encoding="utf-8", encoding_errors="xmlcharrefreplace").render(x="€"))
    print(Template("a ${b} c", future_imports=["annotations"], cache_enabled=False).render_unicode(b="ß"))


main()
