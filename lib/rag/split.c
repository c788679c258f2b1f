/* split.c: LangChain's RecursiveCharacterTextSplitter (0.3.11) with its separators and kept separators, and what hangs on it. */
#include "lib/rag/split.h"

#include "lib/rag/pytext.h"
#include "lib/rag/split_markdown.h"

struct piece {
    struct str text;
    size_t points; /* its length in code points */
};

struct pieces {
    struct piece *v;
    size_t n, room;
};

struct splitting {
    struct arena *mem;
    struct arena *scratch; /* what is needed while one text is cut */
    size_t size, overlap;
    struct pieces out;
};

static const char *const separators[] = { "\n\n", "\n", " " };
enum { LEVELS = 3 };

static void push(struct arena *mem, struct pieces *to, struct str text, size_t points)
{
    if (to->n == to->room) {
        size_t more = to->room ? to->room * 2 : 32;

        to->v = arena_grow(mem, to->v, to->room * sizeof(*to->v), more * sizeof(*to->v));
        to->room = more;
    }
    to->v[to->n++] = (struct piece){ text, points };
}

struct cursor { /* a place in a text, as bytes and as code points */
    size_t byte, point;
};

static void move_to(struct str text, struct cursor *at, size_t point)
{
    while (at->point < point && at->byte < text.n) {
        at->byte++;
        while (at->byte < text.n && ((unsigned char)text.p[at->byte] & 0xC0) == 0x80)
            at->byte++;
        at->point++;
    }
    while (at->point > point && at->byte > 0) {
        at->byte--;
        while (at->byte > 0 && ((unsigned char)text.p[at->byte] & 0xC0) == 0x80)
            at->byte--;
        at->point--;
    }
}

/* Text at each separator, which stays in front of what follows it; without empty pieces. */
static struct pieces cut(struct arena *mem, struct str text, struct str separator)
{
    struct pieces all = { 0 };
    size_t start = 0, at = 0;

    while (at < text.n) {
        size_t next = str_find(str_from(text, at), separator);
        size_t end = next == STR_NPOS ? text.n : at + next;

        if (end > start)
            push(mem, &all, str_sub(text, start, end - start), str_utf8_length(str_sub(text, start, end - start)));
        if (next == STR_NPOS)
            return all;
        start = end;
        at = end + separator.n;
    }
    if (start < text.n) /* the text ends in a separator */
        push(mem, &all, str_from(text, start), str_utf8_length(str_from(text, start)));
    return all;
}

/* The pieces from first to last (not included) are neighbours in the text. */
static void push_joined(struct splitting *s, const struct piece *v, size_t first, size_t last)
{
    struct str text;

    if (first == last)
        return;
    text = py_strip(str_n(v[first].text.p, (size_t)(v[last - 1].text.p + v[last - 1].text.n - v[first].text.p)));
    if (text.n)
        push(s->mem, &s->out, text, str_utf8_length(text));
}

/* Neighbouring pieces put together up to the size; the next begins with as many of the last as fit the overlap. */
static void merge(struct splitting *s, const struct piece *v, size_t n)
{
    size_t first = 0, total = 0;

    for (size_t i = 0; i < n; i++) {
        size_t points = v[i].points;

        if (total + points > s->size) {
            push_joined(s, v, first, i);
            while (total > s->overlap || (total + points > s->size && total > 0))
                total -= v[first++].points;
        }
        total += points;
    }
    push_joined(s, v, first, n);
}

/* A text without any separator: pieces of the size, each beginning with the end of the last. */
static void split_anywhere(struct splitting *s, struct str text)
{
    size_t back = s->overlap < s->size ? s->overlap : s->size - 1;
    struct cursor start = { 0, 0 }, end = { 0, 0 };

    for (;;) {
        struct str piece;

        move_to(text, &end, start.point + s->size);
        piece = str_sub(text, start.byte, end.byte - start.byte);
        if (s->size > 1)
            piece = py_strip(piece);
        if (piece.n)
            push(s->mem, &s->out, piece, str_utf8_length(piece));
        if (end.byte == text.n)
            return;
        start = end;
        move_to(text, &start, end.point - back);
    }
}

static void split_text(struct splitting *s, struct str text, size_t level)
{
    struct arena_mark mark = arena_mark(s->scratch);
    struct pieces all;
    size_t good = 0;

    while (level < LEVELS && str_find(text, str_of(separators[level])) == STR_NPOS)
        level++;
    if (level == LEVELS) {
        split_anywhere(s, text);
        return;
    }
    all = cut(s->scratch, text, str_of(separators[level]));
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].points < s->size)
            continue;
        merge(s, all.v + good, i - good);
        good = i + 1;
        split_text(s, all.v[i].text, level + 1);
    }
    merge(s, all.v + good, all.n - good);
    arena_rewind(s->scratch, mark);
}

/* ---- where a piece starts */

/* Python's text.find(piece, from), in code points; -1: not there. The cursor is left at the place. */
static int64_t find_from(struct str text, struct str piece, int64_t from, struct cursor *at)
{
    size_t found;

    move_to(text, at, from > 0 ? (size_t)from : 0);
    if (from > (int64_t)at->point) /* beyond the end */
        return -1;
    found = str_find(str_from(text, at->byte), piece);
    if (found == STR_NPOS)
        return -1;
    at->point += str_utf8_length(str_sub(text, at->byte, found));
    at->byte += found;
    return (int64_t)at->point;
}

/* ---- documents */

struct documents {
    struct rag_document *v;
    size_t n, room;
};

