/* load_csv.c: tables: a document a row, "column: value" a line, as LangChain's CSVLoader. */
#include "lib/rag/load_read.h"

enum { MAX_COLUMNS = 4096 };

struct cells {
    struct str *v;
    size_t n;
};

/* The cells of the record at the beginning of *rest, which moves behind it (RFC 4180; quotes inside an unquoted cell are letters, as in Python). */
static enum status read_record(struct arena *mem, struct str *rest, struct cells *out, struct error *err)
{
    size_t at = 0;

    out->n = 0;
    for (;;) {
        struct buf cell = BUF(mem, LOAD_MAX_TEXT);
        bool quoted = at < rest->n && rest->p[at] == '"';

        at += quoted;
        while (at < rest->n) {
            char c = rest->p[at];

            if (quoted && c == '"') {
                if (at + 1 < rest->n && rest->p[at + 1] == '"') {
                    buf_add_char(&cell, c);
                    at += 2;
                    continue;
                }
                quoted = false;
                at++;
                continue;
            }
            if (!quoted && (c == ',' || c == '\n'))
                break;
            buf_add_char(&cell, c);
            at++;
        }
        if (out->n == MAX_COLUMNS)
            return error_set(err, INVALID, "A row of this table has too many cells");
        out->v[out->n++] = buf_str(&cell);
        if (at >= rest->n || rest->p[at] == '\n')
            break;
        at++;
    }
    *rest = str_from(*rest, at + (at < rest->n));
    return OK;
}

static bool is_blank(const struct cells *c)
{
    return c->n == 1 && c->v[0].n == 0;
}

static void add_pair(struct buf *b, struct str name, struct str value)
{
    if (b->n)
        buf_add_char(b, '\n');
    buf_add_str(b, str_trim(name));
    buf_add_c(b, ": ");
    buf_add_str(b, value);
}

/* Cells beyond the columns go under None, and a column without a cell has None, as Python's DictReader says it. */
static struct str row_text(struct arena *mem, const struct cells *columns, const struct cells *row)
{
    struct buf b = BUF(mem, LOAD_MAX_TEXT);

    for (size_t i = 0; i < columns->n; i++)
        add_pair(&b, columns->v[i], i < row->n ? str_trim(row->v[i]) : S("None"));
    if (row->n > columns->n) {
        struct buf more = BUF(mem, LOAD_MAX_TEXT);

        for (size_t i = columns->n; i < row->n; i++) {
            buf_add_c(&more, i > columns->n ? "," : "");
            buf_add_str(&more, str_trim(row->v[i]));
        }
        add_pair(&b, S("None"), buf_str(&more));
    }
    return buf_str(&b);
}

enum status load_csv(struct load_out *out, struct str bytes, struct error *err)
{
    struct cells columns = { arena_new_array(out->mem, struct str, MAX_COLUMNS), 0 },
                 row = { arena_new_array(out->mem, struct str, MAX_COLUMNS), 0 };
    struct str rest;
    int64_t number = 0;
    enum status st = load_decode(out->mem, bytes, &rest, err);

    if (st == OK && str_starts(rest, "\xef\xbb\xbf"))
        rest = str_from(rest, 3);
    while (st == OK && columns.n == 0 && rest.n) {
        st = read_record(out->mem, &rest, &columns, err);
        if (is_blank(&columns))
            columns.n = 0;
    }
    while (st == OK && rest.n) {
        json_object *metadata;

        st = read_record(out->mem, &rest, &row, err);
        if (st != OK || is_blank(&row))
            continue;
        metadata = json_new_object(out->mem);
        json_set_int(metadata, "row", number++);
        st = load_add(out, row_text(out->mem, &columns, &row), metadata, err);
    }
    return st;
}
