/* read.c: reads updates: github.com/yjs/yjs, src/utils/UpdateDecoder.js and src/structs; lib0's decoding.js for the numbers and values. */
#include "lib/json/json.h"
#include "lib/yjs/items.h"

#define REPLACEMENT "\xEF\xBF\xBD"
#define MAX_NUMBER ((uint64_t)1 << 53) /* JavaScript's integers */

struct reader {
    const unsigned char *p, *end;
    bool bad;
    struct arena *mem; /* for a moment's use */
};

static bool broken(struct reader *r)
{
    r->bad = true;
    r->p = r->end;
    return false;
}

static uint64_t number(struct reader *r)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 56 && r->p < r->end; shift += 7) {
        unsigned char c = *r->p++;

        v |= (uint64_t)(c & 0x7F) << shift;
        if (c < 0x80) {
            if (v < MAX_NUMBER)
                return v;
            break;
        }
    }
    broken(r);
    return 0;
}

static struct str bytes(struct reader *r, uint64_t n)
{
    struct str s;

    if (n > (size_t)(r->end - r->p)) {
        broken(r);
        return S("");
    }
    s = str_n((const char *)r->p, (size_t)n);
    r->p += n;
    return s;
}

static struct str text(struct reader *r)
{
    struct str s = bytes(r, number(r));

    if (!str_utf8_valid(s))
        broken(r);
    return s;
}

/* JSON, which the other editors are going to parse. */
static void json_value(struct reader *r, bool may_be_undefined)
{
    struct str s = text(r);
    struct arena_mark mark;
    json_object *o;

    if (r->bad || str_is(s, "true") || str_is(s, "null") || (may_be_undefined && str_is(s, "undefined")))
        return;
    mark = arena_mark(r->mem);
    if (json_parse(r->mem, s, &o, NULL) != OK)
        broken(r);
    arena_rewind(r->mem, mark);
}

/* A number with a sign: six bits in the first byte. Its value is of no interest. */
static void signed_number(struct reader *r)
{
    for (int i = 0; i < 9 && r->p < r->end; i++)
        if (*r->p++ < 0x80)
            return;
    broken(r);
}

static void value(struct reader *r, int depth)
{
    unsigned char type;
    uint64_t n;

    if (r->p == r->end || depth > YJS_MAX_DEPTH) {
        broken(r);
        return;
    }
    type = *r->p++;
    switch (type) {
    case 127: /* undefined, null, false, true */
    case 126:
    case 121:
    case 120: break;
    case 125: signed_number(r); break;
    case 124: bytes(r, 4); break; /* float, double, big integer */
    case 123:
    case 122: bytes(r, 8); break;
    case 119: text(r); break;
    case 118:
        for (n = number(r); n > 0 && !r->bad; n--) {
            text(r);
            value(r, depth + 1);
        }
        break;
    case 117:
        for (n = number(r); n > 0 && !r->bad; n--)
            value(r, depth + 1);
        break;
    case 116: bytes(r, number(r)); break;
    default: broken(r);
    }
}

static struct str since(const struct reader *r, const unsigned char *start)
{
    return str_n((const char *)start, (size_t)(r->p - start));
}

static uint64_t utf16_length(struct str s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((s.p[i] & 0xC0) != 0x80) + ((unsigned char)s.p[i] >= 0xF0);
    return n;
}

static void read_type(struct reader *r)
{
    uint64_t type = number(r);

    if (type > 6)
        broken(r);
    if (type == 3 || type == 5) /* an XML element's or hook's name */
        text(r);
}