static void push_document(struct arena *mem, struct documents *to, struct str text, json_object *metadata)
{
    if (to->n == to->room) {
        size_t more = to->room ? to->room * 2 : 32;

        to->v = arena_grow(mem, to->v, to->room * sizeof(*to->v), more * sizeof(*to->v));
        to->room = more;
    }
    to->v[to->n++] = (struct rag_document){ text, metadata };
}

static json_object *copy_of(struct arena *mem, json_object *metadata)
{
    json_object *o = json_new_object(mem);

    if (metadata)
        json_merge(o, metadata);
    return o;
}

static void split_characters(struct splitting *s, const struct rag_document *doc, struct documents *out)
{
    struct cursor at = { 0, 0 };
    int64_t index = 0, previous = 0;

    s->out.n = 0;
    split_text(s, doc->text, 0);
    for (size_t i = 0; i < s->out.n; i++) {
        json_object *metadata = copy_of(s->mem, doc->metadata);

        index = find_from(doc->text, s->out.v[i].text, index + previous - (int64_t)s->overlap, &at);
        previous = (int64_t)s->out.v[i].points;
        json_set_int(metadata, "start_index", index);
        push_document(s->mem, out, s->out.v[i].text, metadata);
    }
}

static void split_markdown(struct splitting *s, const struct rag_document *doc, struct documents *out)
{
    struct markdown_section *sections;
    size_t n = markdown_sections(s->mem, doc->text, &sections);

    for (size_t i = 0; i < n; i++) {
        s->out.n = 0;
        split_text(s, sections[i].text, 0);
        for (size_t k = 0; k < s->out.n; k++) {
            json_object *metadata = copy_of(s->mem, doc->metadata), *headings = json_set_array(metadata, "headings");

            for (size_t level = 0; level < MARKDOWN_LEVELS; level++)
                if (sections[i].headings[level].p)
                    json_push_str(headings, sections[i].headings[level]);
            push_document(s->mem, out, s->out.v[k].text, metadata);
        }
    }
}

static enum status check_sizes(int64_t size, int64_t overlap, struct error *err)
{
    if (size <= 0)
        return error_set(err, INVALID, "chunk_size must be > 0, got %lld", (long long)size);
    if (overlap < 0)
        return error_set(err, INVALID, "chunk_overlap must be >= 0, got %lld", (long long)overlap);
    if (overlap > size)
        return error_set(err, INVALID, "Got a larger chunk overlap (%lld) than chunk size (%lld), should be smaller.",
                         (long long)overlap, (long long)size);
    return OK;
}

enum status split_documents(struct arena *mem, enum splitter how, int64_t size, int64_t overlap,
                            struct rag_documents docs, struct rag_documents *out, struct error *err)
{
    struct splitting s = { .mem = mem, .size = (size_t)size, .overlap = (size_t)overlap };
    struct documents all = { 0 };

    if (check_sizes(size, overlap, err) != OK)
        return INVALID;
    s.scratch = arena_new(64 * 1024);
    for (size_t i = 0; i < docs.n; i++) {
        if (how == SPLIT_MARKDOWN)
            split_markdown(&s, &docs.v[i], &all);
        else
            split_characters(&s, &docs.v[i], &all);
    }
    arena_free(s.scratch);
    *out = (struct rag_documents){ all.v, all.n };
    return OK;
}

/* ---- by tokens */

/* Python's bytes.decode("utf-8", "replace") of a part of valid UTF-8: what is cut off at its ends is replaced. */
static struct str decoded(struct arena *mem, struct str s)
{
    struct buf b = BUF(mem, STR_NPOS);
    size_t tail = s.n, bytes;

    if (str_utf8_valid(s))
        return s;
    for (; s.n && ((unsigned char)s.p[0] & 0xC0) == 0x80; s = str_from(s, 1))
        buf_add_c(&b, "\xEF\xBF\xBD");
    tail = s.n;
    while (tail > 0 && ((unsigned char)s.p[tail - 1] & 0xC0) == 0x80)
        tail--;
    if (tail > 0) { /* the first byte of the last character */
        tail--;
        utf8_at(str_from(s, tail), &bytes);
        if (tail + bytes == s.n && str_utf8_valid(str_from(s, tail)))
            tail = s.n;
    }
    buf_add(&b, s.p, tail);
    if (tail < s.n)
        buf_add_c(&b, "\xEF\xBF\xBD");
    return buf_str(&b);
}

static void split_tokens(struct arena *mem, const struct token_table *table, size_t size, size_t overlap,
                         const struct rag_document *doc, struct documents *out)
{
    size_t *ends, n = tokens_of(table, mem, doc->text, &ends), step = size > overlap ? size - overlap : 1;
    struct cursor at = { 0, 0 };
    int64_t index = 0, previous = 0;

    for (size_t start = 0; start < n; start += step) {
        size_t last = start + size < n ? start + size : n, from = start ? ends[start - 1] : 0;
        struct str piece = decoded(mem, str_sub(doc->text, from, ends[last - 1] - from));
        json_object *metadata = copy_of(mem, doc->metadata);

        index = find_from(doc->text, piece, index + previous - (int64_t)overlap, &at);
        previous = (int64_t)str_utf8_length(piece);
        json_set_int(metadata, "start_index", index);
        push_document(mem, out, piece, metadata);
        if (last == n)
            return;
    }
}

enum status split_documents_by_tokens(struct arena *mem, const struct token_table *table, int64_t size, int64_t overlap,
                                      struct rag_documents docs, struct rag_documents *out, struct error *err)
{
    struct documents all = { 0 };

    if (check_sizes(size, overlap, err) != OK)
        return INVALID;
    for (size_t i = 0; i < docs.n; i++)
        split_tokens(mem, table, (size_t)size, (size_t)overlap, &docs.v[i], &all);
    *out = (struct rag_documents){ all.v, all.n };
    return OK;
}
