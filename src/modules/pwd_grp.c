/* The pwd and grp modules: the databases of users and groups. */
#include "capi/args.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <structseq.h>

typedef struct DatabaseState { PyTypeObject *record; } DatabaseState;

static PyTypeObject *record_type(PyObject *module) { return ((DatabaseState *)PyModule_GetState(module))->record; }
static PyObject *text_or_none(const char *text) { return text ? PyUnicode_DecodeFSDefault(text) : Py_NewRef(Py_None); }
static PyObject *id_object(uint32_t id) { return id == (uint32_t)-1 ? PyLong_FromLong(-1) : PyLong_FromUnsignedLong(id); }

/* uid or gid; -1 with OverflowError turned into KeyError by the caller. */
static int id_argument(PyObject *value, const char *what, uint32_t *id)
{
    int overflow;
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s should be integer, not %.200s", what, Py_TYPE(value)->tp_name);
        return -1;
    }
    PyObject *index = PyNumber_Index(value);
    if (!index) return -1;
    long n = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    *id = (uint32_t)n;
    if (overflow || n < -1 || n > (long)UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "out of range");
        return -1;
    }
    return 0;
}

static PyObject *not_found_by_id(const char *function, const char *what, PyObject *id)
{
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_OverflowError)) return NULL;
    PyErr_Clear();
    return PyErr_Format(PyExc_KeyError, "%s(): %s not found: %S", function, what, id);
}

/* Calls a *_r function with a buffer that grows until it is large enough. Evaluates to the error, with *result set. */
#define WITH_BUFFER(error, buffer, call)                                                                                \
    do {                                                                                                                \
        size_t size = 1024;                                                                                             \
        error = ERANGE;                                                                                                 \
        while (error == ERANGE && size < (1 << 26)) {                                                                   \
            char *larger = PyMem_RawRealloc(buffer, size);                                                              \
            if (!larger) break;                                                                                         \
            buffer = larger;                                                                                            \
            Py_BEGIN_ALLOW_THREADS                                                                                      \
            error = call;                                                                                               \
            Py_END_ALLOW_THREADS                                                                                        \
            size *= 2;                                                                                                  \
        }                                                                                                               \
    } while (0)

/* ---- pwd --------------------------------------------------------------------------------------------------------------------- */

static PyStructSequence_Field passwd_fields[] = {
    { "pw_name", "user name" }, { "pw_passwd", "password" }, { "pw_uid", "user id" }, { "pw_gid", "group id" }, { "pw_gecos", "real name" },
    { "pw_dir", "home directory" }, { "pw_shell", "shell program" }, { 0 }
};
static PyStructSequence_Desc passwd_desc = { "pwd.struct_passwd", "An entry of the password database, as a tuple with names.", passwd_fields, 7 };

static PyObject *passwd_object(PyObject *module, const struct passwd *p)
{
    PyObject *o = PyStructSequence_New(record_type(module));
    if (!o) return NULL;
    PyObject *items[] = { text_or_none(p->pw_name), text_or_none(p->pw_passwd), id_object(p->pw_uid), id_object(p->pw_gid),
                          text_or_none(p->pw_gecos), text_or_none(p->pw_dir), text_or_none(p->pw_shell) };
    for (int i = 0; i < 7; i++) PyStructSequence_SetItem(o, i, items[i]);
    if (PyErr_Occurred()) Py_CLEAR(o);
    return o;
}

BUILTIN_O(pwd, getpwuid, "($module, uidobj, /)", "Return the password database entry for the given numeric user ID.")
{
    uint32_t uid;
    char *buffer = NULL;
    struct passwd entry, *found = NULL;
    int error;
    if (id_argument(arg, "uid", &uid) < 0) return not_found_by_id("getpwuid", "uid", arg);
    WITH_BUFFER(error, buffer, getpwuid_r(uid, &entry, buffer, size, &found));
    PyObject *o = found && !error ? passwd_object(self, found) : not_found_by_id("getpwuid", "uid", arg);
    PyMem_RawFree(buffer);
    return o;
}

BUILTIN_O(pwd, getpwnam, "($module, name, /)", "Return the password database entry for the given user name.")
{
    PyObject *name = NULL;
    char *buffer = NULL;
    struct passwd entry, *found = NULL;
    int error;
    if (!PyUnicode_Check(arg)) return PyErr_Format(PyExc_TypeError, "getpwnam() argument must be str, not %T", arg);
    if (!PyUnicode_FSConverter(arg, &name)) return NULL;
    WITH_BUFFER(error, buffer, getpwnam_r(PyBytes_AS_STRING(name), &entry, buffer, size, &found));
    PyObject *o = found && !error ? passwd_object(self, found) : PyErr_Format(PyExc_KeyError, "getpwnam(): name not found: %R", arg);
    PyMem_RawFree(buffer);
    Py_DECREF(name);
    return o;
}

BUILTIN_NOARGS(pwd, getpwall, "($module, /)", "Return a list of all available password database entries, in arbitrary order.")
{
    PyObject *list = PyList_New(0);
    struct passwd *p;
    setpwent();
    while (list && (p = getpwent())) {
        PyObject *entry = passwd_object(self, p);
        if (!entry || PyList_Append(list, entry) < 0) Py_CLEAR(list);
        Py_XDECREF(entry);
    }
    endpwent();
    return list;
}

