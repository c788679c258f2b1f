/* import_items.c: brackets and strings are all that is looked at. */
#include "lib/chat/import_items.h"

static const char bom[] = "\xef\xbb\xbf";

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Between items. */
static enum status between(struct import_items *in, char c, struct error *err)
{
    if (!in->in_array && in->bom < 3 && c == bom[in->bom]) {
        in->bom++;
        return OK;
    }
    if (is_space(c) || (c == ',' && in->in_array && in->marked))
        return OK;
    if (c == '[' && !in->marked && !in->in_array && !in->ended) {
        in->in_array = true;
    } else if (c == ']' && in->in_array) {
        in->in_array = false;
        in->ended = true;
    } else if (c == '{' && !in->ended) {
        in->in_item = in->marked = true;
        in->depth = 0;
        in->too_big = false;
        buf_reset(&in->item);
    } else {
        return error_set(err, INVALID, "not a JSON array of objects");
    }
    return OK;
}

/* true: the item ends with this byte. */
static bool inside(struct import_items *in, char c)
{
    if (in->in_string) {
        if (in->escaped)
            in->escaped = false;
        else if (c == '\\')
            in->escaped = true;
        else if (c == '"')
            in->in_string = false;
        return false;
    }
    if (c == '"')
        in->in_string = true;
    else if (c == '{' || c == '[')
        in->depth++;
    else if (c == '}' || c == ']')
        in->depth--;
    return in->depth == 0;
}

static void add(struct import_items *in, struct str bytes)
{
    if (in->too_big)
        return;
    if (in->item.n + bytes.n > in->max_item) {
        in->too_big = true;
        buf_free(&in->item);
        in->item = (struct buf){ .max = in->max_item };
        return;
    }
    buf_add_str(&in->item, bytes);
}

enum status import_items_feed(struct import_items *in, struct str bytes, import_taker *take, void *arg,
                              struct error *err)
{
    size_t at = 0, start = 0;

    while (at < bytes.n) {
        enum status st;

        if (!in->in_item) {
            st = between(in, bytes.p[at], err);
            if (st != OK)
                return st;
            if (!in->in_item) {
                at++;
                continue;
            }
            start = at;
        }
        while (at < bytes.n && !inside(in, bytes.p[at]))
            at++;
        if (at == bytes.n)
            break;
        at++;
        add(in, str_sub(bytes, start, at - start));
        in->in_item = false;
        start = at;
        if (!take(in->too_big ? STR_NONE : buf_str(&in->item), arg))
            return OK;
    }
    if (in->in_item)
        add(in, str_from(bytes, start));
    return OK;
}

enum status import_items_end(struct import_items *in, struct error *err)
{
    if (in->in_item || in->in_array)
        return error_set(err, INVALID, "the file is cut off");
    return in->marked || in->ended ? OK : error_set(err, INVALID, "there is nothing in the file");
}

void import_items_free(struct import_items *in)
{
    buf_free(&in->item);
}
