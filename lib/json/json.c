/* json.c: reading, building and printing of JSON with json-c. */
#include "lib/json/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void put(void *o)
{
    json_object_put(o);
}

/* ---- parsing */

/* json-c is generous even when told to be strict ('single quotes', comments, NaN, control characters, 01), and it clamps whole numbers beyond
 * 64 bits. The readers below let through only what RFC 8259 has as tokens; json-c then checks their order. */
static size_t digits(struct str s, size_t i)
{
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    return i;
}

/* Does a whole number of these digits fit 64 bits? */
static bool fits(struct str number, bool negative)
{
    struct str limit = negative ? S("9223372036854775808") : S("9223372036854775807");

    return number.n < limit.n || (number.n == limit.n && str_cmp(number, limit) <= 0);
}

/* A number at i (section 6): the place behind it, or STR_NPOS. *is_wide: a whole number that does not fit 64 bits. */
static size_t number_end(struct str s, size_t i, bool *is_wide)
{
    size_t start = i += s.p[i] == '-', end = digits(s, i);

    if (end == start || (s.p[start] == '0' && end - start > 1))
        return STR_NPOS;
    *is_wide = !fits(str_sub(s, start, end - start), start > 0 && s.p[start - 1] == '-');
    if (end < s.n && s.p[end] == '.') {
        i = end + 1;
        end = digits(s, i);
        *is_wide = false;
        if (end == i)
            return STR_NPOS;
    }
    if (end < s.n && (s.p[end] == 'e' || s.p[end] == 'E')) {
        i = end + 1;
        i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
        end = digits(s, i);
        *is_wide = false;
        if (end == i)
            return STR_NPOS;
    }
    return end;
}

/* A string at i (section 7): the place behind it, or STR_NPOS. */
static size_t string_end(struct str s, size_t i)
{
    for (i++; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '"')
            return i + 1;
        if (c < 0x20)
            return STR_NPOS;
        if (c == '\\' && (++i >= s.n || s.p[i] == '\0' || !strchr("\"\\/bfnrtu", s.p[i])))
            return STR_NPOS;
    }
    return STR_NPOS;
}

/* false: a token that JSON does not have, at *at. *wide: the text with whole numbers beyond 64 bits made doubles, or text itself. */
static bool check_tokens(struct arena *mem, struct str text, struct str *wide, size_t *at)
{
    struct buf out = BUF(mem, STR_NPOS);
    size_t copied = 0, i = 0, end;
    bool is_wide;

    for (; i < text.n; i = end) {
        struct str rest = str_from(text, i);

        is_wide = false;
        *at = i;
        switch (text.p[i]) {
        case '{':
        case '}':
        case '[':
        case ']':
        case ':':
        case ',':
        case ' ':
        case '\t':
        case '\n':
        case '\r': end = i + 1; break;
        case '"': end = string_end(text, i); break;
        case 't':
        case 'n': end = str_starts(rest, "true") || str_starts(rest, "null") ? i + 4 : STR_NPOS; break;
        case 'f': end = str_starts(rest, "false") ? i + 5 : STR_NPOS; break;
        default: end = number_end(text, i, &is_wide);
        }
        if (end == STR_NPOS)
            return false;
        if (is_wide) {
            buf_add(&out, text.p + copied, end - copied);
            buf_add_c(&out, "e0");
            copied = end;
        }
    }
    if (copied)
        buf_add(&out, text.p + copied, text.n - copied);
    *wide = copied ? buf_str(&out) : text;
    return true;
}

enum status json_parse(struct arena *mem, struct str text, json_object **out, struct error *err)
{
    struct json_tokener *tok;
    enum json_tokener_error e;
    json_object *o;
    size_t at = 0;

    if (text.n > INT32_MAX / 2)
        return error_set(err, TOO_BIG, "JSON of %zu bytes", text.n);
    if (!str_utf8_valid(text))
        return error_set(err, INVALID, "JSON is not valid UTF-8");
    if (!check_tokens(mem, text, &text, &at))
        return error_set(err, INVALID, "unexpected character at byte %zu", at);
    tok = json_tokener_new_ex(JSON_MAX_DEPTH);
    if (!tok)
        return error_set(err, FAILED, "out of memory");
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    o = json_tokener_parse_ex(tok, text.p ? text.p : "", (int)text.n);
    e = json_tokener_get_error(tok);
    at = json_tokener_get_parse_end(tok);
    if (e == json_tokener_continue) { /* a number at the very end is whole only now */
        o = json_tokener_parse_ex(tok, "", 1);
        e = json_tokener_get_error(tok);
        at = text.n;
    }
    json_tokener_free(tok);
    if (e != json_tokener_success) {
        if (o)
            json_object_put(o);
        return error_set(err, INVALID, "%s at byte %zu", json_tokener_error_desc(e), at);
    }
    if (str_trim(str_from(text, at)).n != 0) {
        json_object_put(o);
        return error_set(err, INVALID, "text behind the end at byte %zu", at);
    }
    if (o)
        arena_at_end(mem, put, o);
    *out = o;
    return OK;
}

