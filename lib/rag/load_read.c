/* load_read.c: chooses the reader, collects its documents. */
#include "lib/rag/load_read.h"

#include "lib/rag/load_fix.h"

enum status load_add_as_is(struct load_out *out, struct str text, json_object *metadata, struct error *err)
{
    out->bytes += text.n;
    if (out->bytes > LOAD_MAX_TEXT || out->n >= LOAD_MAX_DOCUMENTS)
        return error_set(err, TOO_BIG, "The text of this file is too large");
    if (out->n == out->room) {
        size_t room = out->room ? out->room * 2 : 8;

        out->v = arena_grow(out->mem, out->v, out->room * sizeof *out->v, room * sizeof *out->v);
        out->room = room;
    }
    out->v[out->n++] = (struct rag_document){ .text = text,
                                              .metadata = metadata ? metadata : json_new_object(out->mem) };
    return OK;
}

enum status load_add(struct load_out *out, struct str text, json_object *metadata, struct error *err)
{
    if (text.n > LOAD_MAX_TEXT)
        return error_set(err, TOO_BIG, "The text of this file is too large");
    return load_add_as_is(out, load_fix(out->mem, text), metadata, err);
}

enum status load_text(struct load_out *out, struct str bytes, struct error *err)
{
    struct str text;
    enum status st = load_decode(out->mem, bytes, &text, err);

    return st == OK ? load_add(out, text, NULL, err) : st;
}

enum status load_read(struct arena *mem, enum load_kind kind, struct str bytes, struct rag_documents *out,
                      struct error *err)
{
    static enum status (*const readers[])(struct load_out *, struct str, struct error *) = {
        [LOAD_TEXT] = load_text, [LOAD_CSV] = load_csv,   [LOAD_HTML] = load_html, [LOAD_XML] = load_xml,
        [LOAD_DOCX] = load_docx, [LOAD_ODT] = load_odt,   [LOAD_EPUB] = load_epub, [LOAD_XLSX] = load_xlsx,
        [LOAD_PPTX] = load_pptx, [LOAD_PAGE] = load_page,
    };
    struct load_out made = { .mem = mem };
    enum status st;

    if ((size_t)kind >= sizeof readers / sizeof readers[0] || !readers[kind])
        return error_set(err, INVALID, "Files of this kind cannot be read here");
    st = readers[kind](&made, bytes, err);
    if (st == OK)
        *out = (struct rag_documents){ made.v, made.n };
    return st;
}
