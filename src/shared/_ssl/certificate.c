/* Certificates: the Certificate type, and the dict that getpeercert() shows. */
#include "ssl_private.h"

/* What was printed into a memory BIO of the library's own, as str. */
static PyObject *printed(BIO *bio)
{
    char *text;
    long n = BIO_get_mem_data(bio, &text);
    return PyUnicode_DecodeUTF8(text, n > 0 ? n : 0, "strict");
}

/* ---- names --------------------------------------------------------------------------------------------------------------- */

/* An object's name, or its number. */
static PyObject *object_text(SslState *state, const ASN1_OBJECT *object)
{
    char small[256];
    int n = OBJ_obj2txt(small, sizeof small, object, 0);
    if (n < 0) return raise_last(state, LINE_NAME);
    if (n < (int)sizeof small) return n ? PyUnicode_FromStringAndSize(small, n) : Py_NewRef(Py_None);
    char *large = PyMem_Malloc((size_t)n + 1);
    if (!large) return PyErr_NoMemory();
    n = OBJ_obj2txt(large, n + 1, object, 0);
    PyObject *text = n < 0 ? raise_last(state, LINE_NAME) : PyUnicode_FromStringAndSize(large, n);
    PyMem_Free(large);
    return text;
}

/* ("commonName", "localhost") */
static PyObject *attribute(SslState *state, X509_NAME_ENTRY *entry)
{
    ASN1_STRING *data = X509_NAME_ENTRY_get_data(entry);
    PyObject *value = NULL, *name = object_text(state, X509_NAME_ENTRY_get_object(entry));
    if (!name) return NULL;
    if (ASN1_STRING_type(data) == V_ASN1_BIT_STRING)
        value = PyBytes_FromStringAndSize((const char *)ASN1_STRING_get0_data(data), ASN1_STRING_length(data));
    else {
        unsigned char *text;
        int n = ASN1_STRING_to_UTF8(&text, data);
        if (n < 0) raise_last(state, LINE_NAME);
        else {
            value = PyUnicode_DecodeUTF8((const char *)text, n, "strict");
            OPENSSL_free(text);
        }
    }
    PyObject *pair = value ? PyTuple_Pack(2, name, value) : NULL;
    Py_DECREF(name);
    Py_XDECREF(value);
    return pair;
}

/* Puts the list, as a tuple, at the end of the outer one. Consumes inner. */
static int append_tuple(PyObject *outer, PyObject *inner)
{
    PyObject *tuple = PyList_AsTuple(inner);
    Py_DECREF(inner);
    int status = tuple ? PyList_Append(outer, tuple) : -1;
    Py_XDECREF(tuple);
    return status;
}

static PyObject *list_to_tuple(PyObject *list)
{
    PyObject *tuple = PyList_AsTuple(list);
    Py_DECREF(list);
    return tuple;
}

/* A tuple of RDNs, each a tuple of attributes. */
static PyObject *name_tuple(SslState *state, X509_NAME *name)
{
    PyObject *names = PyList_New(0), *group = NULL;
    int set = -1;
    if (!names) return NULL;
    for (int i = 0, n = X509_NAME_entry_count(name); i < n; i++) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        if (group && X509_NAME_ENTRY_set(entry) != set) {
            PyObject *full = group;
            group = NULL;
            if (append_tuple(names, full) < 0) goto failed;
        }
        if (!group && !(group = PyList_New(0))) goto failed;
        set = X509_NAME_ENTRY_set(entry);
        PyObject *pair = attribute(state, entry);
        int status = pair ? PyList_Append(group, pair) : -1;
        Py_XDECREF(pair);
        if (status < 0) goto failed;
    }
    if (group) {
        PyObject *full = group;
        group = NULL;
        if (append_tuple(names, full) < 0) goto failed;
    }
    return list_to_tuple(names);
failed:
    Py_XDECREF(group);
    Py_DECREF(names);
    return NULL;
}

/* ---- alternative names --------------------------------------------------------------------------------------------------- */