json_object *json_parse_or_null(struct arena *mem, struct str text)
{
    json_object *o = NULL;

    if (text.n == 0 || json_parse(mem, text, &o, NULL) != OK)
        return NULL;
    return o;
}

/* ---- printing */

enum { PRINT = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE };

struct str json_text(struct arena *mem, json_object *o)
{
    size_t n;
    const char *text = json_object_to_json_string_length(o, PRINT, &n);

    return str_copy(mem, str_n(text, n));
}

void json_add_to_buf(struct buf *b, json_object *o)
{
    size_t n;
    const char *text = json_object_to_json_string_length(o, PRINT, &n);

    buf_add(b, text, n);
}

/* ---- making */

static json_object *tie(struct arena *mem, json_object *o)
{
    arena_at_end(mem, put, o);
    return o;
}

json_object *json_new_object(struct arena *mem)
{
    return tie(mem, json_object_new_object());
}

json_object *json_new_array(struct arena *mem)
{
    return tie(mem, json_object_new_array());
}

static json_object *make_str(struct str s)
{
    return s.p ? json_object_new_string_len(s.p, (int)s.n) : NULL;
}

json_object *json_new_str(struct arena *mem, struct str s)
{
    return s.p ? tie(mem, make_str(s)) : NULL;
}

json_object *json_new_int(struct arena *mem, int64_t v)
{
    return tie(mem, json_object_new_int64(v));
}

json_object *json_new_bool(struct arena *mem, bool v)
{
    return tie(mem, json_object_new_boolean(v));
}

/* The shortest decimal that reads back as v, written as Python's repr writes it. */
static json_object *make_double(double v)
{
    char text[40], *e;
    int digits = 1, exponent = 0;

    if (!isfinite(v))
        return NULL;
    do
        snprintf(text, sizeof(text), "%.*e", digits - 1, v);
    while (strtod(text, NULL) != v && ++digits <= 17);
    e = strchr(text, 'e');
    exponent = e ? (int)strtol(e + 1, NULL, 10) : 0;
    if (exponent >= -4 && exponent < 16)
        snprintf(text, sizeof(text), "%.*f", digits - 1 - exponent > 1 ? digits - 1 - exponent : 1, v);
    return json_object_new_double_s(v, text);
}

json_object *json_new_double(struct arena *mem, double v)
{
    json_object *o = make_double(v);

    return o ? tie(mem, o) : NULL;
}

#define RAW_MAGIC 0x77656275

struct raw {
    unsigned magic;
    struct str text;
};

static int print_raw(struct json_object *o, struct printbuf *pb, int level, int flags)
{
    struct raw *raw = json_object_get_userdata(o);

    (void)level;
    (void)flags;
    return printbuf_memappend(pb, raw->text.p, (int)raw->text.n);
}

static void free_raw(struct json_object *o, void *raw)
{
    (void)o;
    free(raw);
}

static json_object *make_raw(struct str text)
{
    struct raw *raw;
    json_object *o;

    if (text.n == 0)
        return NULL;
    raw = malloc(sizeof(*raw));
    o = json_object_new_string_len("", 0);
    if (!raw || !o)
        abort();
    *raw = (struct raw){ RAW_MAGIC, text };
    json_object_set_serializer(o, print_raw, raw, free_raw);
    return o;
}

json_object *json_new_raw(struct arena *mem, struct str text)
{
    json_object *o = make_raw(text);

    return o ? tie(mem, o) : NULL;
}

static int copy_one(json_object *src, json_object *parent, const char *key, size_t index, json_object **dst)
{
    struct raw *raw = json_object_is_type(src, json_type_string) ? json_object_get_userdata(src) : NULL;

    if (raw && raw->magic == RAW_MAGIC) {
        *dst = make_raw(raw->text);
        return 2; /* json-c must not copy the serializer itself */
    }
    return json_c_shallow_copy_default(src, parent, key, index, dst);
}

json_object *json_clone(struct arena *mem, json_object *o)
{
    json_object *copy = NULL;

    if (!o || json_object_deep_copy(o, &copy, copy_one) != 0)
        return NULL;
    return tie(mem, copy);
}

/* ---- members */

void json_set(json_object *o, const char *key, json_object *v)
{
    json_object_object_add(o, key, json_object_get(v));
}

void json_set_str(json_object *o, const char *key, struct str s)
{
    json_object_object_add(o, key, make_str(s));
}