static void read_content(struct reader *r, struct item *item)
{
    const unsigned char *start = r->p;

    item->n = 1;
    switch ((enum kind)item->kind) {
    case DELETED: item->n = number(r); return;
    case JSON_TEXTS:
    case ANY_VALUES:
        item->n = number(r);
        start = r->p;
        for (uint64_t i = 0; i < item->n && !r->bad; i++) {
            if (item->kind == ANY_VALUES)
                value(r, 0);
            else
                json_value(r, true);
        }
        break;
    case STRING:
        item->content = text(r);
        item->n = utf16_length(item->content);
        return;
    case BINARY: bytes(r, number(r)); break;
    case EMBED: json_value(r, false); break;
    case FORMAT:
        text(r);
        json_value(r, false);
        break;
    case TYPE: read_type(r); break;
    case SUBDOCUMENT:
        text(r);
        value(r, 0);
        break;
    default: broken(r);
    }
    item->content = since(r, start);
}

static void read_parent(struct reader *r, struct item *item)
{
    const unsigned char *start = r->p;

    switch (number(r)) {
    case 1: text(r); break; /* a name at the top */
    case 0:
        number(r);
        number(r);
        break;
    default: broken(r);
    }
    if (item->flags & HAS_SUB)
        text(r);
    item->parent = since(r, start);
}

/* A neighbour that the same client is to make later: an editor would look for it in vain. */
static bool is_ahead(const struct item *item, uint8_t flag, uint64_t client, uint64_t clock)
{
    return (item->flags & flag) && client == item->client && clock >= item->clock;
}

/* client and clock are set. */
static void read_item(struct reader *r, struct item *item)
{
    unsigned char info = r->p < r->end ? *r->p++ : 0xFF;

    item->kind = info & 0x1F;
    item->flags = info & 0xE0;
    if (item->kind == GC || item->kind == SKIP) {
        item->n = number(r);
        item->flags = 0;
    } else {
        if (item->flags & HAS_ORIGIN) {
            item->origin_client = number(r);
            item->origin_clock = number(r);
        }
        if (item->flags & HAS_RIGHT) {
            item->right_client = number(r);
            item->right_clock = number(r);
        }
        if (!(item->flags & (HAS_ORIGIN | HAS_RIGHT)))
            read_parent(r, item);
        else
            item->flags &= (uint8_t)~HAS_SUB; /* says nothing here */
        read_content(r, item);
    }
    if (item->n == 0 || item->n >= MAX_NUMBER || item->clock + item->n >= MAX_NUMBER ||
        is_ahead(item, HAS_ORIGIN, item->origin_client, item->origin_clock) ||
        is_ahead(item, HAS_RIGHT, item->right_client, item->right_clock))
        broken(r);
}

void items_push(struct items *list, const struct item *item)
{
    if (list->n == list->room) {
        size_t room = list->room ? list->room * 2 : 16;

        list->v = arena_grow(list->mem, list->v, list->room * sizeof(*list->v), room * sizeof(*list->v));
        list->room = room;
    }
    list->v[list->n++] = *item;
}

static enum status read_structs(struct reader *r, struct items *list, struct error *err)
{
    for (uint64_t clients = number(r); clients > 0 && !r->bad; clients--) {
        uint64_t n = number(r), client = number(r), clock = number(r);

        for (; n > 0 && !r->bad; n--) {
            struct item item = { .client = client, .clock = clock };

            read_item(r, &item);
            clock += item.n;
            if (r->bad || item.kind == SKIP)
                continue;
            if (list->n >= YJS_MAX_STRUCTS)
                return error_set(err, TOO_BIG, "the document has too many pieces");
            items_push(list, &item);
        }
    }
    return OK;
}

static void read_deletes(struct reader *r, struct yjs_ranges *deletes)
{
    for (uint64_t clients = number(r); clients > 0 && !r->bad; clients--) {
        uint64_t client = number(r);

        for (uint64_t n = number(r); n > 0 && !r->bad; n--) {
            struct yjs_range range = { client, number(r), 0 };

            range.n = number(r);
            if (range.clock + range.n >= MAX_NUMBER)
                broken(r);
            else if (range.n)
                yjs_ranges_push(deletes, range);
        }
    }
}

