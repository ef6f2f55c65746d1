/* Searching for characters of type CHAR, wider than a byte: included once a kind by str_search.c, with NAME(x). */

/* Sixteen at a time, so that the compiler compares with vectors. */
static Py_ssize_t NAME(find_char)(const CHAR *p, Py_ssize_t n, CHAR ch)
{
    Py_ssize_t i = 0;
    for (; i + 16 <= n; i += 16) {
        CHAR any = 0;
        for (int j = 0; j < 16; j++) any |= (CHAR)-(p[i + j] == ch);
        if (any) break;
    }
    for (; i < n; i++) if (p[i] == ch) return i;
    return -1;
}

static Py_ssize_t NAME(rfind_char)(const CHAR *p, Py_ssize_t n, CHAR ch)
{
    for (; n >= 16; n -= 16) {
        CHAR any = 0;
        for (int j = 1; j <= 16; j++) any |= (CHAR)-(p[n - j] == ch);
        if (any) break;
    }
    while (n-- > 0) if (p[n] == ch) return n;
    return -1;
}

/* The critical factorisation for one of the two orders of the alphabet: start of the right part less one; *period its period. */
static Py_ssize_t NAME(max_suffix)(const CHAR *p, Py_ssize_t m, bool inverted, Py_ssize_t *period)
{
    Py_ssize_t suffix = -1, j = 0, k = 1, q = 1;
    while (j + k < m) {
        CHAR a = p[j + k], b = p[suffix + k];
        if (inverted ? a > b : a < b) {
            j += k;
            k = 1;
            q = j - suffix;
        }
        else if (a == b) {
            if (k != q) k++;
            else {
                j += q;
                k = 1;
            }
        }
        else {
            suffix = j++;
            k = q = 1;
        }
    }
    *period = q;
    return suffix;
}

static NOINLINE Py_ssize_t NAME(two_way)(const CHAR *h, Py_ssize_t n, const CHAR *p, Py_ssize_t m)
{
    Py_ssize_t period1, period2;
    Py_ssize_t left1 = NAME(max_suffix)(p, m, false, &period1), left2 = NAME(max_suffix)(p, m, true, &period2);
    Py_ssize_t left = left1 > left2 ? left1 : left2, period = left1 > left2 ? period1 : period2;
    bool periodic = period + left + 1 <= m && memcmp(p, p + period, (size_t)(left + 1) * sizeof *p) == 0;
    if (!periodic) period = (left + 1 > m - left - 1 ? left + 1 : m - left - 1) + 1;
    Py_ssize_t remembered = -1;                            /* p[0..remembered] is known to match, in the periodic case */
    for (Py_ssize_t at = 0; at <= n - m;) {
        Py_ssize_t i = (left > remembered ? left : remembered) + 1;
        while (i < m && p[i] == h[at + i]) i++;
        if (i < m) {
            at += i - left;
            remembered = -1;
            continue;
        }
        i = left;
        while (i > remembered && p[i] == h[at + i]) i--;
        if (i <= remembered) return at;
        at += period;
        remembered = periodic ? m - period - 1 : -1;
    }
    return -1;
}

static Py_ssize_t NAME(find)(const CHAR *h, Py_ssize_t n, const CHAR *p, Py_ssize_t m)
{
    if (m == 1) return NAME(find_char)(h, n, p[0]);
    Py_ssize_t work = 0, last = n - m;
    for (Py_ssize_t i = 0; i <= last; i++) {
        Py_ssize_t skip = NAME(find_char)(h + i, last - i + 1, p[0]);
        if (skip < 0) return -1;
        i += skip;
        if (h[i + m - 1] == p[m - 1]) {
            Py_ssize_t j = 1;
            while (j < m && h[i + j] == p[j]) j++;
            if (j == m) return i;
            work += j;
        }
        work += 2;
        if (work > 4 * i + 256) {
            Py_ssize_t found = NAME(two_way)(h + i, n - i, p, m);
            return found < 0 ? -1 : found + i;
        }
    }
    return -1;
}

static Py_ssize_t NAME(rfind)(const CHAR *h, Py_ssize_t n, const CHAR *p, Py_ssize_t m)
{
    if (m == 1) return NAME(rfind_char)(h, n, p[0]);
    for (Py_ssize_t limit = n - m + 1; limit > 0;) {
        Py_ssize_t i = NAME(rfind_char)(h, limit, p[0]);
        if (i < 0) return -1;
        if (h[i + m - 1] == p[m - 1] && memcmp(h + i, p, (size_t)m * sizeof *p) == 0) return i;
        limit = i;
    }
    return -1;
}
