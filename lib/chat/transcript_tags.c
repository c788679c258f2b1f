/* transcript_tags.c: reasoning, solutions and code between tags, which may be split over chunks. */
#include <stdlib.h>

#include "lib/chat/transcript_internal.h"

enum { MAX_TAG_BYTES = 4096 };

static struct tag usual_tags[] = {
    { REASONING, "<think>", "</think>" },
    { REASONING, "<thinking>", "</thinking>" },
    { REASONING, "<reason>", "</reason>" },
    { REASONING, "<reasoning>", "</reasoning>" },
    { REASONING, "<thought>", "</thought>" },
    { REASONING, "<Thought>", "</Thought>" },
    { REASONING, "<|begin_of_thought|>", "<|end_of_thought|>" },
    { REASONING, "◁think▷", "◁/think▷" },
    { SOLUTION, "<|begin_of_solution|>", "<|end_of_solution|>" },
    { CODE, "<code_interpreter>", "</code_interpreter>" },
};
const struct tag transcript_think = { REASONING, "<think>", "</think>", 7, 8, true };

static void prepare_tags(struct transcript *t)
{
    memset(t->first_bytes, 0, sizeof(t->first_bytes));
    for (size_t i = 0; i < t->tags_n; i++) {
        struct tag *tag = &t->tags[i];

        tag->open_n = strlen(tag->open);
        tag->close_n = strlen(tag->close);
        tag->bracketed = tag->open_n > 2 && tag->open[0] == '<' && tag->open[tag->open_n - 1] == '>';
        t->first_bytes[(unsigned char)tag->open[0]] = true;
    }
}

enum match { NO, MAYBE, YES };

/* Is there an opening tag at the start of s? *n: its length; *attributes: what stands behind its name. */
static enum match match_open(const struct tag *tag, struct str s, size_t *n, struct str *attributes)
{
    size_t name_n = tag->open_n - tag->bracketed, shorter = s.n < name_n ? s.n : name_n, i;

    *attributes = STR_NONE;
    if (memcmp(s.p, tag->open, shorter) != 0)
        return NO;
    if (s.n <= name_n && (s.n < name_n || tag->bracketed))
        return MAYBE;
    *n = tag->open_n;
    if (!tag->bracketed || s.p[name_n] == '>')
        return YES;
    if (!strchr(" \t\n\r\f\v", s.p[name_n]) || s.p[name_n] == '\0')
        return NO;
    for (i = name_n + 1; i < s.n && i < MAX_TAG_BYTES && s.p[i] != '>'; i++) {
        if (s.p[i] == '\n')
            return NO;
    }
    if (i >= MAX_TAG_BYTES)
        return NO;
    if (i >= s.n)
        return MAYBE;
    *n = i + 1;
    *attributes = str_sub(s, name_n, i - name_n);
    return YES;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* name="value" pairs; others are passed over. */
static json_object *read_attributes(struct str s)
{
    json_object *o = json_object_new_object();
    size_t i = 0;

    while (i < s.n) {
        struct str key, value;
        size_t start = i, end;

        while (i < s.n && is_word(s.p[i]))
            i++;
        key = str_sub(s, start, i - start);
        if (key.n == 0) {
            i++;
            continue;
        }
        while (i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i])
            i++;
        if (i >= s.n || s.p[i] != '=')
            continue;
        i++;
        while (i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i])
            i++;
        if (i >= s.n || s.p[i] != '"')
            continue;
        end = str_find_c(str_from(s, i + 1), '"');
        if (end == STR_NPOS)
            break;
        value = str_sub(s, i + 1, end);
        i += end + 2;
        if (value.n) {
            char *name = strndup(key.p, key.n);

            if (name)
                json_object_object_add(o, name, json_object_new_string_len(value.p, (int)value.n));
            free(name);
        }
    }
    return o;
}

static void open_tag(struct transcript *t, const struct tag *tag, size_t at, size_t n, struct str attributes,
                     int64_t now_ms)
{
    struct part *p = transcript_last(t), before = *p, *fresh;
    struct buf rest = BUF(NULL, TRANSCRIPT_MAX_BYTES);
    json_object *read = read_attributes(attributes);

    buf_add_str(&rest, str_from(buf_str(&before.content), at + n));
    p->content.n = at;
    p->content.p[at] = '\0';
    if (at == 0)
        transcript_pop(t);
    fresh = transcript_push(t, tag->kind, tag, now_ms);
    fresh->attributes = read;
    t->bytes -= rest.n; /* append counts it again */
    transcript_append(t, buf_str(&rest));
    buf_free(&rest);
    t->must_show_all = t->changed = true;
}

