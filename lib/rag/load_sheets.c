/* load_sheets.c: XLSX (ECMA-376, part 1, 18): a document a sheet: rows as lines, cells separated by tabs. */
#include <math.h>
#include <time.h>

#include "lib/rag/load_read.h"
#include "lib/rag/load_xmltree.h"
#include "lib/rag/load_zip.h"

enum {
    MAX_COLUMNS = 16384,
    MAX_GAP = 16, /* more empty cells than that say no more */
    FIRST_DATE = 60,
    SECONDS_A_DAY = 86400
};

struct book {
    struct arena *mem;
    struct zip_files *zip;
    struct str *shared; /* texts that cells name by number */
    size_t shared_n;
    bool *is_date; /* by style number */
    size_t styles_n;
    xmlNode *workbook, *relations;
};

static enum status read_tree(struct book *b, const char *name, xmlNode **root, struct error *err)
{
    struct str bytes;
    enum status st = zip_files_read(b->zip, name, &bytes, err);

    return st == OK ? xml_tree(b->mem, bytes, root, err) : st;
}

static size_t count(xmlNode *root, const char *name)
{
    size_t n = 0;

    for (xmlNode *x = root; x; x = xml_next(root, x, !xml_is(x, name)))
        n += xml_is(x, name);
    return n;
}

/* The text of a string item, without its readings (rPh). */
static struct str item_text(struct arena *mem, xmlNode *item)
{
    struct buf b = BUF(mem, LOAD_MAX_TEXT);

    for (xmlNode *n = item; n; n = xml_next(item, n, !xml_is(n, "rPh")))
        if (xml_is(n, "t"))
            xml_add_text(&b, n);
    return buf_str(&b);
}

static enum status read_shared(struct book *b, struct error *err)
{
    xmlNode *root = NULL;
    enum status st = read_tree(b, "xl/sharedStrings.xml", &root, err);

    if (st != OK)
        return st == NOT_FOUND ? OK : st;
    b->shared = arena_new_array(b->mem, struct str, count(root, "si"));
    for (xmlNode *n = root; n; n = xml_next(root, n, !xml_is(n, "si")))
        if (xml_is(n, "si"))
            b->shared[b->shared_n++] = item_text(b->mem, n);
    return OK;
}

/* ---- dates: numbers with a style that shows them so */

static bool is_date_code(struct str code)
{
    bool quoted = false;

    for (size_t i = 0; i < code.n; i++) {
        char c = code.p[i];

        if (c == '"')
            quoted = !quoted;
        if (c == '[' && !quoted) { /* a colour or a condition */
            size_t end = str_find_c(str_from(code, i), ']');

            if (end == STR_NPOS)
                return false;
            i += end;
        } else if (!quoted && strchr("ymdhYMDH", c) && (i == 0 || code.p[i - 1] != '\\')) {
            return true;
        }
    }
    return false;
}

static bool is_date_format(struct arena *mem, xmlNode *root, struct str id)
{
    int64_t n;

    if (!str_to_i64(id, &n))
        return false;
    if ((n >= 14 && n <= 22) || (n >= 45 && n <= 47))
        return true;
    for (xmlNode *x = root; x && n >= 164; x = xml_next(root, x, true))
        if (xml_is(x, "numFmt") && str_eq(xml_attr(mem, x, "numFmtId"), id))
            return is_date_code(xml_attr(mem, x, "formatCode"));
    return false;
}

static enum status read_styles(struct book *b, struct error *err)
{
    xmlNode *root = NULL, *list = NULL;
    enum status st = read_tree(b, "xl/styles.xml", &root, err);

    if (st != OK)
        return st == NOT_FOUND ? OK : st;
    for (xmlNode *n = root; n && !list; n = xml_next(root, n, true))
        if (xml_is(n, "cellXfs"))
            list = n;
    if (!list)
        return OK;
    b->is_date = arena_new_array(b->mem, bool, count(list, "xf"));
    for (xmlNode *n = list; n; n = xml_next(list, n, !xml_is(n, "xf")))
        if (xml_is(n, "xf"))
            b->is_date[b->styles_n++] = is_date_format(b->mem, root, xml_attr(b->mem, n, "numFmtId"));
    return OK;
}

/* Days since the end of 1899, with Excel's day too many in February 1900. */
static struct str date_text(struct arena *mem, double days)
{
    double seconds = round((days - 25569) * SECONDS_A_DAY);
    time_t t = (time_t)seconds;
    struct tm tm;

    if (days < 1)
        return str_f(mem, "%02d:%02d:%02d", (int)(days * 24) % 24, (int)(days * 1440) % 60,
                     (int)round(days * 86400) % 60);
    if (days < FIRST_DATE || days > 2958466 || !gmtime_r(&t, &tm))
        return STR_NONE;
    if (fmod(seconds, SECONDS_A_DAY) == 0)
        return str_f(mem, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    return str_f(mem, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                 tm.tm_min, tm.tm_sec);
}

/* ---- cells */

static struct str value_of(struct arena *mem, xmlNode *cell)
{
    for (xmlNode *n = cell->children; n; n = n->next) {
        struct buf b = BUF(mem, LOAD_MAX_TEXT);

        if (!xml_is(n, "v"))
            continue;
        xml_add_text(&b, n);
        return buf_str(&b);
    }
    return S("");
}

static struct str cell_text(struct book *b, xmlNode *cell)
{
    struct str type = xml_attr(b->mem, cell, "t"), value = value_of(b->mem, cell), date;
    int64_t style = -1, number = -1;
    double days;

