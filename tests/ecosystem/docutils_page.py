"""docutils: reStructuredText to a document tree, and the tree to HTML, LaTeX, XML and a manual page."""
import io
import os

import docutils.core
import docutils.nodes
from docutils.parsers.rst import Directive, directives, roles

TEXT = '''
=======================
A document of all sorts
=======================
:Author: Somebody Else
:Version: 3.13
:Date: 2025-01-01
:Field: with a *list*

          - one
          - two

.. contents:: Table of contents
   :depth: 2

.. |sub| replace:: a **substituted** text
.. _outside: https://www.example.org/?a=1&b=2

First section
=============

A paragraph with *emphasis*, **strong**, ``literal``, `interpreted`, :sub:`sub`\\ script, :math:`x^2 + y_1`,
a reference_, an `embedded link <https://example.com>`_, https://auto.example.com/, someone@example.com,
an outside_ one, |sub|, a footnote [1]_, [#auto]_, [*]_ and a citation [CIT2002]_. Unknown_ targets are problems.

.. _reference:

Second level
------------

1. One
2. Two

   a) nested
   b) more

      * bullet
      * bullet

        + inner

#. auto
#. auto

term : classifier
    Definition of the term.
other
    Its definition

    in two paragraphs.

-a            command-line option "a"
-b file       options can have arguments
--long=ARG    and be long
/V            a DOS option

Tables
------

+------------------------+------------+----------+----------+
| Header row, column 1   | Header 2   | Header 3 | Header 4 |
+========================+============+==========+==========+
| body row 1, column 1   | column 2   | column 3 | column 4 |
+------------------------+------------+----------+----------+
| body row 2             | Cells may span columns.          |
+------------------------+------------+---------------------+
| body row 3             | Cells may  | - Table cells       |
+------------------------+ span rows. | - contain           |
| body row 4             |            | - body elements.    |
+------------------------+------------+---------------------+

=====  =====  ======
   Inputs     Output
------------  ------
  A      B    A or B
=====  =====  ======
False  False  False
True   False  True
=====  =====  ======

.. list-table:: A list table
   :header-rows: 1
   :widths: 10 20

   * - a
     - b
   * - *c*
     - 1.5

.. csv-table:: CSV
   :header: "x", "y"

   "a ""quoted"" one", 2
   3, "4
   5"

Second section
==============

.. note:: Take note.

.. admonition:: Made up

   With a body::

      and a literal block
        indented

.. code:: python
   :number-lines: 5

   def f(x):
       """Doc."""
       return x ** 2  # comment

.. image:: picture.png
   :alt: alternative
   :width: 50%
   :target: outside_

.. figure:: other.png

   The caption.

   The legend.

.. math::

   \\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2}

   \\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}

.. topic:: A topic

   | Line blocks
   |   keep
   | their *lines*

.. epigraph::

   Quoted words.

   -- Their author

.. raw:: html

   <hr class="raw">

.. role:: custom(emphasis)
   :class: special

:custom:`a role` and :shout:`loud` and :unknown:`role`.

.. shoutbox:: the argument
   :size: 3

   Body of *mine*.

.. class:: klass

Doctest:

>>> 1 + 1
2

..
   A comment.

----------

.. [1] The first footnote.
.. [#auto] An automatic one.
.. [*] A symbol.
.. [CIT2002] A citation.

Wrong
~~~~~

.. nosuch:: directive

* bullet
not bullet

`unclosed

Title too short
===
'''


class Shoutbox(Directive):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = {"size": directives.nonnegative_int}

    def run(self):
        node = docutils.nodes.container(classes=["shout"])
        node["size"] = self.options.get("size", 0)
        node += docutils.nodes.paragraph("", self.arguments[0].upper())
        self.state.nested_parse(self.content, self.content_offset, node)
        return [node]


def shout(name, rawtext, text, lineno, inliner, options=None, content=()):
    return [docutils.nodes.strong(rawtext, text.upper())], []


class Counter(docutils.nodes.GenericNodeVisitor):
    def __init__(self, document):
        super().__init__(document)
        self.counts = {}

    def default_visit(self, node):
        name = type(node).__name__
        self.counts[name] = self.counts.get(name, 0) + 1

    def default_departure(self, node):
        pass


def main():
    directives.register_directive("shoutbox", Shoutbox)
    roles.register_local_role("shout", shout)
    settings = {"warning_stream": io.StringIO(), "_disable_config": True, "output_encoding": "unicode", "datestamp": None,
                "generator": None, "source_link": None, "embed_stylesheet": False, "stylesheet_path": None, "stylesheet": "style.css", "report_level": 1, "halt_level": 5, "math_output": "MathML"}
    document = docutils.core.publish_doctree(TEXT, source_path="page.rst", settings_overrides=settings)
    print(document.pformat())
    print(settings["warning_stream"].getvalue())
    counter = Counter(document)
    document.walkabout(counter)
    print(sorted(counter.counts.items()))
    print(document.nameids)
    print([n.astext() for n in document.findall(docutils.nodes.title)])
    share = os.path.join(os.path.dirname(docutils.__file__), *[os.pardir] * 4, "share", "docutils", "writers")
    templates = {"html5": "html5_polyglot/template.txt", "html4": "html4css1/template.txt"}
    for writer in ("pseudoxml", "xml", "html5", "html4", "manpage"):
        settings["template"] = os.path.join(share, templates.get(writer, ""))
        print("=====", writer)
        settings["warning_stream"] = io.StringIO()
        print(docutils.core.publish_string(TEXT, source_path="page.rst", writer_name=writer, settings_overrides=settings))
        print(len(settings["warning_stream"].getvalue()))
    settings["template"] = os.path.join(share, templates["html5"])
    parts = docutils.core.publish_parts("*x* and `y`_\n\n.. _y: http://z", writer_name="html5", settings_overrides=settings)
    for name in sorted(parts):
        print(name, repr(parts[name])[:300])


main()