/* true: something was found and the parts have changed: look again. */
static bool scan_open(struct transcript *t, int64_t now_ms)
{
    struct str all = buf_str(&transcript_last(t)->content);

    t->maybe_tag = false;
    for (size_t at = t->scan_from; at < all.n; at++) {
        bool maybe = false;

        if (!t->first_bytes[(unsigned char)all.p[at]])
            continue;
        for (size_t i = 0; i < t->tags_n; i++) {
            struct str attributes;
            size_t n = 0;
            enum match m = match_open(&t->tags[i], str_from(all, at), &n, &attributes);

            if (m == YES) {
                open_tag(t, &t->tags[i], at, n, attributes, now_ms);
                return true;
            }
            maybe |= m == MAYBE;
        }
        if (maybe) {
            t->scan_from = at;
            t->maybe_tag = true;
            return false;
        }
    }
    t->scan_from = all.n;
    return false;
}

static bool scan_close(struct transcript *t, int64_t now_ms)
{
    struct part *p = transcript_last(t);
    const struct tag *tag = p->tag;
    struct str all = buf_str(&p->content), inner;
    size_t at = str_find(str_from(all, t->scan_from), str_n(tag->close, tag->close_n));
    struct buf rest = BUF(NULL, TRANSCRIPT_MAX_BYTES);
    bool is_code = p->kind == CODE;

    if (at == STR_NPOS) {
        t->scan_from = all.n >= tag->close_n ? all.n - (tag->close_n - 1) : 0;
        return false;
    }
    at += t->scan_from;
    buf_add_str(&rest, unicode_strip_left(str_from(all, at + tag->close_n)));
    inner = unicode_strip(str_sub(all, 0, at));
    t->bytes -= all.n - inner.n;
    memmove(p->content.p, inner.p, inner.n);
    p->content.n = inner.n;
    p->content.p[inner.n] = '\0';
    transcript_close(p, now_ms);
    t->must_show_all = t->changed = true;
    t->is_ended |= is_code;
    if (is_code && inner.n) { /* what the model says after its code is of no use before it has seen the output */
        buf_free(&rest);
        return false;
    }
    if (inner.n == 0)
        transcript_pop(t);
    transcript_push(t, TEXT, NULL, now_ms);
    transcript_append(t, buf_str(&rest));
    buf_free(&rest);
    t->must_show_all = true;
    return true;
}

void transcript_scan(struct transcript *t, int64_t now_ms)
{
    bool again = true;

    while (again && !t->too_big && !t->is_ended) {
        struct part *p = transcript_last(t);

        if (p->kind == TEXT)
            again = t->tags_n && scan_open(t, now_ms);
        else
            again = p->tag && !p->by_field && p->ended_ms < 0 && scan_close(t, now_ms);
    }
}

/* ---- which tags */

static void own_tags(struct transcript *t, json_object *pairs, bool code)
{
    size_t n = 0;

    t->tags = calloc(json_length(pairs) + 2, sizeof(*t->tags));
    if (!t->tags)
        abort();
    JSON_EACH (pairs, i, pair) {
        struct str open = json_str_value(json_at(pair, 0)), close = json_str_value(json_at(pair, 1));

        if (open.n && close.n && open.n < MAX_TAG_BYTES / 2 && close.n < MAX_TAG_BYTES / 2)
            t->tags[n++] = (struct tag){ REASONING, strndup(open.p, open.n), strndup(close.p, close.n) };
    }
    if (pairs)
        t->tags[n++] = (struct tag){ SOLUTION, strdup("<|begin_of_solution|>"), strdup("<|end_of_solution|>") };
    if (code)
        t->tags[n++] = (struct tag){ CODE, strdup("<code_interpreter>"), strdup("</code_interpreter>") };
    t->tags_n = n;
    t->own_tags = true;
}

void transcript_set_tags(struct transcript *t, json_object *options)
{
    json_object *tags = json_get(options, "reasoning_tags");
    bool code = json_flag(options, "code_interpreter", false);

    if (json_is(tags, json_type_array)) {
        own_tags(t, tags, code);
    } else if (tags && json_is(tags, json_type_boolean) && !json_truthy(tags)) {
        own_tags(t, NULL, code);
    } else {
        t->tags = usual_tags;
        t->tags_n = sizeof(usual_tags) / sizeof(usual_tags[0]) - !code;
    }
    prepare_tags(t);
}

void transcript_free_tags(struct transcript *t)
{
    for (size_t i = 0; t->own_tags && i < t->tags_n; i++) {
        free(t->tags[i].open);
        free(t->tags[i].close);
    }
    if (t->own_tags)
        free(t->tags);
}
