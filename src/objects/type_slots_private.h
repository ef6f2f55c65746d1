/* The table of special methods, shared by type_slots.c (lookup and update), type_slot_functions.c (C slot calls the method)
 * and type_slot_wrappers.c (method calls the C slot). */
#ifndef TAIPAN_OBJECTS_TYPE_SLOTS_PRIVATE_H
#define TAIPAN_OBJECTS_TYPE_SLOTS_PRIVATE_H

#include "objects/type.h"

#define W(name) PyObject *wrap_##name(PyObject *self, PyObject *args, void *wrapped);
W(unary) W(binary) W(binary_left) W(binary_right) W(ternary) W(ternary_right) W(len) W(bool) W(index_argument) W(item) W(set_item)
W(del_item) W(contains) W(set_subscript) W(del_subscript) W(setattr) W(delattr) W(hash) W(lt) W(le) W(eq) W(ne) W(gt) W(ge)
W(next) W(descr_get) W(descr_set) W(descr_delete) W(del) W(buffer) W(release_buffer)
#undef W
PyObject *wrap_call(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds);
PyObject *wrap_init(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds);

/* The C slot that calls a method, declared in one go: slot_<field>. */
#define S(type, name, ...) type slot_##name(__VA_ARGS__);
#define UNARY(name) S(PyObject *, name, PyObject *)
#define BINARY(name) S(PyObject *, name, PyObject *, PyObject *)
UNARY(tp_repr) UNARY(tp_str) UNARY(tp_iter) UNARY(am_await) UNARY(am_aiter) UNARY(am_anext)
UNARY(nb_negative) UNARY(nb_positive) UNARY(nb_absolute) UNARY(nb_invert) UNARY(nb_int) UNARY(nb_float) UNARY(nb_index)
BINARY(nb_add) BINARY(nb_subtract) BINARY(nb_multiply) BINARY(nb_remainder) BINARY(nb_divmod) BINARY(nb_lshift) BINARY(nb_rshift)
BINARY(nb_and) BINARY(nb_xor) BINARY(nb_or) BINARY(nb_floor_divide) BINARY(nb_true_divide) BINARY(nb_matrix_multiply)
BINARY(nb_inplace_add) BINARY(nb_inplace_subtract) BINARY(nb_inplace_multiply) BINARY(nb_inplace_remainder)
BINARY(nb_inplace_lshift) BINARY(nb_inplace_rshift) BINARY(nb_inplace_and) BINARY(nb_inplace_xor) BINARY(nb_inplace_or)
BINARY(nb_inplace_floor_divide) BINARY(nb_inplace_true_divide) BINARY(nb_inplace_matrix_multiply)
S(PyObject *, nb_power, PyObject *, PyObject *, PyObject *) S(PyObject *, nb_inplace_power, PyObject *, PyObject *, PyObject *)
S(int, nb_bool, PyObject *) S(Py_ssize_t, sq_length, PyObject *) S(PyObject *, sq_item, PyObject *, Py_ssize_t)
S(int, sq_ass_item, PyObject *, Py_ssize_t, PyObject *) S(int, sq_contains, PyObject *, PyObject *)
S(int, mp_ass_subscript, PyObject *, PyObject *, PyObject *)
S(Py_hash_t, tp_hash, PyObject *) S(int, tp_setattro, PyObject *, PyObject *, PyObject *)
S(PyObject *, tp_richcompare, PyObject *, PyObject *, int) S(PyObject *, tp_descr_get, PyObject *, PyObject *, PyObject *)
S(int, tp_descr_set, PyObject *, PyObject *, PyObject *)
S(int, bf_getbuffer, PyObject *, Py_buffer *, int) S(void, bf_releasebuffer, PyObject *, Py_buffer *)
#undef S
#undef UNARY
#undef BINARY

extern struct wrapperbase type_slot_table[];

#endif
