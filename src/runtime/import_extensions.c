/* Which single-phase extension modules were initialised, and how to have them again: records in Process.
 *
 * A record is found by (file, name). It belongs to the interpreter in which the init function ran: the main one for shared
 * objects, whoever imports them, so that the copy of the module's dict outlives the interpreter that asked first. Those that
 * run under the main interpreter's GIL see its records beside their own; an interpreter with a GIL of its own sees its own
 * alone, for not one reference count may be shared with it.
 *
 * The objects of a record are the owner's: they are released in the owner (another interpreter that forgets a record visits
 * it), at the latest when it ends. The list is guarded by a mutex, because interpreters under other GILs walk it; what a
 * record points to is touched only by those who see it, hence under the owner's GIL. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"
#include "runtime/crossinterp.h"

#include <stdlib.h>
#include <string.h>

#define P (&_PyRuntime.runtime)

typedef struct ExtensionRecord ExtensionRecord;
struct ExtensionRecord {
    ExtensionRecord *next;
    Interpreter *owner;
    Extension what;                         /* copy: a reference of the owner's */
    size_t key_size;
    char key[];                             /* twice: kind, length, characters */
};

/* ---- keys --------------------------------------------------------------------------------------------------------- */

static size_t part_size(PyObject *text) { return 1 + sizeof(Py_ssize_t) + str_data_size(text); }

static char *part_write(char *at, PyObject *text)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    *at++ = (char)PyUnicode_KIND(text);
    memcpy(at, &length, sizeof length);
    memcpy(at + sizeof length, PyUnicode_DATA(text), str_data_size(text));
    return at + sizeof length + str_data_size(text);
}

/* A record with its key, or NULL with MemoryError. */
static ExtensionRecord *record_new(PyObject *path, PyObject *name)
{
    size_t size = part_size(path) + part_size(name);
    ExtensionRecord *record = calloc(1, sizeof *record + size);
    if (!record) {
        PyErr_NoMemory();
        return NULL;
    }
    record->key_size = size;
    part_write(part_write(record->key, path), name);
    return record;
}

static bool key_equal(const ExtensionRecord *a, const ExtensionRecord *b)
{
    return a->key_size == b->key_size && memcmp(a->key, b->key, a->key_size) == 0;
}

/* ---- the list ----------------------------------------------------------------------------------------------------- */

bool interp_shares_main_gil(Interpreter *interp) { return interp->runtime.gil == &P->gil; }

static bool sees(Interpreter *interp, const ExtensionRecord *record)
{
    return record->owner == interp || (record->owner == P->main_interpreter && interp_shares_main_gil(interp));
}

void extensions_lock_init(void) { pthread_mutex_init(&P->extensions_lock, NULL); }

/* The first record with the key that interp sees, cut out of the list; NULL: there is none. */
static ExtensionRecord *take(const ExtensionRecord *key, Interpreter *interp)
{
    pthread_mutex_lock(&P->extensions_lock);
    ExtensionRecord **p = &P->extensions;
    while (*p && !(sees(interp, *p) && key_equal(*p, key))) p = &(*p)->next;
    ExtensionRecord *found = *p;
    if (found) *p = found->next;
    pthread_mutex_unlock(&P->extensions_lock);
    return found;
}

static void release(ExtensionRecord *record)
{
    Py_XDECREF(record->what.copy);
    free(record);
}

int extension_find(PyObject *path, PyObject *name, Extension *found)
{
    Interpreter *interp = interp_get();
    if (!__atomic_load_n(&P->extensions, __ATOMIC_RELAXED)) return 0;
    ExtensionRecord *key = record_new(path, name);
    if (!key) return -1;
    int result = 0;
    pthread_mutex_lock(&P->extensions_lock);
    for (ExtensionRecord *record = P->extensions; record && result != 1; record = record->next) {
        if (!key_equal(record, key)) continue;
        if (sees(interp, record)) {
            *found = record->what;
            Py_XINCREF(found->copy);
            result = 1;
        }
        else if (record->owner == P->main_interpreter) result = 2;
    }
    pthread_mutex_unlock(&P->extensions_lock);
    free(key);
    return result;
}

int extension_remember(PyObject *path, PyObject *name, PyModuleDef *def, InitFunction init, PyObject *dict)
{
    Interpreter *interp = interp_get();
    ExtensionRecord *record = record_new(path, name);
    if (!record) return -1;
    record->owner = interp;
    record->what.def = def;
    if (def->m_size == -1) record->what.copy = PyDict_Copy(dict);
    else record->what.init = init;
    if (def->m_size == -1 && !record->what.copy) {
        free(record);
        return -1;
    }
    ExtensionRecord *old = take(record, interp);
    pthread_mutex_lock(&P->extensions_lock);
    record->next = P->extensions;
    __atomic_store_n(&P->extensions, record, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&P->extensions_lock);
    if (old) release(old);
    return 0;
}

int extension_forget(PyObject *path, PyObject *name, PyModuleDef **def)
{
    *def = NULL;
    ExtensionRecord *key = record_new(path, name);
    if (!key) return -1;
    ExtensionRecord *found = take(key, interp_get());
    free(key);
    if (!found) return 0;
    *def = found->what.def;
    Visit visit;
    if (visit_begin(&visit, found->owner, false) < 0) {       /* no memory: the objects stay where they are */
        free(found);
        return -1;
    }
    release(found);
    visit_end(&visit);
    return 1;
}

void extensions_drop(Interpreter *owner)
{
    for (;;) {
        pthread_mutex_lock(&P->extensions_lock);
        ExtensionRecord **p = &P->extensions;
        while (*p && (*p)->owner != owner) p = &(*p)->next;
        ExtensionRecord *found = *p;
        if (found) *p = found->next;
        pthread_mutex_unlock(&P->extensions_lock);
        if (!found) return;
        release(found);
    }
}
