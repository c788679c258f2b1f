/* blocks.c: the parts of an assistant's message, and the text of the message made of them. */
#include "lib/chat/blocks.h"

/* ---- white space */

/* Bytes of the white space character at the start of s; 0: there is none. */
static size_t space_at(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;

    if (s.n == 0)
        return 0;
    if (p[0] < 0x80)
        return p[0] == ' ' || (p[0] >= 9 && p[0] <= 13) || (p[0] >= 0x1c && p[0] <= 0x1f);
    if (s.n >= 2 && p[0] == 0xc2)
        return p[1] == 0x85 || p[1] == 0xa0 ? 2 : 0;
    if (s.n < 3)
        return 0;
    if ((p[0] == 0xe1 && p[1] == 0x9a && p[2] == 0x80) ||
        (p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80)) /* U+1680, U+3000 */
        return 3;
    if (p[0] == 0xe2 && p[1] == 0x80) /* U+2000 … 200A, 2028, 2029, 202F */
        return p[2] <= 0x8a || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf ? 3 : 0;
    return p[0] == 0xe2 && p[1] == 0x81 && p[2] == 0x9f ? 3 : 0; /* U+205F */
}

struct str unicode_strip_left(struct str s)
{
    size_t n;

    while ((n = space_at(s)))
        s = str_from(s, n);
    return s;
}

struct str unicode_strip_right(struct str s)
{
    while (s.n) {
        size_t n = 1;

        while (n < 3 && n < s.n && ((unsigned char)s.p[s.n - n] & 0xc0) == 0x80)
            n++;
        if (space_at(str_from(s, s.n - n)) != n)
            break;
        s.n -= n;
    }
    return s;
}

struct str unicode_strip(struct str s)
{
    return unicode_strip_right(unicode_strip_left(s));
}

/* ---- JSON as Python prints it */

static uint32_t next_code_point(const unsigned char **p, const unsigned char *end)
{
    uint32_t c = *(*p)++;
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

    c &= more == 3 ? 0x07 : more == 2 ? 0x0f : more == 1 ? 0x1f : 0xff;
    while (more-- && *p < end)
        c = c << 6 | (*(*p)++ & 0x3f);
    return c;
}

static void add_ascii_string(struct buf *b, struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;

    buf_add_char(b, '"');
    while (p < end) {
        uint32_t c = next_code_point(&p, end);

        switch (c) {
        case '"': buf_add_c(b, "\\\""); break;
        case '\\': buf_add_c(b, "\\\\"); break;
        case '\n': buf_add_c(b, "\\n"); break;
        case '\r': buf_add_c(b, "\\r"); break;
        case '\t': buf_add_c(b, "\\t"); break;
        case '\b': buf_add_c(b, "\\b"); break;
        case '\f': buf_add_c(b, "\\f"); break;
        default:
            if (c >= 0x20 && c < 0x7f)
                buf_add_char(b, (char)c);
            else if (c < 0x10000)
                buf_addf(b, "\\u%04x", c);
            else
                buf_addf(b, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
        }
    }
    buf_add_char(b, '"');
}

static void add_string(struct buf *b, struct str s, bool ascii)
{
    if (ascii)
        add_ascii_string(b, s);
    else
        buf_add_json_string(b, s);
}

void buf_add_python_json(struct buf *b, json_object *v, bool ascii)
{
    bool first = true;

    switch (json_object_get_type(v)) {
    case json_type_object: {
        json_object_object_foreach(v, key, item)
        {
            buf_add_c(b, first ? "{" : ", ");
            first = false;
            add_string(b, str_of(key), ascii);
            buf_add_c(b, ": ");
            buf_add_python_json(b, item, ascii);
        }
        buf_add_c(b, first ? "{}" : "}");
        break;
    }
    case json_type_array:
        buf_add_char(b, '[');
        JSON_EACH (v, i, item) {
            if (i)
                buf_add_c(b, ", ");
            buf_add_python_json(b, item, ascii);
        }
        buf_add_char(b, ']');
        break;
    case json_type_string: add_string(b, json_str_value(v), ascii); break;
    default: json_add_to_buf(b, v);
    }
}

/* html.escape(json.dumps(v)) */
static void add_attribute(struct buf *b, json_object *v, bool ascii)
{
    struct buf text = BUF(NULL, b->max);

    buf_add_python_json(&text, v, ascii);
    buf_add_html(b, buf_str(&text));
    b->failed |= buf_failed(&text);
    buf_free(&text);
}

/* ---- blocks */

static void end_line(struct buf *content)
{
    if (content->n && content->p[content->n - 1] != '\n')
        buf_add_char(content, '\n');
}

/* The length of the line break at s (as Python's splitlines() knows them); 0: none. */
static size_t break_at(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;

    if (p[0] == '\r')
        return s.n > 1 && p[1] == '\n' ? 2 : 1;
    if ((p[0] >= 10 && p[0] <= 12) || (p[0] >= 0x1c && p[0] <= 0x1e))
        return 1;
    if (s.n >= 2 && p[0] == 0xc2 && p[1] == 0x85)
        return 2;
    return s.n >= 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9) ? 3 : 0;
}

