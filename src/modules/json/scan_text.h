/* Reading a document of one kind of characters. Included by scanner.c once a kind: CHAR is the type, KIND its size, T(name)
 * makes the names. Positions count characters; errors show them. */

#define AT(i) ((const CHAR *)c->data)[i]

static PyObject *T(scan_value)(Scan *c, Py_ssize_t i, Py_ssize_t *end);

static ALWAYS_INLINE Py_ssize_t T(skip_space)(const Scan *c, Py_ssize_t i)
{
    while (i < c->n && (AT(i) == ' ' || AT(i) == '\n' || AT(i) == '\t' || AT(i) == '\r')) i++;
    return i;
}

/* The first character from i on that is '"', '\\' or a control character; n when there is none. */
static ALWAYS_INLINE Py_ssize_t T(find_special)(const Scan *c, Py_ssize_t i)
{
    Py_ssize_t n = c->n;
#if KIND == 1
    for (; i + 8 <= n; i += 8) {
        uint64_t word, special;
        memcpy(&word, (const char *)c->data + i, 8);
        if ((special = special_bytes(word))) return i + __builtin_ctzll(special) / 8;
    }
#endif
    while (i < n && AT(i) != '"' && AT(i) != '\\' && AT(i) >= 32) i++;
    return i;
}

static PyObject *T(make_piece)(const Scan *c, Py_ssize_t from, Py_ssize_t to)
{
#if KIND == 1
    const Py_UCS1 *chars = (const Py_UCS1 *)c->data + from;
    return c->ascii ? str_from_ascii((const char *)chars, to - from) : str_from_latin1(chars, to - from);
#elif KIND == 2
    return str_from_ucs2((const Py_UCS2 *)c->data + from, to - from);
#else
    return str_from_ucs4((const Py_UCS4 *)c->data + from, to - from);
#endif
}