    if (str_is(type, "s"))
        return str_to_i64(value, &number) && number >= 0 && (size_t)number < b->shared_n ? b->shared[number] : S("");
    if (str_is(type, "inlineStr"))
        return item_text(b->mem, cell);
    if (str_is(type, "b"))
        return str_is(value, "1") ? S("TRUE") : S("FALSE");
    if ((type.n == 0 || str_is(type, "n")) && str_to_i64(xml_attr(b->mem, cell, "s"), &style) && style >= 0 &&
        (size_t)style < b->styles_n && b->is_date[style] && str_to_double(value, &days)) {
        date = date_text(b->mem, days);
        return date.p ? date : value;
    }
    return value;
}

/* "AB12": 27; -1: no reference. */
static int64_t column_of(struct str reference)
{
    int64_t n = 0;
    size_t i = 0;

    while (i < reference.n && reference.p[i] >= 'A' && reference.p[i] <= 'Z' && n < MAX_COLUMNS)
        n = n * 26 + (reference.p[i++] - 'A' + 1);
    return n > 0 && n <= MAX_COLUMNS ? n - 1 : -1;
}

static void add_row(struct book *b, struct buf *out, xmlNode *row)
{
    size_t before = out->n, filled = before;
    int64_t at = 0;

    for (xmlNode *n = row->children; n; n = n->next) {
        int64_t column;
        struct str text;

        if (!xml_is(n, "c"))
            continue;
        column = column_of(xml_attr(b->mem, n, "r"));
        text = str_trim(cell_text(b, n));
        if (column > at + MAX_GAP)
            at = column - MAX_GAP;
        for (; at < column; at++)
            buf_add_char(out, '\t');
        for (size_t i = 0; i < text.n; i++)
            buf_add_char(out, text.p[i] == '\n' || text.p[i] == '\t' ? ' ' : text.p[i]);
        if (text.n)
            filled = out->n;
    }
    out->n = filled; /* empty cells at the end are no text */
    if (filled > before)
        buf_add_char(out, '\n');
}

/* ---- sheets */

static struct str target_of(struct book *b, struct str relation)
{
    for (xmlNode *n = b->relations; n; n = xml_next(b->relations, n, true)) {
        struct str target;

        if (!xml_is(n, "Relationship") || !str_eq(xml_attr(b->mem, n, "Id"), relation))
            continue;
        target = xml_attr(b->mem, n, "Target");
        return str_starts(target, "/") ? str_from(target, 1) : str_cat(b->mem, S("xl/"), target);
    }
    return STR_NONE;
}

static enum status add_sheet(struct load_out *out, struct book *b, xmlNode *sheet, struct error *err)
{
    struct buf text = BUF(b->mem, LOAD_MAX_TEXT);
    struct str path = target_of(b, xml_attr(b->mem, sheet, "id"));
    json_object *metadata = json_new_object(b->mem);
    xmlNode *root = NULL;
    enum status st = path.n ? read_tree(b, str_c(b->mem, path), &root, err) : NOT_FOUND;

    if (st != OK)
        return st == NOT_FOUND ? OK : st;
    for (xmlNode *n = root; n; n = xml_next(root, n, !xml_is(n, "row")))
        if (xml_is(n, "row"))
            add_row(b, &text, n);
    if (buf_failed(&text))
        return error_set(err, TOO_BIG, "The text of this file is too large");
    if (text.n == 0)
        return OK;
    json_set_str(metadata, "page_name", xml_attr(b->mem, sheet, "name"));
    return load_add(out, str_trim_c(buf_str(&text), "\n"), metadata, err);
}

enum status load_xlsx(struct load_out *out, struct str bytes, struct error *err)
{
    struct book b = { .mem = out->mem };
    enum status st = zip_files_open(out->mem, bytes, &b.zip, err);

    if (st == OK)
        st = read_tree(&b, "xl/workbook.xml", &b.workbook, err);
    if (st == OK)
        st = read_tree(&b, "xl/_rels/workbook.xml.rels", &b.relations, err);
    if (st == NOT_FOUND)
        return INVALID;
    if (st == OK)
        st = read_shared(&b, err);
    if (st == OK)
        st = read_styles(&b, err);
    for (xmlNode *n = st == OK ? b.workbook : NULL; n && st == OK; n = xml_next(b.workbook, n, true))
        if (xml_is(n, "sheet"))
            st = add_sheet(out, &b, n, err);
    if (st == OK && out->n == 0)
        st = load_add(out, S(""), NULL, err);
    return st;
}
