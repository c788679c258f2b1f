/* load.c: what a stored file says: by the engine of the settings, or by webui-extract, a child with limits. */
#include "lib/rag/load.h"

#include <sys/mman.h>

#include "lib/base/child.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/rag/load_engine.h"
#include "lib/rag/load_kind.h"
#include "lib/storage/storage.h"

enum { TIMEOUT_MS = 120 * 1000, CPU_S = 60, MAX_OUTPUT = 256 * 1024 * 1024 };
#define MEMORY_BYTES ((size_t)1536 * 1024 * 1024)

/* ---- the child's answer */

static enum status read_answer(struct arena *mem, struct str text, struct rag_documents *out, struct error *err)
{
    json_object *o = NULL, *list;
    enum status st = json_parse(mem, text, &o, NULL);

    list = json_get(o, "documents");
    if (st == OK && json_has(o, "error"))
        return error_set(err, json_flag(o, "too_big", false) ? TOO_BIG : INVALID, "%s", json_str(o, "error").p);
    if (st != OK || !json_is(list, json_type_array))
        return error_set(err, FAILED, "This file cannot be read");
    out->n = json_length(list);
    out->v = arena_new_array(mem, struct rag_document, out->n);
    for (size_t i = 0; i < out->n; i++) {
        json_object *one = json_at(list, i);

        out->v[i] = (struct rag_document){ .text = json_str(one, "text"), .metadata = json_get(one, "metadata") };
    }
    return OK;
}

static enum status by_child(struct arena *mem, enum load_kind kind, int fd, struct rag_documents *out,
                            struct error *err)
{
    char *argv[] = { "webui-extract", (char *)load_kind_name(kind), NULL };
    struct child c = { .program = child_beside(mem, "WEBUI_EXTRACT", "webui-extract").p,
                       .argv = argv,
                       .input_fd = fd,
                       .timeout_ms = TIMEOUT_MS,
                       .cpu_s = CPU_S,
                       .memory_bytes = MEMORY_BYTES,
                       .max_output = MAX_OUTPUT };
    struct error why = { "" };
    enum status st = child_run(mem, &c, &why);

    if (st == OK && c.exit_status == 0)
        return read_answer(mem, c.output, out, err);
    if (st == OK)
        error_set(&why, FAILED, "it ended with status %d", c.exit_status);
    log_error("webui-extract %s: %s", load_kind_name(kind), why.text);
    if (st == TIMED_OUT)
        return error_set(err, TIMED_OUT, "Reading this file takes too long");
    if (st == NOT_FOUND)
        return error_set(err, FAILED, "Files cannot be read here: webui-extract is missing");
    return error_set(err, FAILED, "This file cannot be read: it takes too much memory, or is broken");
}

/* ---- */

enum status rag_load_file(struct arena *mem, struct config *config, struct str path, struct str name,
                          struct str content_type, struct rag_documents *out, struct error *err)
{
    int fd AUTO_CLOSE = -1;
    enum load_kind kind = load_kind_of(name, content_type);
    struct error why = { "" };
    int64_t bytes;
    enum status st = storage_open(mem, config, path, &fd, &bytes, &why);

    if (st != OK) {
        log_error("%s", why.text);
        return error_set(err, st, st == NOT_FOUND ? "The file is not stored any more" : "The file cannot be opened");
    }
    if (load_engine_takes(config, name, content_type))
        return load_engine_read(mem, config, fd, bytes, name, content_type, out, err);
    if (kind == LOAD_OLD_OFFICE)
        return error_set(
            err, INVALID,
            "Files of this kind cannot be read here. Please save it in a current format (docx, xlsx, pptx, pdf)");
    return by_child(mem, kind, fd, out, err);
}

enum status rag_load_page(struct arena *mem, struct str page, struct str charset, struct rag_documents *out,
                          struct error *err)
{
    int fd AUTO_CLOSE = memfd_create("page", MFD_CLOEXEC);
    enum status st = fd < 0 ? FAILED : write_all(fd, str_f(mem, "%.*s\n", STR(charset)), err);

    if (str_find_c(charset, '\n') != STR_NPOS || charset.n > 64)
        return rag_load_page(mem, page, STR_NONE, out, err);
    if (st == OK)
        st = write_all(fd, page, err);
    return st == OK ? by_child(mem, LOAD_PAGE, fd, out, err) : error_set(err, FAILED, "there is no memory for a page");
}