/* Four hexadecimal digits at i, which are inside the text; -1 when they are none. */
static int T(read_hex)(const Scan *c, Py_ssize_t i)
{
    int value = 0;
    for (Py_ssize_t stop = i + 4; i < stop; i++) {
        Py_UCS4 ch = AT(i);
        int digit = ch >= '0' && ch <= '9' ? (int)ch - '0' : (ch | 32) >= 'a' && (ch | 32) <= 'f' ? (int)(ch | 32) - 'a' + 10 : -1;
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* \uXXXX, or two that are a pair of surrogates; i: behind the u. */
static int T(scan_unicode_escape)(Scan *c, Text *text, Py_ssize_t i, Py_ssize_t *next)
{
    int high, low;
    if (i + 4 >= c->n) return scan_error(c, "Invalid \\uXXXX escape", i - 1);
    if ((high = T(read_hex)(c, i)) < 0) return scan_error(c, "Invalid \\uXXXX escape", i - 1);
    i += 4;
    Py_UCS4 ch = (Py_UCS4)high;
    if (Py_UNICODE_IS_HIGH_SURROGATE(ch) && i + 6 < c->n && AT(i) == '\\' && AT(i + 1) == 'u') {
        if ((low = T(read_hex)(c, i + 2)) < 0) return scan_error(c, "Invalid \\uXXXX escape", i + 1);
        if (Py_UNICODE_IS_LOW_SURROGATE((Py_UCS4)low)) {
            ch = Py_UNICODE_JOIN_SURROGATES(ch, (Py_UCS4)low);
            i += 6;
        }
    }
    *next = i;
    return text_put(text, ch);
}

/* A string that is not simply a piece of the document. stop: its first special character. */
static NOINLINE PyObject *T(scan_escaped)(Scan *c, Py_ssize_t begin, Py_ssize_t stop, Py_ssize_t *end)
{
    Text text = { 0 };
    for (Py_ssize_t i = begin;;) {
        if (stop > i && text_put_chars(&text, KIND, (const CHAR *)c->data + i, stop - i) < 0) goto error;
        if (stop >= c->n) {
            scan_error(c, "Unterminated string starting at", begin - 1);
            goto error;
        }
        Py_UCS4 ch = AT(stop);
        i = stop + 1;
        if (ch == '"') break;
        if (ch != '\\') {
            if (c->strict) {
                scan_error(c, "Invalid control character at", stop);
                goto error;
            }
            if (text_put(&text, ch) < 0) goto error;
        }
        else if (i >= c->n) {
            scan_error(c, "Unterminated string starting at", begin - 1);
            goto error;
        }
        else if (AT(i) == 'u') {
            if (T(scan_unicode_escape)(c, &text, i + 1, &i) < 0) goto error;
        }
        else {
            Py_UCS4 plain = 0;
            switch (AT(i)) {
            case '"': case '\\': case '/': plain = AT(i); break;
            case 'b': plain = '\b'; break;
            case 'f': plain = '\f'; break;
            case 'n': plain = '\n'; break;
            case 'r': plain = '\r'; break;
            case 't': plain = '\t'; break;
            }
            if (!plain) {
                scan_error(c, "Invalid \\escape", i - 1);
                goto error;
            }
            if (text_put(&text, plain) < 0) goto error;
            i++;
        }
        stop = T(find_special)(c, i);
    }
    *end = stop + 1;
    return text_finish(&text);
error:
    text_drop(&text);
    return NULL;
}

/* begin: behind the opening quote. */
static ALWAYS_INLINE PyObject *T(scan_string)(Scan *c, Py_ssize_t begin, Py_ssize_t *end)
{
    Py_ssize_t stop = T(find_special)(c, begin);
    if (UNLIKELY(stop >= c->n || AT(stop) != '"')) return T(scan_escaped)(c, begin, stop, end);
    *end = stop + 1;
    return T(make_piece)(c, begin, stop);
}

/* A key: equal ones in a document are the same object. */
static PyObject *T(scan_key)(Scan *c, Py_ssize_t begin, Py_ssize_t *end)
{
    Py_ssize_t stop = T(find_special)(c, begin), n = stop - begin;
    if (UNLIKELY(stop >= c->n || AT(stop) != '"')) {
        PyObject *key = T(scan_escaped)(c, begin, stop, end);
        return key ? keys_share(c, key) : NULL;
    }
    *end = stop + 1;
    if (n > KEY_MAX) return T(make_piece)(c, begin, stop);
    uint64_t hash = (uint64_t)n;
    for (Py_ssize_t i = begin; i < stop; i++) hash = (hash ^ AT(i)) * 0x9e3779b97f4a7c15u;
    if (!c->keys && keys_start(c) < 0) return NULL;
    for (size_t i = (size_t)(hash >> 32) & c->keys_mask;; i = (i + 1) & c->keys_mask) {
        PyObject *key = c->keys[i];
        if (!key) {
            if (!(key = T(make_piece)(c, begin, stop))) return NULL;
            keys_add(c, i, key);
            return key;
        }
        if (PyUnicode_GET_LENGTH(key) != n) continue;
        if (PyUnicode_KIND(key) == KIND) {
            if (memcmp(PyUnicode_DATA(key), (const CHAR *)c->data + begin, (size_t)n * KIND) == 0) return Py_NewRef(key);
            continue;
        }
        Py_ssize_t same = 0;
        while (same < n && PyUnicode_READ_CHAR(key, same) == AT(begin + same)) same++;
        if (same == n) return Py_NewRef(key);
    }
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

static NOINLINE PyObject *T(convert_number)(Scan *c, Py_ssize_t from, Py_ssize_t to, bool is_float)
{
    PyObject *custom = is_float ? c->scanner->parse_float : c->scanner->parse_int;
    if (custom != (is_float ? OBJECT(&PyFloat_Type) : OBJECT(&PyLong_Type))) {
        PyObject *text = PyUnicode_FromKindAndData(KIND, (const CHAR *)c->data + from, to - from);
        if (!text) return NULL;
        PyObject *result = PyObject_CallOneArg(custom, text);
        Py_DECREF(text);
        return result;
    }
    char small[64], *text = to - from < (Py_ssize_t)sizeof small ? small : PyMem_Malloc((size_t)(to - from) + 1);
    if (!text) return PyErr_NoMemory();
    for (Py_ssize_t i = from; i < to; i++) text[i - from] = (char)AT(i);
    text[to - from] = 0;
    PyObject *result;
    if (is_float) {
        double value;
        bool overflow;
        result = float_read(text, text + (to - from), &value, &overflow) ? PyFloat_FromDouble(value) : PyErr_NoMemory();
    }
    else result = PyLong_FromString(text, NULL, 10);
    if (text != small) PyMem_Free(text);
    return result;
}

static ALWAYS_INLINE bool T(is_digit)(const Scan *c, Py_ssize_t i) { return i < c->n && AT(i) >= '0' && AT(i) <= '9'; }

static PyObject *T(scan_number)(Scan *c, Py_ssize_t start, Py_ssize_t *end)
{
    Py_ssize_t i = start;
    bool negative = AT(i) == '-', is_float = false;
    uint64_t value = 0;
    i += negative;
    Py_ssize_t digits = i;
    if (!T(is_digit)(c, i)) return scan_stop(start);
    if (AT(i) == '0') i++;
    else do value = value * 10 + (AT(i++) - '0'); while (T(is_digit)(c, i));
    digits = i - digits;
    if (i + 1 < c->n && AT(i) == '.' && T(is_digit)(c, i + 1)) {
        is_float = true;
        for (i += 2; T(is_digit)(c, i); i++) { }
    }
    if (i + 1 < c->n && (AT(i) == 'e' || AT(i) == 'E')) {
        Py_ssize_t e = i + 1;
        if (AT(e) == '+' || AT(e) == '-') e++;
        if (T(is_digit)(c, e)) {
            is_float = true;
            while (T(is_digit)(c, e)) e++;
            i = e;
        }
    }
    *end = i;
    if (LIKELY(!is_float && digits <= 18 && c->scanner->parse_int == OBJECT(&PyLong_Type)))
        return PyLong_FromLongLong(negative ? -(long long)value : (long long)value);
    return T(convert_number)(c, start, i, is_float);
}

/* ---- arrays and objects ---------------------------------------------------------------------------------------------- */

static PyObject *T(scan_array)(Scan *c, Py_ssize_t i, Py_ssize_t *end)
{
    Py_ssize_t base = c->count;
    i = T(skip_space)(c, i);
    if (i >= c->n || AT(i) != ']')
        for (;;) {
            PyObject *value = T(scan_value)(c, i, &i);
            if (!value || values_push(c, value) < 0) goto error;
            i = T(skip_space)(c, i);
            if (i < c->n && AT(i) == ']') break;
            if (i >= c->n || AT(i) != ',') {
                scan_error(c, "Expecting ',' delimiter", i);
                goto error;
            }
            Py_ssize_t comma = i;
            i = T(skip_space)(c, i + 1);
            if (i < c->n && AT(i) == ']') {
                scan_error(c, "Illegal trailing comma before end of array", comma);
                goto error;
            }
        }
    *end = i + 1;
    Py_ssize_t n = c->count - base;
    c->count = base;
    return list_from_array_steal(c->values + base, n);
error:
    values_drop(c, base);
    return NULL;
}

static PyObject *T(scan_object)(Scan *c, Py_ssize_t i, Py_ssize_t *end)
{
    Py_ssize_t base = c->count;
    i = T(skip_space)(c, i);
    if (i >= c->n || AT(i) != '}')
        for (;;) {
            if (i >= c->n || AT(i) != '"') {
                scan_error(c, "Expecting property name enclosed in double quotes", i);
                goto error;
            }
            PyObject *key = T(scan_key)(c, i + 1, &i), *value;
            if (!key || values_push(c, key) < 0) goto error;
            i = T(skip_space)(c, i);
            if (i >= c->n || AT(i) != ':') {
                scan_error(c, "Expecting ':' delimiter", i);
                goto error;
            }
            i = T(skip_space)(c, i + 1);
            if (!(value = T(scan_value)(c, i, &i)) || values_push(c, value) < 0) goto error;
            i = T(skip_space)(c, i);
            if (i < c->n && AT(i) == '}') break;
            if (i >= c->n || AT(i) != ',') {
                scan_error(c, "Expecting ',' delimiter", i);
                goto error;
            }
            Py_ssize_t comma = i;
            i = T(skip_space)(c, i + 1);
            if (i < c->n && AT(i) == '}') {
                scan_error(c, "Illegal trailing comma before end of object", comma);
                goto error;
            }
        }
    *end = i + 1;
    return object_from_values(c, base);
error:
    values_drop(c, base);
    return NULL;
}

/* ---- any value ------------------------------------------------------------------------------------------------------- */

static bool T(is_word)(const Scan *c, Py_ssize_t i, const char *word, Py_ssize_t n)
{
    if (c->n - i < n) return false;
    for (Py_ssize_t k = 0; k < n; k++) if (AT(i + k) != (unsigned char)word[k]) return false;
    return true;
}

static PyObject *T(scan_value)(Scan *c, Py_ssize_t i, Py_ssize_t *end)
{
    PyObject *result;
    if (UNLIKELY(i >= c->n)) return scan_stop(i);
    switch (AT(i)) {
    case '"': return T(scan_string)(c, i + 1, end);
    case '{':
        if (Py_EnterRecursiveCall(" while decoding a JSON object from a unicode string")) return NULL;
        result = T(scan_object)(c, i + 1, end);
        Py_LeaveRecursiveCall();
        return result;
    case '[':
        if (Py_EnterRecursiveCall(" while decoding a JSON array from a unicode string")) return NULL;
        result = T(scan_array)(c, i + 1, end);
        Py_LeaveRecursiveCall();
        return result;
    case 'n':
        if (!T(is_word)(c, i, "null", 4)) return scan_stop(i);
        *end = i + 4;
        return Py_NewRef(Py_None);
    case 't':
        if (!T(is_word)(c, i, "true", 4)) return scan_stop(i);
        *end = i + 4;
        return Py_NewRef(Py_True);
    case 'f':
        if (!T(is_word)(c, i, "false", 5)) return scan_stop(i);
        *end = i + 5;
        return Py_NewRef(Py_False);
    case 'N': return T(is_word)(c, i, "NaN", 3) ? scan_constant(c, "NaN", i, end) : scan_stop(i);
    case 'I': return T(is_word)(c, i, "Infinity", 8) ? scan_constant(c, "Infinity", i, end) : scan_stop(i);
    case '-':
        if (T(is_word)(c, i, "-Infinity", 9)) return scan_constant(c, "-Infinity", i, end);
        return T(scan_number)(c, i, end);
    default: return T(scan_number)(c, i, end);
    }
}

#undef AT
#undef CHAR
#undef KIND
#undef T
