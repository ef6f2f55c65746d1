/* posix: user and group ids. */
#include "posix_private.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <utmp.h>

BUILTIN_NOARGS(posix, getuid, "($module, /)", "Return the current process's user id.") { return id_object(getuid()); }
BUILTIN_NOARGS(posix, geteuid, "($module, /)", "Return the current process's effective user id.") { return id_object(geteuid()); }
BUILTIN_NOARGS(posix, getgid, "($module, /)", "Return the current process's group id.") { return id_object(getgid()); }
BUILTIN_NOARGS(posix, getegid, "($module, /)", "Return the current process's effective group id.") { return id_object(getegid()); }

#define SET_ID(name, get, kind, text)                                                                                   \
    BUILTIN_O(posix, name, "($module, " #kind ", /)", text)                                                             \
    {                                                                                                                   \
        uid_t id;                                                                                                       \
        if (get(arg, &id) < 0) return NULL;                                                                             \
        RETURN_NONE_OR_ERROR(name(id));                                                                                 \
    }

SET_ID(setuid, uid_get, uid, "Set the current process's user id.")
SET_ID(seteuid, uid_get, euid, "Set the current process's effective user id.")
SET_ID(setgid, gid_get, gid, "Set the current process's group id.")
SET_ID(setegid, gid_get, egid, "Set the current process's effective group id.")

#define SET_TWO(name, get, sig, text)                                                                                   \
    BUILTIN(posix, name, POSITIONAL, sig, text)                                                                         \
    {                                                                                                                   \
        uid_t a, b;                                                                                                     \
        if (get(arg[0], &a) < 0 || get(arg[1], &b) < 0) return NULL;                                                    \
        RETURN_NONE_OR_ERROR(name(a, b));                                                                               \
    }

SET_TWO(setreuid, uid_get, "($module, ruid, euid, /)", "Set the current process's real and effective user ids.")
SET_TWO(setregid, gid_get, "($module, rgid, egid, /)", "Set the current process's real and effective group ids.")

#define SET_THREE(name, get, sig, text)                                                                                 \
    BUILTIN(posix, name, POSITIONAL, sig, text)                                                                         \
    {                                                                                                                   \
        uid_t a, b, c;                                                                                                  \
        if (get(arg[0], &a) < 0 || get(arg[1], &b) < 0 || get(arg[2], &c) < 0) return NULL;                             \
        RETURN_NONE_OR_ERROR(name(a, b, c));                                                                            \
    }

SET_THREE(setresuid, uid_get, "($module, ruid, euid, suid, /)", "Set the current process's real, effective, and saved user ids.")
SET_THREE(setresgid, gid_get, "($module, rgid, egid, sgid, /)", "Set the current process's real, effective, and saved group ids.")

BUILTIN_NOARGS(posix, getresuid, "($module, /)", "Return a tuple of the current process's real, effective, and saved user ids.")
{
    uid_t a, b, c;
    if (getresuid(&a, &b, &c) < 0) return posix_error();
    return Py_BuildValue("(NNN)", id_object(a), id_object(b), id_object(c));
}

BUILTIN_NOARGS(posix, getresgid, "($module, /)", "Return a tuple of the current process's real, effective, and saved group ids.")
{
    gid_t a, b, c;
    if (getresgid(&a, &b, &c) < 0) return posix_error();
    return Py_BuildValue("(NNN)", id_object(a), id_object(b), id_object(c));
}

static PyObject *group_list(const gid_t *groups, int n)
{
    PyObject *list = PyList_New(n);
    for (int i = 0; list && i < n; i++) {
        PyObject *id = id_object(groups[i]);
        if (!id) Py_CLEAR(list);
        else PyList_SET_ITEM(list, i, id);
    }
    return list;
}

BUILTIN_NOARGS(posix, getgroups, "($module, /)", "Return list of supplemental group IDs for the process.")
{
    int n = getgroups(0, NULL);
    if (n < 0) return posix_error();
    gid_t *groups = PyMem_New(gid_t, (size_t)n + 1);
    if (!groups) return PyErr_NoMemory();
    n = getgroups(n, groups);
    PyObject *list = n < 0 ? posix_error() : group_list(groups, n);
    PyMem_Free(groups);
    return list;
}

BUILTIN_O(posix, setgroups, "($module, groups, /)", "Set the groups of the current process to list.")
{
    if (!PySequence_Check(arg)) return PyErr_Format(PyExc_TypeError, "setgroups argument must be a sequence");
    Py_ssize_t n = PySequence_Size(arg);
    if (n < 0) return NULL;
    if (n > NGROUPS_MAX) return PyErr_Format(PyExc_ValueError, "too many groups");
    gid_t *groups = PyMem_New(gid_t, (size_t)n + 1);
    if (!groups) return PyErr_NoMemory();
    PyObject *o = NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(arg, i);
        if (!item) goto done;
        if (!PyLong_Check(item)) {
            PyErr_SetString(PyExc_TypeError, "groups must be integers");
            Py_DECREF(item);
            goto done;
        }
        int bad = gid_get(item, &groups[i]) < 0;
        Py_DECREF(item);
        if (bad) goto done;
    }
    o = setgroups((size_t)n, groups) < 0 ? posix_error() : Py_NewRef(Py_None);
done:
    PyMem_Free(groups);
    return o;
}