enum status items_read(struct items *list, struct yjs_ranges *deletes, struct str update, struct error *err)
{
    struct arena *scratch = arena_new(1024);
    struct reader r = { (const unsigned char *)update.p, (const unsigned char *)update.p + update.n, false, scratch };
    enum status st = read_structs(&r, list, err);

    if (st == OK)
        read_deletes(&r, deletes);
    arena_free(scratch);
    if (st != OK)
        return st;
    if (deletes->n > YJS_MAX_STRUCTS)
        return error_set(err, TOO_BIG, "the document has too many deletions");
    return r.bad || r.p != r.end ? error_set(err, INVALID, "not a Yjs update") : OK;
}

enum status yjs_examine(struct str update, size_t *structs, struct yjs_ranges *inserts, struct yjs_ranges *deletes,
                        struct error *err)
{
    struct arena *mem = arena_new(4096);
    struct items list = { .mem = mem };
    struct yjs_ranges gone = { 0 };
    enum status st = items_read(&list, &gone, update, err);

    if (st == OK) {
        *structs = list.n;
        for (size_t i = 0; i < list.n; i++)
            yjs_ranges_push(inserts, (struct yjs_range){ list.v[i].client, list.v[i].clock, list.v[i].n });
        yjs_ranges_settle(inserts);
        yjs_ranges_unite(deletes, &gone);
    }
    yjs_ranges_free(&gone);
    arena_free(mem);
    return st;
}

/* ---- dividing */

/* Where the unit begins; *inside: at the second half of a surrogate pair. */
static size_t utf16_place(struct str s, uint64_t unit, bool *inside)
{
    uint64_t n = 0;
    size_t i = 0;

    *inside = false;
    while (i < s.n && n < unit) {
        bool pair = (unsigned char)s.p[i] >= 0xF0;

        if (pair && n + 1 == unit) {
            *inside = true;
            return i;
        }
        n += pair ? 2 : 1;
        for (i++; i < s.n && (s.p[i] & 0xC0) == 0x80; i++)
            ;
    }
    return i;
}

/* As JavaScript's: each half of a pair that is torn apart becomes U+FFFD. */
static struct str string_part(struct arena *mem, struct str s, uint64_t from, uint64_t to)
{
    bool in_front, behind;
    size_t start = utf16_place(s, from, &in_front), end = utf16_place(s, to, &behind);
    struct buf b = BUF(mem, STR_NPOS);

    if (in_front)
        start += 4;
    if (!in_front && !behind)
        return str_sub(s, start, end - start);
    if (in_front)
        buf_add_c(&b, REPLACEMENT);
    if (end > start)
        buf_add(&b, s.p + start, end - start);
    if (behind)
        buf_add_c(&b, REPLACEMENT);
    return buf_str(&b);
}

static struct str values_part(const struct item *item, uint64_t from, uint64_t to)
{
    struct reader r = { (const unsigned char *)item->content.p,
                        (const unsigned char *)item->content.p + item->content.n, false, NULL };
    const unsigned char *start = r.p;

    for (uint64_t i = 0; i < to; i++) {
        if (i == from)
            start = r.p;
        if (item->kind == ANY_VALUES)
            value(&r, 0);
        else
            text(&r);
    }
    return since(&r, start);
}

struct item item_part(struct arena *mem, const struct item *item, uint64_t from, uint64_t to)
{
    struct item part = *item;

    if (item->kind == STRING)
        part.content = string_part(mem, item->content, from, to);
    else if (item->kind == JSON_TEXTS || item->kind == ANY_VALUES)
        part.content = values_part(item, from, to);
    part.clock += from;
    part.n = to - from;
    if (from > 0 && item->kind != GC) {
        part.flags = (uint8_t)((item->flags & HAS_RIGHT) | HAS_ORIGIN);
        part.origin_client = item->client;
        part.origin_clock = part.clock - 1;
        part.parent = STR_NONE;
    }
    return part;
}