static void add_quoted(struct buf *content, struct str text)
{
    bool first = true;

    while (text.n) {
        size_t n = 0, brk = 0;

        while (n < text.n && !(brk = break_at(str_from(text, n))))
            n++;
        if (!first)
            buf_add_char(content, '\n');
        if (n == 0 || text.p[0] != '>')
            buf_add_c(content, "> ");
        buf_add(content, text.p, n);
        first = false;
        text = str_from(text, n + brk);
    }
}

static void add_tagged(struct buf *content, const struct block *b)
{
    buf_add_str(content, b->start_tag);
    buf_add_str(content, b->content);
    buf_add_str(content, b->end_tag);
    buf_add_char(content, '\n');
}

static void add_reasoning(struct buf *content, const struct block *b, bool raw)
{
    end_line(content);
    if (raw) {
        add_tagged(content, b);
        return;
    }
    if (b->duration_s >= 0)
        buf_addf(content,
                 "<details type=\"reasoning\" done=\"true\" duration=\"%lld\">\n<summary>Thought for %lld "
                 "seconds</summary>\n",
                 (long long)b->duration_s, (long long)b->duration_s);
    else
        buf_add_c(content, "<details type=\"reasoning\" done=\"false\">\n<summary>Thinking…</summary>\n");
    add_quoted(content, b->content);
    buf_add_c(content, "\n</details>\n");
}

static json_object *result_of(json_object *results, struct str id)
{
    JSON_EACH (results, i, result) {
        if (str_eq(json_str(result, "tool_call_id"), id))
            return result;
    }
    return NULL;
}

static void add_call_head(struct buf *content, json_object *call, bool is_done)
{
    json_object *function = json_get(call, "function");

    buf_addf(content, "<details type=\"tool_calls\" done=\"%s\" id=\"", is_done ? "true" : "false");
    buf_add_str(content, json_str(call, "id"));
    buf_add_c(content, "\" name=\"");
    buf_add_str(content, json_str(function, "name"));
    buf_add_c(content, "\" arguments=\"");
    add_attribute(content, json_get(function, "arguments"), true);
    buf_add_char(content, '"');
}