static PyObject *text_pair(const char *kind, const ASN1_STRING *value)
{
    PyObject *text = PyUnicode_FromStringAndSize((const char *)ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
    return text ? Py_BuildValue("sN", kind, text) : NULL;
}

static PyObject *address_pair(const ASN1_OCTET_STRING *address)
{
    const unsigned char *p = ASN1_STRING_get0_data(address);
    PyObject *text;
    if (ASN1_STRING_length(address) == 4) text = PyUnicode_FromFormat("%d.%d.%d.%d", p[0], p[1], p[2], p[3]);
    else if (ASN1_STRING_length(address) == 16)
        text = PyUnicode_FromFormat("%X:%X:%X:%X:%X:%X:%X:%X", p[0] << 8 | p[1], p[2] << 8 | p[3], p[4] << 8 | p[5], p[6] << 8 | p[7],
                                    p[8] << 8 | p[9], p[10] << 8 | p[11], p[12] << 8 | p[13], p[14] << 8 | p[15]);
    else text = PyUnicode_FromString("<invalid>");
    return text ? Py_BuildValue("sN", "IP Address", text) : NULL;
}

static PyObject *registered_pair(SslState *state, const ASN1_OBJECT *object)
{
    char text[2048];
    int n = i2t_ASN1_OBJECT(text, sizeof text - 1, object);
    if (n < 0) return raise_last(state, LINE_NAME);
    PyObject *value = n >= (int)sizeof text ? PyUnicode_FromString("<INVALID>") : PyUnicode_FromStringAndSize(text, n);
    return value ? Py_BuildValue("sN", "Registered ID", value) : NULL;
}

/* The library's own text, "kind:value". */
static PyObject *printed_pair(SslState *state, GENERAL_NAME *name)
{
    if (name->type != GEN_OTHERNAME && name->type != GEN_X400 && name->type != GEN_EDIPARTY &&
        PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "Unknown general name type %d", name->type) < 0) return NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio) return PyErr_NoMemory();
    char text[2048];
    GENERAL_NAME_print(bio, name);
    int n = BIO_gets(bio, text, sizeof text - 1);
    BIO_free(bio);
    if (n < 0) return raise_last(state, LINE_NAME);
    text[n] = 0;
    char *colon = strchr(text, ':');
    if (!colon) return PyErr_Format(PyExc_ValueError, "Invalid value %.200s", text);
    return Py_BuildValue("s#s#", text, (Py_ssize_t)(colon - text), colon + 1, (Py_ssize_t)(text + n - colon - 1));
}

static PyObject *alternative_name(SslState *state, GENERAL_NAME *name)
{
    PyObject *value;
    switch (name->type) {
    case GEN_DIRNAME:
        value = name_tuple(state, name->d.dirn);
        return value ? Py_BuildValue("sN", "DirName", value) : NULL;
    case GEN_EMAIL: return text_pair("email", name->d.rfc822Name);
    case GEN_DNS: return text_pair("DNS", name->d.dNSName);
    case GEN_URI: return text_pair("URI", name->d.uniformResourceIdentifier);
    case GEN_RID: return registered_pair(state, name->d.rid);
    case GEN_IPADD: return address_pair(name->d.iPAddress);
    default: return printed_pair(state, name);
    }
}

/* None when there are none. */
static PyObject *alternative_names(SslState *state, X509 *x509)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    if (!names) Py_RETURN_NONE;
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < sk_GENERAL_NAME_num(names); i++) {
        PyObject *pair = alternative_name(state, sk_GENERAL_NAME_value(names, i));
        if (!pair || PyList_Append(list, pair) < 0) Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    return list ? list_to_tuple(list) : NULL;
}

/* ---- where to ask -------------------------------------------------------------------------------------------------------- */

static int append_uri(PyObject *list, const ASN1_STRING *uri)
{
    PyObject *text = PyUnicode_FromStringAndSize((const char *)ASN1_STRING_get0_data(uri), ASN1_STRING_length(uri));
    int status = text ? PyList_Append(list, text) : -1;
    Py_XDECREF(text);
    return status;
}

/* A tuple, or None when nothing was found. Consumes the list, which may be NULL. */
static PyObject *uris_result(PyObject *list)
{
    if (!list || PyList_GET_SIZE(list)) return list ? list_to_tuple(list) : NULL;
    Py_DECREF(list);
    Py_RETURN_NONE;
}

