/* Shared by the files of the posix module: path arguments, results of system calls, the module's state.
 *
 * Every blocking call releases the GIL and, where CPython does, is repeated after EINTR once the signal handlers ran. */
#ifndef TAIPAN_MODULES_POSIX_PRIVATE_H
#define TAIPAN_MODULES_POSIX_PRIVATE_H

#include "capi/args.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct PosixState {
    PyTypeObject *stat_result, *statvfs_result, *times_result, *uname_result, *waitid_result, *terminal_size, *sched_param;
    PyTypeObject *dir_entry, *scandir_iterator;
    PyObject *billion;
} PosixState;

extern struct PyModuleDef posix_module_definition;
PosixState *posix_state(PyObject *module);

/* ---- path arguments ------------------------------------------------------------------------------------------------ */

enum { PATH_FD = 1, PATH_NULLABLE = 2 };

typedef struct Path {
    const char *function, *argument;
    const char *narrow;                       /* NULL: given as a descriptor, or not given */
    int fd;                                   /* -1: not given as a descriptor */
    PyObject *object;                         /* what the caller gave (owned), for error messages */
    PyObject *bytes;                          /* owned; holds narrow */
    bool is_bytes;                            /* results are bytes too */
} Path;

/* value may be NULL: not given. On success path_done() must follow. -1 with an exception. */
int path_get(Path *path, const char *function, const char *argument, PyObject *value, int allowed);
void path_done(Path *path);

/* OSError from errno with the path(s) as filename. Returns NULL. */
PyObject *path_error(Path *path);
PyObject *path_error2(Path *a, Path *b);
PyObject *posix_error(void);                  /* OSError from errno. Returns NULL. */

/* dir_fd=: None or NULL gives AT_FDCWD. 0 or -1. */
int dir_fd_get(PyObject *value, int *fd);
/* A flag argument; NULL gives the default. 0, 1 or -1. */
int flag_get(PyObject *value, int otherwise);
int int_get(PyObject *value, int *result);    /* 0 or -1 */
int uid_get(PyObject *value, uid_t *uid);     /* -1 means "leave it"; messages as CPython's */
int gid_get(PyObject *value, gid_t *gid);
int offset_get(PyObject *value, off_t *offset);
PyObject *id_object(uid_t id);                /* int; (uid_t)-1 is -1 */

PyObject *stat_to_object(PyObject *module, const struct stat *st);

/* result = call, with the GIL released; keeps errno. */
#define UNLOCKED(result, call)                                                                                          \
    do {                                                                                                                \
        PyThreadState *unlocked_ = PyEval_SaveThread();                                                                 \
        result = call;                                                                                                  \
        int errno_ = errno;                                                                                             \
        PyEval_RestoreThread(unlocked_);                                                                                \
        errno = errno_;                                                                                                 \
    } while (0)

/* The same, again after EINTR unless a signal handler raised; then interrupted is true and the exception is set. */
#define UNLOCKED_RETRY(result, call, interrupted)                                                                       \
    do {                                                                                                                \
        interrupted = false;                                                                                            \
        UNLOCKED(result, call);                                                                                         \
    } while (result < 0 && errno == EINTR && !(interrupted = PyErr_CheckSignals() < 0))

#define RETURN_NONE_OR_ERROR(result)                                                                                    \
    do {                                                                                                                \
        if ((result) < 0) return posix_error();                                                                         \
        Py_RETURN_NONE;                                                                                                 \
    } while (0)

/* The method tables of the files; module.c adds them all. */
extern PyMethodDef posix_file_methods[], posix_stat_methods[], posix_fd_methods[], posix_process_methods[], posix_id_methods[],
    posix_directory_methods[], posix_config_methods[], posix_linux_methods[], posix_spawn_methods[], posix_exec_methods[];

extern PyType_Spec posix_dir_entry_spec, posix_scandir_iterator_spec;
/* Kept by the runtime, which calls them in PyOS_BeforeFork and PyOS_AfterFork_*. Any may be NULL. 0 or -1. */
int runtime_register_at_fork(PyObject *before, PyObject *in_child, PyObject *in_parent);

int posix_add_config_names(PyObject *module);
int posix_add_stat_types(PyObject *module, PosixState *state);
int posix_add_process_types(PyObject *module, PosixState *state);

#endif