static PyMethodDef pwd_methods[] = { METHOD(pwd, getpwuid), METHOD(pwd, getpwnam), METHOD(pwd, getpwall), { 0 } };

/* ---- grp --------------------------------------------------------------------------------------------------------------------- */

static PyStructSequence_Field group_fields[] = {
    { "gr_name", "group name" }, { "gr_passwd", "password" }, { "gr_gid", "group id" }, { "gr_mem", "group members" }, { 0 }
};
static PyStructSequence_Desc group_desc = { "grp.struct_group", "An entry of the group database, as a tuple with names.", group_fields, 4 };

static PyObject *group_object(PyObject *module, const struct group *g)
{
    PyObject *members = PyList_New(0);
    for (char **m = g->gr_mem; members && m && *m; m++) {
        PyObject *name = PyUnicode_DecodeFSDefault(*m);
        if (!name || PyList_Append(members, name) < 0) Py_CLEAR(members);
        Py_XDECREF(name);
    }
    PyObject *o = members ? PyStructSequence_New(record_type(module)) : NULL;
    if (!o) {
        Py_XDECREF(members);
        return NULL;
    }
    PyStructSequence_SetItem(o, 0, text_or_none(g->gr_name));
    PyStructSequence_SetItem(o, 1, text_or_none(g->gr_passwd));
    PyStructSequence_SetItem(o, 2, id_object(g->gr_gid));
    PyStructSequence_SetItem(o, 3, members);
    if (PyErr_Occurred()) Py_CLEAR(o);
    return o;
}

BUILTIN(grp, getgrgid, UNNAMED, "($module, /, id)", "Return the group database entry for the given numeric group ID.")
{
    uint32_t gid;
    char *buffer = NULL;
    struct group entry, *found = NULL;
    int error;
    if (id_argument(arg[0], "gid", &gid) < 0) return not_found_by_id("getgrgid", "gid", arg[0]);
    WITH_BUFFER(error, buffer, getgrgid_r(gid, &entry, buffer, size, &found));
    PyObject *o = found && !error ? group_object(self, found) : not_found_by_id("getgrgid", "gid", arg[0]);
    PyMem_RawFree(buffer);
    return o;
}

BUILTIN(grp, getgrnam, KEYWORDS, "($module, /, name)", "Return the group database entry for the given group name.")
{
    PyObject *name = NULL;
    char *buffer = NULL;
    struct group entry, *found = NULL;
    int error;
    if (!PyUnicode_Check(arg[0])) return PyErr_Format(PyExc_TypeError, "getgrnam() argument 'name' must be str, not %T", arg[0]);
    if (!PyUnicode_FSConverter(arg[0], &name)) return NULL;
    WITH_BUFFER(error, buffer, getgrnam_r(PyBytes_AS_STRING(name), &entry, buffer, size, &found));
    PyObject *o = found && !error ? group_object(self, found) : PyErr_Format(PyExc_KeyError, "getgrnam(): name not found: %R", arg[0]);
    PyMem_RawFree(buffer);
    Py_DECREF(name);
    return o;
}

BUILTIN_NOARGS(grp, getgrall, "($module, /)", "Return a list of all available group entries, in arbitrary order.")
{
    PyObject *list = PyList_New(0);
    struct group *g;
    setgrent();
    while (list && (g = getgrent())) {
        PyObject *entry = group_object(self, g);
        if (!entry || PyList_Append(list, entry) < 0) Py_CLEAR(list);
        Py_XDECREF(entry);
    }
    endgrent();
    return list;
}

static PyMethodDef grp_methods[] = { METHOD(grp, getgrgid), METHOD(grp, getgrnam), METHOD(grp, getgrall), { 0 } };

/* ---- the modules --------------------------------------------------------------------------------------------------------------- */

static int add_record(PyObject *module, PyStructSequence_Desc *desc, const char *name)
{
    DatabaseState *state = PyModule_GetState(module);
    if (!(state->record = PyStructSequence_NewType(desc))) return -1;
    return PyModule_AddObjectRef(module, name, (PyObject *)state->record);
}

static int pwd_exec(PyObject *module) { return add_record(module, &passwd_desc, "struct_passwd"); }
static int grp_exec(PyObject *module) { return add_record(module, &group_desc, "struct_group"); }

static int database_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(record_type(module));
    return 0;
}

static int database_clear(PyObject *module)
{
    Py_CLEAR(((DatabaseState *)PyModule_GetState(module))->record);
    return 0;
}

static void database_free(void *module) { database_clear(module); }

static PyModuleDef_Slot pwd_slots[] = {
    { Py_mod_exec, pwd_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};
static PyModuleDef_Slot grp_slots[] = {
    { Py_mod_exec, grp_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};

#define DATABASE(name, doc)                                                                                             \
    static struct PyModuleDef name##_definition = {                                                                     \
        PyModuleDef_HEAD_INIT, #name, doc, sizeof(DatabaseState), name##_methods, name##_slots, database_traverse, database_clear, database_free,  \
    };                                                                                                                  \
    PyMODINIT_FUNC PyInit_##name(void) { return PyModuleDef_Init(&name##_definition); }

DATABASE(pwd, "Access to the Unix password database: entries are tuples with names, see struct_passwd.")
DATABASE(grp, "Access to the Unix group database: entries are tuples with names, see struct_group.")
