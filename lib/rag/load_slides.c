/* load_slides.c: PPTX (ECMA-376, part 1, 19 and 21.1): the paragraphs of each slide, a document a slide. */
#include <stdlib.h>

#include "lib/rag/load_read.h"
#include "lib/rag/load_xmltree.h"
#include "lib/rag/load_zip.h"

enum { MAX_SLIDES = 5000 };

static void add_paragraph(struct buf *b, xmlNode *p)
{
    size_t before;

    if (b->n)
        buf_add_c(b, "\n\n");
    before = b->n;
    for (xmlNode *n = p; n; n = xml_next(p, n, true)) {
        if (xml_is(n, "t"))
            xml_add_text(b, n);
        else if (xml_is(n, "br"))
            buf_add_char(b, '\n');
    }
    if (b->n == before && before)
        b->n = before - 2;
}

static enum status add_slide(struct load_out *out, struct zip_files *z, const char *name, int64_t number,
                             struct error *err)
{
    struct buf b = BUF(out->mem, LOAD_MAX_TEXT);
    json_object *metadata = json_new_object(out->mem);
    xmlNode *root = NULL;
    struct str bytes;
    enum status st = zip_files_read(z, name, &bytes, err);

    if (st == OK)
        st = xml_tree(out->mem, bytes, &root, err);
    if (st != OK)
        return st == NOT_FOUND ? OK : st;
    for (xmlNode *n = root; n; n = xml_next(root, n, !xml_is(n, "p")))
        if (xml_is(n, "p"))
            add_paragraph(&b, n);
    if (!str_trim(buf_str(&b)).n)
        return OK;
    json_set_int(metadata, "page_number", number);
    return load_add(out, buf_str(&b), metadata, err);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

enum status load_pptx(struct load_out *out, struct str bytes, struct error *err)
{
    int64_t *numbers = arena_new_array(out->mem, int64_t, MAX_SLIDES);
    struct zip_files *z = NULL;
    size_t n = 0;
    enum status st = zip_files_open(out->mem, bytes, &z, err);

    for (size_t i = 0; st == OK && i < zip_files_n(z) && n < MAX_SLIDES; i++) {
        struct str name = zip_files_name(z, i);

        if (str_starts(name, "ppt/slides/slide") && str_ends(name, ".xml") &&
            str_to_i64(str_sub(name, 16, name.n - 20), &numbers[n]) && numbers[n] > 0)
            n++;
    }
    if (st == OK && n == 0)
        return error_set(err, INVALID, "The file is broken: it has no slides");
    qsort(numbers, n, sizeof *numbers, by_number);
    for (size_t i = 0; st == OK && i < n; i++)
        st = add_slide(out, z, str_f(out->mem, "ppt/slides/slide%lld.xml", (long long)numbers[i]).p, (int64_t)i + 1,
                       err);
    if (st == OK && out->n == 0)
        st = load_add(out, S(""), NULL, err);
    return st;
}