static void add_tool_calls(struct buf *content, const struct block *b, bool raw)
{
    end_line(content);
    if (raw)
        return;
    JSON_EACH (b->calls, i, call) {
        json_object *result = result_of(b->results, json_str(call, "id"));

        if (json_length(b->results) == 0)
            buf_add_char(content, '\n');
        add_call_head(content, call, result != NULL);
        if (!result) {
            buf_add_c(content, ">\n<summary>Executing...</summary>\n</details>\n");
            continue;
        }
        buf_add_c(content, " result=\"");
        add_attribute(content, json_get(result, "content"), false);
        buf_add_c(content, "\" files=\"");
        if (json_truthy(json_get(result, "files")))
            add_attribute(content, json_get(result, "files"), true);
        buf_add_c(content, "\" embeds=\"");
        if (json_has(result, "embeds"))
            add_attribute(content, json_get(result, "embeds"), true);
        else
            buf_add_c(content, "&quot;&quot;");
        buf_add_c(content, "\">\n<summary>Tool Executed</summary>\n</details>\n");
    }
}

/* A code block that the model opened just before the code would swallow it: its backticks go. */
static void drop_open_fence(struct buf *content)
{
    struct str all = buf_str(content), kept = unicode_strip_right(all), tail = str_from(all, kept.n);
    size_t fences = 0, at;
    struct buf fresh;

    for (struct str rest = kept; (at = str_find(rest, S("```"))) != STR_NPOS; rest = str_from(rest, at + 3))
        fences++;
    if (fences % 2 == 0)
        return;
    while (kept.n && kept.p[kept.n - 1] == '`')
        kept.n--;
    kept = unicode_strip_right(kept);
    fresh = BUF(NULL, content->max);
    buf_add_str(&fresh, tail);
    content->n = kept.n;
    buf_add_str(content, buf_str(&fresh));
    buf_free(&fresh);
}

static void add_code(struct buf *content, const struct block *b, bool raw)
{
    bool has_output = json_truthy(b->output);

    drop_open_fence(content);
    end_line(content);
    if (raw) {
        buf_addf(content, "<code_interpreter type=\"code\" lang=\"%.*s\">\n", STR(b->lang));
        buf_add_str(content, b->content);
        buf_add_c(content, "\n</code_interpreter>\n");
        if (has_output) {
            buf_add_c(content, "```output\n");
            add_attribute(content, b->output, true);
            buf_add_c(content, "\n```\n");
        }
        return;
    }
    if (has_output) {
        buf_add_c(content, "<details type=\"code_interpreter\" done=\"true\" output=\"");
        add_attribute(content, b->output, true);
        buf_add_c(content, "\">\n<summary>Analyzed</summary>\n");
    } else {
        buf_add_c(content, "<details type=\"code_interpreter\" done=\"false\">\n<summary>Analyzing...</summary>\n");
    }
    buf_addf(content, "```%.*s\n", STR(b->lang));
    buf_add_str(content, b->content);
    buf_add_c(content, "\n```\n</details>\n");
}

void block_add(struct buf *content, const struct block *b, bool raw)
{
    struct str text;

    if (str_is(b->type, "reasoning")) {
        add_reasoning(content, b, raw);
    } else if (str_is(b->type, "tool_calls")) {
        add_tool_calls(content, b, raw);
    } else if (str_is(b->type, "code_interpreter")) {
        add_code(content, b, raw);
    } else {
        text = unicode_strip(b->content);
        if (text.n == 0)
            return;
        if (!str_is(b->type, "text"))
            buf_addf(content, "%.*s: ", STR(b->type));
        buf_add_str(content, text);
        buf_add_char(content, '\n');
    }
}

struct str blocks_text(struct arena *mem, json_object *blocks, bool raw)
{
    struct buf content = BUF(mem, STR_NPOS / 2);

    JSON_EACH (blocks, i, o) {
        struct block b = { .type = json_str(o, "type"),
                           .content = json_str(o, "content"),
                           .start_tag = json_str(o, "start_tag"),
                           .end_tag = json_str(o, "end_tag"),
                           .lang = json_str(json_get(o, "attributes"), "lang"),
                           .duration_s = json_int(o, "duration", -1),
                           .calls = json_get(o, "content"),
                           .results = json_get(o, "results"),
                           .output = json_get(o, "output") };

        block_add(&content, &b, raw);
    }
    return unicode_strip(buf_str(&content));
}
