/* The codec registry: what the rest of Taipan may call beyond Python.h. State is in UnicodeState (objects/unicode.h). */
#ifndef TAIPAN_OBJECTS_CODECS_H
#define TAIPAN_OBJECTS_CODECS_H

#include "taipan.h"

/* The codec's tuple (encoder, decoder, stream reader, stream writer) or CodecInfo; new, or NULL with LookupError. */
PyObject *codec_lookup(const char *encoding);

/* The same, but LookupError for codecs that do not convert between str and bytes; alternate is what to use instead. */
PyObject *codec_lookup_text(const char *encoding, const char *alternate);

/* What a text codec makes of object; any type may come out. */
PyObject *codec_encode_text(PyObject *object, const char *encoding, const char *errors);
PyObject *codec_decode_text(PyObject *object, const char *encoding, const char *errors);

/* Lower case, and every run of characters that are neither letters, digits nor '.' as one '_'. false: longer than size. */
bool codec_normalize_name(const char *name, char *out, size_t size);

#endif