void json_set_c(json_object *o, const char *key, const char *text)
{
    json_object_object_add(o, key, text ? json_object_new_string(text) : NULL);
}

void json_set_int(json_object *o, const char *key, int64_t v)
{
    json_object_object_add(o, key, json_object_new_int64(v));
}

void json_set_bool(json_object *o, const char *key, bool v)
{
    json_object_object_add(o, key, json_object_new_boolean(v));
}

void json_set_double(json_object *o, const char *key, double v)
{
    json_object_object_add(o, key, make_double(v));
}

void json_set_null(json_object *o, const char *key)
{
    json_object_object_add(o, key, NULL);
}

void json_set_raw(json_object *o, const char *key, struct str text)
{
    json_object_object_add(o, key, make_raw(text));
}

json_object *json_set_object(json_object *o, const char *key)
{
    json_object *v = json_object_new_object();

    json_object_object_add(o, key, v);
    return v;
}

json_object *json_set_array(json_object *o, const char *key)
{
    json_object *v = json_object_new_array();

    json_object_object_add(o, key, v);
    return v;
}

void json_del(json_object *o, const char *key)
{
    if (json_object_is_type(o, json_type_object))
        json_object_object_del(o, key);
}

void json_merge(json_object *into, json_object *from)
{
    if (!json_object_is_type(from, json_type_object))
        return;
    json_object_object_foreach(from, key, value) json_object_object_add(into, key, json_object_get(value));
}

void json_push(json_object *array, json_object *v)
{
    json_object_array_add(array, json_object_get(v));
}

void json_push_str(json_object *array, struct str s)
{
    json_object_array_add(array, make_str(s));
}

void json_push_front(json_object *array, json_object *v)
{
    size_t n = json_object_array_length(array);

    json_object_array_add(array, NULL);
    for (size_t i = n; i > 0; i--)
        json_object_array_put_idx(array, i, json_object_get(json_object_array_get_idx(array, i - 1)));
    json_object_array_put_idx(array, 0, json_object_get(v));
}

/* ---- reading */

json_object *json_get(json_object *o, const char *key)
{
    json_object *v = NULL;

    if (json_object_is_type(o, json_type_object))
        json_object_object_get_ex(o, key, &v);
    return v;
}

json_object *json_path(json_object *o, const char *dotted)
{
    char key[128];

    while (o && *dotted) {
        size_t n = strcspn(dotted, ".");

        if (n >= sizeof(key))
            return NULL;
        memcpy(key, dotted, n);
        key[n] = '\0';
        o = json_get(o, key);
        dotted += n + (dotted[n] == '.');
    }
    return o;
}

json_object *json_at(json_object *array, size_t i)
{
    return json_object_is_type(array, json_type_array) ? json_object_array_get_idx(array, i) : NULL;
}

size_t json_length(json_object *array)
{
    return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

bool json_has(json_object *o, const char *key)
{
    return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, NULL);
}

struct str json_str_value(json_object *string)
{
    if (!json_object_is_type(string, json_type_string))
        return STR_NONE;
    return str_n(json_object_get_string(string), (size_t)json_object_get_string_len(string));
}

struct str json_str(json_object *o, const char *key)
{
    return json_str_value(json_get(o, key));
}

int64_t json_int(json_object *o, const char *key, int64_t otherwise)
{
    json_object *v = json_get(o, key);

    if (json_object_is_type(v, json_type_double)) {
        double d = json_object_get_double(v);

        return d >= -9.2e18 && d <= 9.2e18 ? (int64_t)d : otherwise;
    }
    return json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : otherwise;
}

double json_double(json_object *o, const char *key, double otherwise)
{
    json_object *v = json_get(o, key);

    return json_object_is_type(v, json_type_double) || json_object_is_type(v, json_type_int) ? json_object_get_double(v)
                                                                                             : otherwise;
}

bool json_flag(json_object *o, const char *key, bool otherwise)
{
    json_object *v = json_get(o, key);

    return json_object_is_type(v, json_type_boolean) ? json_object_get_boolean(v) : otherwise;
}

bool json_is(json_object *o, json_type type)
{
    return json_object_is_type(o, type);
}

bool json_truthy(json_object *v)
{
    switch (json_object_get_type(v)) {
    case json_type_null: return false;
    case json_type_boolean: return json_object_get_boolean(v);
    case json_type_int: return json_object_get_int64(v) != 0;
    case json_type_double: return json_object_get_double(v) != 0;
    case json_type_string: return json_object_get_string_len(v) != 0;
    case json_type_array: return json_object_array_length(v) != 0;
    case json_type_object: return json_object_object_length(v) != 0;
    }
    return false;
}

bool json_same(json_object *a, json_object *b)
{
    return json_object_equal(a, b);
}