static PyObject *access_uris(X509 *x509, int method)
{
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(x509, NID_info_access, NULL, NULL);
    if (!access) Py_RETURN_NONE;
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < sk_ACCESS_DESCRIPTION_num(access); i++) {
        ACCESS_DESCRIPTION *description = sk_ACCESS_DESCRIPTION_value(access, i);
        if (OBJ_obj2nid(description->method) != method || description->location->type != GEN_URI) continue;
        if (append_uri(list, description->location->d.uniformResourceIdentifier) < 0) Py_CLEAR(list);
    }
    AUTHORITY_INFO_ACCESS_free(access);
    return uris_result(list);
}

static PyObject *revocation_uris(X509 *x509)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x509, NID_crl_distribution_points, NULL, NULL);
    if (!points) Py_RETURN_NONE;
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < sk_DIST_POINT_num(points); i++) {
        DIST_POINT *point = sk_DIST_POINT_value(points, i);
        if (!point->distpoint || point->distpoint->type != 0) continue;   /* nothing, or a name relative to the issuer's */
        GENERAL_NAMES *names = point->distpoint->name.fullname;
        for (int j = 0; list && j < sk_GENERAL_NAME_num(names); j++) {
            GENERAL_NAME *name = sk_GENERAL_NAME_value(names, j);
            if (name->type == GEN_URI && append_uri(list, name->d.uniformResourceIdentifier) < 0) Py_CLEAR(list);
        }
    }
    CRL_DIST_POINTS_free(points);
    return uris_result(list);
}

/* ---- the dict ------------------------------------------------------------------------------------------------------------ */

/* Consumes the value; None is left out when optional. */
static int put(PyObject *dict, const char *key, PyObject *value, bool optional)
{
    int status = !value ? -1 : optional && value == Py_None ? 0 : PyDict_SetItemString(dict, key, value);
    Py_XDECREF(value);
    return status;
}

static PyObject *serial_text(SslState *state, X509 *x509, BIO *bio)
{
    if (i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(x509)) < 0) return raise_last(state, LINE_NAME);
    char text[2048];
    int n = BIO_gets(bio, text, sizeof text - 1);
    if (n < 0) return raise_last(state, LINE_NAME);
    return PyUnicode_FromStringAndSize(text, n);
}

static PyObject *time_text(const ASN1_TIME *time, BIO *bio)
{
    (void)BIO_reset(bio);
    ASN1_TIME_print(bio, time);
    return printed(bio);
}

PyObject *certificate_decode(SslState *state, X509 *x509)
{
    PyObject *dict = PyDict_New();
    BIO *bio = BIO_new(BIO_s_mem());
    if (!dict || !bio) {
        if (!bio) PyErr_NoMemory();
        goto failed;
    }
    if (put(dict, "subject", name_tuple(state, X509_get_subject_name(x509)), false) < 0) goto failed;
    if (put(dict, "issuer", name_tuple(state, X509_get_issuer_name(x509)), false) < 0) goto failed;
    if (put(dict, "version", PyLong_FromLong(X509_get_version(x509) + 1), false) < 0) goto failed;
    if (put(dict, "serialNumber", serial_text(state, x509, bio), false) < 0) goto failed;
    if (put(dict, "notBefore", time_text(X509_get0_notBefore(x509), bio), false) < 0) goto failed;
    if (put(dict, "notAfter", time_text(X509_get0_notAfter(x509), bio), false) < 0) goto failed;
    if (put(dict, "subjectAltName", alternative_names(state, x509), true) < 0) goto failed;
    if (put(dict, "OCSP", access_uris(x509, NID_ad_OCSP), true) < 0) goto failed;
    if (put(dict, "caIssuers", access_uris(x509, NID_ad_ca_issuers), true) < 0) goto failed;
    if (put(dict, "crlDistributionPoints", revocation_uris(x509), true) < 0) goto failed;
    BIO_free(bio);
    ERR_clear_error();                        /* of extensions that could not be read */
    return dict;
failed:
    BIO_free(bio);
    Py_XDECREF(dict);
    return NULL;
}

