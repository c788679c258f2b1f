/* load_book.c: EPUB (EPUB 3.3): the pages of the spine in their order, as one text. */
#include "lib/base/encode.h"
#include "lib/rag/load_read.h"
#include "lib/rag/load_xmltree.h"
#include "lib/rag/load_zip.h"

static enum status read_tree(struct arena *mem, struct zip_files *z, const char *name, xmlNode **root,
                             struct error *err)
{
    struct str bytes;
    enum status st = zip_files_read(z, name, &bytes, err);

    if (st == OK)
        st = xml_tree(mem, bytes, root, err);
    return st == NOT_FOUND ? INVALID : st;
}

static struct str package_path(struct arena *mem, xmlNode *container)
{
    for (xmlNode *n = container; n; n = xml_next(container, n, true))
        if (xml_is(n, "rootfile") && xml_attr(mem, n, "full-path").n)
            return xml_attr(mem, n, "full-path");
    return STR_NONE;
}

/* The path of a page in the archive: relative to the package, without its fragment. */
static struct str page_path(struct arena *mem, struct str package, struct str href)
{
    size_t slash = str_rfind_c(package, '/'), mark = str_find_c(href, '#');
    struct str decoded;

    href = str_sub(href, 0, mark == STR_NPOS ? href.n : mark);
    if (!url_decode(mem, href, false, &decoded))
        decoded = href;
    return slash == STR_NPOS ? decoded : str_cat(mem, str_sub(package, 0, slash + 1), decoded);
}

static struct str href_of(struct arena *mem, xmlNode *package, struct str id)
{
    for (xmlNode *n = package; n; n = xml_next(package, n, true))
        if (xml_is(n, "item") && str_eq(xml_attr(mem, n, "id"), id))
            return xml_attr(mem, n, "href");
    return STR_NONE;
}

static enum status add_page(struct arena *mem, struct zip_files *z, struct str path, struct buf *b, struct error *err)
{
    struct str page;
    enum status st = zip_files_read(z, str_c(mem, path), &page, err);

    if (st == NOT_FOUND)
        return OK;
    if (st != OK)
        return st;
    if (b->n)
        buf_add_c(b, "\n\n");
    return load_html_text(mem, page, true, b, NULL, err);
}

enum status load_epub(struct load_out *out, struct str bytes, struct error *err)
{
    struct arena *mem = out->mem;
    struct buf b = BUF(mem, LOAD_MAX_TEXT);
    struct zip_files *z = NULL;
    xmlNode *container = NULL, *package = NULL;
    struct str path = STR_NONE;
    json_object *metadata = json_new_object(mem);
    enum status st = zip_files_open(mem, bytes, &z, err);

    if (st == OK)
        st = read_tree(mem, z, "META-INF/container.xml", &container, err);
    if (st == OK)
        path = package_path(mem, container);
    if (st == OK)
        st = path.n ? read_tree(mem, z, str_c(mem, path), &package, err)
                    : error_set(err, INVALID, "The file is broken: it is no book");
    for (xmlNode *n = st == OK ? package : NULL; n && st == OK; n = xml_next(package, n, true)) {
        struct str href = xml_is(n, "itemref") ? href_of(mem, package, xml_attr(mem, n, "idref")) : STR_NONE;

        if (href.n)
            st = add_page(mem, z, page_path(mem, path, href), &b, err);
        if (xml_is(n, "title") && !json_has(metadata, "title")) {
            struct buf title = BUF(mem, 64 * 1024);

            xml_add_text(&title, n);
            json_set_str(metadata, "title", buf_str(&title));
        }
    }
    return st == OK ? load_add(out, str_trim(buf_str(&b)), metadata, err) : st;
}
