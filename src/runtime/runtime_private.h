/* What the files of runtime/ (and the modules that belong to it) share. */
#ifndef TAIPAN_RUNTIME_PRIVATE_H
#define TAIPAN_RUNTIME_PRIVATE_H

#include "runtime/state.h"

/* state.c */
void process_init(void);
Interpreter *interp_new(void);
PyThreadState *thread_new(Interpreter *interp);
void thread_bind(PyThreadState *ts);
void thread_unbind_current(void);
void thread_unlink_free(PyThreadState *ts);
void threads_delete_except(PyThreadState *keep);
void lists_lock(void);
void lists_unlock(void);
void gilstate_forget(void);
void gilstate_follow(PyThreadState *ts);
PyObject *thread_current_exceptions(void);
/* Releases what other threads wait for when a thread state ends (_thread). */
void thread_release_on_exit(PyThreadState *ts);

/* gil.c */
int gil_init(Gil *gil);
void thread_attach(PyThreadState *ts);
void thread_detach(PyThreadState *ts);
void gil_change_holder(PyThreadState *from, PyThreadState *to);
void gil_release_anonymous(Gil *gil);
void gil_forget_holder(Gil *gil, PyThreadState *ts);
void gil_after_fork_child(PyThreadState *ts);
unsigned long gil_switch_interval(Interpreter *interp);
void gil_set_switch_interval(Interpreter *interp, unsigned long microseconds);

/* pythread.c */
int thread_start_os(void (*function)(void *), void *argument, pthread_t *handle);

/* modules/_signal.c, _thread.c */
void signals_fini(void);
void signals_clear(void);
void thread_handles_after_fork(PyThreadState *ts);

/* fileutils.c */
int locale_decode(const char *text, wchar_t **out, size_t *length, size_t *error_at, const char **reason, bool surrogateescape,
                  bool current_locale);
int locale_encode(const wchar_t *text, char **out, size_t *error_at, const char **reason, bool raw, bool surrogateescape,
                  bool current_locale);
char *locale_encode_raw(const wchar_t *text);
wchar_t *locale_encoding_name(void);
FILE *file_open_cloexec(const char *path, const char *mode);

/* config.c */
void config_init_compat(PyConfig *config);
PyStatus status_error(const char *function, const char *message);
PyStatus config_preinitialize(PyConfig *config, Py_ssize_t argc, char *const *bytes, wchar_t *const *wide);
PyStatus config_decode(wchar_t **out, const char *text, const char *what);
PyStatus config_copy(PyConfig *to, const PyConfig *from);
PyStatus config_read(PyConfig *config);
PyStatus config_write(const PyConfig *config);
wchar_t *wide_copy(const wchar_t *text);
PyStatus wide_list_copy(PyWideStringList *to, const PyWideStringList *from);
void wide_list_clear(PyWideStringList *list);

/* lifecycle.c */
void subinterpreters_end(PyThreadState *ts);

void faulthandler_fini(void);
int faulthandler_init(bool enable);       /* -X faulthandler */
void atexit_run(PyInterpreterState *interp);

/* fatal.c */
void _Py_NO_RETURN fatal_status(PyStatus status);
void dump_traceback(int fd, PyThreadState *ts, bool header);
/* All threads; NULL or what is wrong. */
const char *dump_all_threads(int fd, Interpreter *interp, PyThreadState *current);
void dump_extension_modules(int fd, Interpreter *interp);
void dump_text(int fd, const char *text);

/* pathconfig.c */
PyStatus paths_compute(PyConfig *config);
PyStatus paths_take_settings(PyConfig *config);

/* config_read.c */
void config_set_global_flags(const PyConfig *config);
void inspect_flag_set(int value);

/* display.c, pythonrun.c */
bool exit_requested(int *code);
bool inspect_flag(void);
void display_exception(PyObject *file, PyObject *value, PyObject *tb);

int run_simple_string_named(const char *text, PyObject *name, PyCompilerFlags *flags);
int run_simple_file(FILE *fp, PyObject *filename, int closeit, PyCompilerFlags *flags);
int run_any_file(FILE *fp, PyObject *filename, int closeit, PyCompilerFlags *flags);

/* import.c */
void import_lock_acquire(void);
int import_lock_release(void);
PyStatus import_init_core(PyThreadState *ts);
void import_after_fork_child(void);
void readline_after_fork_child(PyThreadState *ts);

/* import_extensions.c */
void extensions_lock_init(void);           /* at start, and in a forked child */
void extensions_drop(Interpreter *owner);  /* its records; in that interpreter */
bool interp_shares_main_gil(Interpreter *interp);

#endif