PyObject *certificate_der(SslState *state, X509 *x509)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x509, &der);
    if (n < 0) return raise_last(state, LINE_NAME);
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)der, n);
    OPENSSL_free(der);
    return bytes;
}

/* ---- Certificate --------------------------------------------------------------------------------------------------------- */

PyObject *certificate_new(SslState *state, X509 *x509)
{
    Certificate *self = PyObject_New(Certificate, state->certificate);
    if (!self) return NULL;
    X509_up_ref(x509);
    self->x509 = x509;
    self->state = state;
    self->hash = -1;
    return OBJECT(self);
}

PyObject *certificate_list(SslState *state, STACK_OF(X509) *chain)
{
    int n = sk_X509_num(chain);
    PyObject *list = PyList_New(n < 0 ? 0 : n);
    for (int i = 0; list && i < n; i++) {
        PyObject *certificate = certificate_new(state, sk_X509_value(chain, i));
        if (!certificate) Py_CLEAR(list);
        else PyList_SET_ITEM(list, i, certificate);
    }
    return list;
}

static void certificate_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    X509_free(CERTIFICATE(self)->x509);
    PyObject_Free(self);
    Py_DECREF(type);
}

BUILTIN(Certificate, public_bytes, KEYWORDS, "($self, /, format=Encoding.PEM)", "The certificate as text (PEM) or bytes (DER).")
{
    Certificate *c = CERTIFICATE(self);
    int format, done;
    if (int_argument(arg[0], ENCODING_PEM, &format) < 0) return NULL;
    if (format == ENCODING_DER) return certificate_der(c->state, c->x509);
    if (format != ENCODING_PEM && format != ENCODING_PEM_AUX) {
        PyErr_SetString(PyExc_ValueError, "Unsupported format");
        return NULL;
    }
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio) return PyErr_NoMemory();
    done = format == ENCODING_PEM ? PEM_write_bio_X509(bio, c->x509) : PEM_write_bio_X509_AUX(bio, c->x509);
    PyObject *text = done ? printed(bio) : raise_last(c->state, LINE_NAME);
    BIO_free(bio);
    return text;
}

BUILTIN_NOARGS(Certificate, get_info, "($self, /)", "What getpeercert() shows of the certificate.")
{
    return certificate_decode(CERTIFICATE(self)->state, CERTIFICATE(self)->x509);
}

static PyObject *certificate_repr(PyObject *self)
{
    Certificate *c = CERTIFICATE(self);
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio) return PyErr_NoMemory();
    int n = X509_NAME_print_ex(bio, X509_get_subject_name(c->x509), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    PyObject *subject = n < 0 ? raise_last(c->state, LINE_NAME) : printed(bio);
    BIO_free(bio);
    PyObject *text = subject ? PyUnicode_FromFormat("<%s '%U'>", Py_TYPE(self)->tp_name, subject) : NULL;
    Py_XDECREF(subject);
    return text;
}

static Py_hash_t certificate_hash(PyObject *self)
{
    Certificate *c = CERTIFICATE(self);
    if (c->hash != -1) return c->hash;
    unsigned long hash = X509_subject_name_hash(c->x509);
    return c->hash = (Py_hash_t)hash == -1 ? -2 : (Py_hash_t)hash;
}

static PyObject *certificate_richcompare(PyObject *a, PyObject *b, int op)
{
    if (Py_TYPE(a) != Py_TYPE(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    bool equal = X509_cmp(CERTIFICATE(a)->x509, CERTIFICATE(b)->x509) == 0;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static PyMethodDef certificate_methods[] = { METHOD(Certificate, public_bytes), METHOD(Certificate, get_info), { 0 } };
static PyType_Slot certificate_slots[] = {
    SLOT(tp_dealloc, certificate_dealloc), SLOT(tp_repr, certificate_repr), SLOT(tp_hash, certificate_hash),
    SLOT(tp_richcompare, certificate_richcompare), SLOT(tp_methods, certificate_methods), { 0, NULL },
};
PyType_Spec certificate_spec = {
    "_ssl.Certificate", sizeof(Certificate), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, certificate_slots,
};