BUILTIN(posix, getgrouplist, POSITIONAL, "($module, user, group, /)", "Returns a list of groups to which a user belongs.")
{
    gid_t gid;
    const char *user = PyUnicode_Check(arg[0]) ? PyUnicode_AsUTF8(arg[0]) : NULL;
    if (!user) {
        if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "getgrouplist() argument 1 must be str, not %T", arg[0]);
        return NULL;
    }
    if (gid_get(arg[1], &gid) < 0) return NULL;
    for (int capacity = 64;; capacity *= 2) {
        int n = capacity;
        gid_t *groups = PyMem_New(gid_t, (size_t)n);
        if (!groups) return PyErr_NoMemory();
        if (getgrouplist(user, gid, groups, &n) >= 0) {
            PyObject *list = group_list(groups, n);
            PyMem_Free(groups);
            return list;
        }
        PyMem_Free(groups);
        if (capacity > NGROUPS_MAX * 2) return posix_error();
    }
}

BUILTIN(posix, initgroups, POSITIONAL, "($module, username, gid, /)", "Initialize the group access list with the groups of a user.")
{
    PyObject *user = NULL;
    gid_t gid;
    if (!PyUnicode_FSConverter(arg[0], &user)) return NULL;
    PyObject *o = NULL;
    if (gid_get(arg[1], &gid) == 0) o = initgroups(PyBytes_AS_STRING(user), gid) < 0 ? posix_error() : Py_NewRef(Py_None);
    Py_DECREF(user);
    return o;
}

BUILTIN_NOARGS(posix, getlogin, "($module, /)", "Return the actual login name.")
{
    char name[UT_NAMESIZE + 256];
    int error = getlogin_r(name, sizeof name);
    if (!error) return PyUnicode_DecodeFSDefault(name);
    errno = error;
    return posix_error();
}

PyMethodDef posix_id_methods[] = {
    METHOD(posix, getuid), METHOD(posix, geteuid), METHOD(posix, getgid), METHOD(posix, getegid), METHOD(posix, setuid),
    METHOD(posix, seteuid), METHOD(posix, setgid), METHOD(posix, setegid), METHOD(posix, setreuid), METHOD(posix, setregid),
    METHOD(posix, setresuid), METHOD(posix, setresgid), METHOD(posix, getresuid), METHOD(posix, getresgid), METHOD(posix, getgroups),
    METHOD(posix, setgroups), METHOD(posix, getgrouplist), METHOD(posix, initgroups), METHOD(posix, getlogin),
    { 0 }
};
