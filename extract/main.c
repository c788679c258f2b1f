/* main.c: webui-extract KIND: reads a document on standard input and says its text on standard output, as JSON:
 * {"documents": [{"text", "metadata"}, …]} or {"error": text, "too_big": bool}. Started by lib/rag/load.c, with limits; the file is a stranger's. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/rag/load_pdf.h"
#include "lib/rag/load_read.h"

enum { CHUNK = 1024 * 1024, MAX_INPUT = 256 * 1024 * 1024 };

static bool read_input(struct buf *b)
{
    for (;;) {
        char *p = buf_reserve(b, CHUNK);
        ssize_t n = p ? read(0, p, CHUNK) : -1;

        if (n < 0 && p && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        buf_used(b, (size_t)n);
    }
}

static enum status read_documents(struct arena *mem, enum load_kind kind, struct rag_documents *docs, struct error *err)
{
    struct buf input = BUF(mem, MAX_INPUT);

    if (kind == LOAD_PDF)
        return load_pdf(mem, 0, docs, err);
    if (!read_input(&input))
        return error_set(err, TOO_BIG, "The file is too large");
    return load_read(mem, kind, buf_str(&input), docs, err);
}

static void add_documents(struct buf *out, const struct rag_documents *docs)
{
    buf_add_c(out, "{\"documents\":[");
    for (size_t i = 0; i < docs->n; i++) {
        buf_add_c(out, i ? ",{\"text\":" : "{\"text\":");
        buf_add_json_string(out, docs->v[i].text);
        buf_add_c(out, ",\"metadata\":");
        json_add_to_buf(out, docs->v[i].metadata);
        buf_add_char(out, '}');
    }
    buf_add_c(out, "]}");
}

int main(int argc, char **argv)
{
    struct arena *mem = arena_new(64 * 1024);
    struct buf out = BUF(mem, (size_t)LOAD_MAX_TEXT * 6);
    struct rag_documents docs = { NULL, 0 };
    struct error err = { "" };
    enum load_kind kind;
    enum status st;

    if (argc != 2 || !load_kind_named(str_of(argv[1]), &kind)) {
        fprintf(
            stderr,
            "usage: webui-extract KIND <FILE   (KIND: text, csv, html, page, xml, pdf, docx, odt, epub, xlsx, pptx)\n");
        return 2;
    }
    st = read_documents(mem, kind, &docs, &err);
    if (st == OK) {
        add_documents(&out, &docs);
    } else {
        buf_add_c(&out, "{\"error\":");
        buf_add_json_string(&out, str_of(err.text));
        buf_addf(&out, ",\"too_big\":%s}", st == TOO_BIG ? "true" : "false");
    }
    st = buf_failed(&out) ? TOO_BIG : write_all(1, buf_str(&out), NULL);
    arena_free(mem);
    return st != OK;
}
