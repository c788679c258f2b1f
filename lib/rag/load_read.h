/* load_read.h: the readers: bytes of a file into documents. They run in webui-extract, a process with limits, never in a responder: the bytes are a stranger's,
 * and so is the code of the parsers in part. */
#ifndef LIB_RAG_LOAD_READ_H
#define LIB_RAG_LOAD_READ_H

#include "lib/base/error.h"
#include "lib/rag/document.h"
#include "lib/rag/load_kind.h"

enum {
    LOAD_MAX_TEXT = 100 * 1024 * 1024, /* of all documents together, and of what is unpacked */
    LOAD_MAX_RATIO = 100,              /* unpacked to packed, past the first LOAD_FREE_UNPACKED bytes */
    LOAD_FREE_UNPACKED = 1024 * 1024,
    LOAD_MAX_DOCUMENTS = 1000000
};

/* Texts are mended (load_fix.h) and are UTF-8 without NUL. INVALID, TOO_BIG: err is for the person who uploaded the file. LOAD_PDF and LOAD_OLD_OFFICE: INVALID (see
 * load_pdf.h). */
enum status load_read(struct arena *mem, enum load_kind kind, struct str bytes, struct rag_documents *out,
                      struct error *err);

/* ---- for the readers */

struct load_out { /* documents in the making */
    struct arena *mem;
    struct rag_document *v;
    size_t n, room, bytes;
};
/* Mends the text, takes metadata over (NULL: {}). TOO_BIG. */
enum status load_add(struct load_out *out, struct str text, json_object *metadata, struct error *err);
/* Without mending: the text is UTF-8 without NUL already. */
enum status load_add_as_is(struct load_out *out, struct str text, json_object *metadata, struct error *err);

enum status load_text(struct load_out *out, struct str bytes, struct error *err);
enum status load_csv(struct load_out *out, struct str bytes, struct error *err);
enum status load_html(struct load_out *out, struct str bytes, struct error *err);
enum status load_page(struct load_out *out, struct str bytes, struct error *err);
enum status load_xml(struct load_out *out, struct str bytes, struct error *err);
enum status load_docx(struct load_out *out, struct str bytes, struct error *err);
enum status load_odt(struct load_out *out, struct str bytes, struct error *err);
enum status load_epub(struct load_out *out, struct str bytes, struct error *err);
enum status load_xlsx(struct load_out *out, struct str bytes, struct error *err);
enum status load_pptx(struct load_out *out, struct str bytes, struct error *err);

/* The bytes of a text file as UTF-8: its BOM, valid UTF-8, or what the detector takes it for. Line ends become "\n". INVALID: no text. */
enum status load_decode(struct arena *mem, struct str bytes, struct str *text, struct error *err);
/* The text of an HTML page, as Beautiful Soup's get_text(): without scripts and styles. blocks: block elements end lines. *title may be NULL. */
enum status load_html_text(struct arena *mem, struct str page, bool blocks, struct buf *text, struct str *title,
                           struct error *err);

#endif
