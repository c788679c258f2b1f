/* py_dumps.c: JSON text as Python's json.dumps() writes it. */
#include "lib/tools/py_expr.h"

enum { DEPTH_MAX = 100, BYTES_MAX = 2 << 20 };

static void add_string(struct buf *b, struct str s)
{
    static const char from[] = "\"\\\n\r\t\f\b", to[] = "\"\\nrtfb";

    buf_add_char(b, '"');
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        const char *known = c ? strchr(from, (char)c) : NULL;
        size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        uint32_t point = n == 1 ? c : c & (0x7fu >> n);

        for (size_t k = 1; k < n && i + k < s.n; k++)
            point = point << 6 | ((unsigned char)s.p[i + k] & 0x3f);
        if (known)
            buf_addf(b, "\\%c", to[known - from]);
        else if (point >= 0x10000)
            buf_addf(b, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
        else if (point < 0x20 || point >= 0x7f)
            buf_addf(b, point == 0x7f ? "\x7f" : "\\u%04x", point);
        else
            buf_add_char(b, (char)c);
        i += n;
    }
    buf_add_char(b, '"');
}

static void new_line(struct buf *b, int indent, int depth)
{
    if (indent >= 0)
        buf_addf(b, "\n%*s", indent * depth, "");
}

static void add(struct buf *b, json_object *v, int indent, int depth);

static void separate(struct buf *b, bool *first, int indent, int depth)
{
    if (!*first)
        buf_add_c(b, indent >= 0 ? "," : ", ");
    *first = false;
    new_line(b, indent, depth);
}

static void add_members(struct buf *b, json_object *v, int indent, int depth)
{
    bool first = true;

    JSON_EACH (v, i, one) {
        separate(b, &first, indent, depth);
        add(b, one, indent, depth);
    }
    if (!json_is(v, json_type_object))
        return;
    json_object_object_foreach(v, key, member)
    {
        separate(b, &first, indent, depth);
        add_string(b, str_of(key));
        buf_add_c(b, ": ");
        add(b, member, indent, depth);
    }
}

static void add(struct buf *b, json_object *v, int indent, int depth)
{
    bool is_list = json_is(v, json_type_array), is_empty = is_list ? json_length(v) == 0 : true;

    if (json_is(v, json_type_object))
        is_empty = json_object_object_length(v) == 0;
    if (depth > DEPTH_MAX)
        b->failed = true;
    else if (json_is(v, json_type_string))
        add_string(b, json_str_value(v));
    else if (!is_list && !json_is(v, json_type_object))
        json_add_to_buf(b, v);
    else if (is_empty)
        buf_add_c(b, is_list ? "[]" : "{}");
    else {
        buf_add_char(b, is_list ? '[' : '{');
        add_members(b, v, indent, depth + 1);
        new_line(b, indent, depth);
        buf_add_char(b, is_list ? ']' : '}');
    }
}

bool py_dumps(struct arena *mem, json_object *v, int indent, struct str *out)
{
    struct buf b = BUF(mem, BYTES_MAX);

    add(&b, v, indent > 100 ? 100 : indent, 0);
    *out = buf_str(&b);
    return !buf_failed(&b);
}
