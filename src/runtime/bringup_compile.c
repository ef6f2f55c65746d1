/* Bring-up only: compiles by asking the reference interpreter, until the code generator is there. Never part of a release. */
#include "taipan.h"
#include "compile/marshal_private.h"
#include "syntax/syntax.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
__attribute__((weak)) PyObject *compile_source(PyObject *source, PyObject *filename, int start, PyCompilerFlags *flags, int optimize,
                         const char *function, const char *what)
{
    if (flags && flags->cf_flags & PyCF_ONLY_AST) {
        Arena *arena = arena_new();
        mod_ty tree = arena ? syntax_parse_object(arena, source, filename, start, flags, function, what) : NULL;
        PyObject *ast = tree ? tree_to_object(tree) : NULL;
        arena_free(arena);
        return ast;
    }
    char in[] = "/tmp/bringup-XXXXXX", command[4096];
    int fd = mkstemp(in);
    FILE *f = fdopen(fd, "w");
    PyObject *bytes = PyUnicode_Check(source) ? PyUnicode_AsEncodedString(source, "utf-8", "surrogatepass") : PyBytes_FromObject(source);
    PyObject *name = PyUnicode_AsEncodedString(filename, "utf-8", "surrogateescape");
    if (!bytes || !name) { PyErr_SetString(PyExc_TypeError, "bring-up compile() takes text only"); return NULL; }
    int is_text = PyUnicode_Check(source);
    fwrite(PyBytes_AS_STRING(bytes), 1, (size_t)PyBytes_GET_SIZE(bytes), f);
    fclose(f);
    snprintf(command, sizeof command,
             "%s/debian13/usr/bin/python3.13 -I -S -c 'import sys,marshal\ns=open(sys.argv[1],\"rb\").read()\nif %d: s=s.decode(\"utf-8\",\"surrogatepass\")\n"
             "try: r=compile(s,sys.argv[2],sys.argv[3],%d,True,%d)\nexcept SyntaxError as e: r=(type(e).__name__,)+tuple(e.args)\nexcept Exception as e: r=(type(e).__name__,str(e))\n"
             "sys.stdout.buffer.write(marshal.dumps(r))' %s \"%s\" %s", TAIPAN_DEPS, is_text, flags ? flags->cf_flags & 0x1ff0000 : 0, optimize, in,
             PyBytes_AS_STRING(name), start == Py_file_input ? "exec" : start == Py_eval_input ? "eval" : "single");
    FILE *p = popen(command, "r");
    size_t n = 0, cap = 1 << 20;
    char *data = malloc(cap);
    for (size_t got; (got = fread(data + n, 1, cap - n, p)) > 0;) { n += got; if (n == cap) data = realloc(data, cap *= 2); }
    pclose(p);
    unlink(in);
    PyObject *r = marshal_load(data, (Py_ssize_t)n, 1, NULL);
    free(data);
    Py_DECREF(bytes);
    Py_DECREF(name);
    if (r && PyTuple_Check(r)) {
        PyObject *builtins = PyEval_GetBuiltins(), *type = PyDict_GetItem(builtins, PyTuple_GET_ITEM(r, 0));
        PyObject *args = PyTuple_GetSlice(r, 1, PyTuple_GET_SIZE(r)), *e = PyObject_CallObject(type, args);
        if (e) PyErr_SetObject(type, e);
        return NULL;
    }
    return r;
}
__attribute__((weak)) PyObject *Py_CompileStringObject(const char *str, PyObject *filename, int start, PyCompilerFlags *flags, int optimize)
{
    PyObject *s = PyUnicode_FromString(str), *r = s ? compile_source(s, filename, start, flags, optimize, "compile", "") : NULL;
    Py_XDECREF(s);
    return r;
}
