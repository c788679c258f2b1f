/* load_engine.c: chooses the engine, and what all of them need. */
#include "lib/rag/load_engine.h"

#include <errno.h>
#include <unistd.h>

#include "lib/base/random.h"
#include "lib/rag/load_engine_call.h"
#include "lib/rag/load_kind.h"

enum { MAX_FILE = 256 * 1024 * 1024 };

/* ---- which */

static bool is_among(struct str name, const char *endings)
{
    size_t dot = str_rfind_c(name, '.');
    struct str ending = dot == STR_NPOS ? name : str_from(name, dot + 1), rest = str_of(endings), one;

    while (str_split(&rest, ' ', &one)) {
        char text[16] = "";

        memcpy(text, one.p, one.n < sizeof text ? one.n : sizeof text - 1);
        if (str_ieq(ending, text))
            return true;
    }
    return false;
}

static bool is_azure_type(struct str type)
{
    return str_is(type, "application/vnd.ms-excel") || str_is(type, "application/vnd.ms-powerpoint") ||
           str_starts(type, "application/vnd.openxmlformats-officedocument.");
}

typedef enum status engine_fn(const struct engine_file *f, struct rag_documents *out, struct error *err);

static engine_fn *engine_of(const struct config *c, struct str name, struct str content_type)
{
    struct str engine = config_str(c, CFG_CONTENT_EXTRACTION_ENGINE);
    bool plain = load_is_plain(name, content_type);

    if (str_is(engine, "external") && config_str(c, CFG_EXTERNAL_DOCUMENT_LOADER_URL).n &&
        config_str(c, CFG_EXTERNAL_DOCUMENT_LOADER_API_KEY).n)
        return engine_external;
    if (str_is(engine, "tika") && config_str(c, CFG_TIKA_SERVER_URL).n)
        return plain ? NULL : engine_tika;
    if (str_is(engine, "datalab_marker") && config_str(c, CFG_DATALAB_MARKER_API_KEY).n &&
        is_among(name, "pdf xls xlsx ods doc docx odt ppt pptx odp html epub png jpeg jpg webp gif tiff"))
        return engine_datalab;
    if (str_is(engine, "docling") && config_str(c, CFG_DOCLING_SERVER_URL).n)
        return plain ? NULL : engine_docling;
    if (str_is(engine, "document_intelligence") && config_str(c, CFG_DOCUMENT_INTELLIGENCE_ENDPOINT).n &&
        (is_among(name, "pdf xls xlsx docx ppt pptx") || is_azure_type(content_type)))
        return engine_azure;
    if ((str_is(engine, "mistral_ocr") || str_is(engine, "external")) && config_str(c, CFG_MISTRAL_OCR_API_KEY).n &&
        is_among(name, "pdf"))
        return engine_mistral;
    return NULL;
}

bool load_engine_takes(const struct config *c, struct str name, struct str content_type)
{
    return engine_of(c, name, content_type) != NULL;
}

static bool read_all(struct arena *mem, int fd, int64_t bytes, struct str *out)
{
    char *p;
    size_t n = 0;

    if (bytes < 0 || bytes > MAX_FILE)
        return false;
    p = arena_alloc(mem, (size_t)bytes + 1);
    while (n < (size_t)bytes) {
        ssize_t got = pread(fd, p + n, (size_t)bytes - n, (off_t)n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        n += (size_t)got;
    }
    *out = str_n(p, n);
    return true;
}

enum status load_engine_read(struct arena *mem, const struct config *c, int fd, int64_t bytes, struct str name,
                             struct str content_type, struct rag_documents *out, struct error *err)
{
    struct engine_file f = { .mem = mem, .config = c, .name = name, .content_type = content_type };
    engine_fn *engine = engine_of(c, name, content_type);

    if (!engine || !read_all(mem, fd, bytes, &f.bytes))
        return error_set(err, FAILED, "The file cannot be opened");
    return engine(&f, out, err);
}

/* ---- shared */

enum status engine_call(struct arena *mem, struct http_call *call, const char *engine, json_object **answer,
                        struct error *err)
{
    struct str said;

    http_run(mem, call, 1);
    if (call->result != OK)
        return error_set(err, call->result == TIMED_OUT ? TIMED_OUT : UNAVAILABLE, "Error calling %s: %s", engine,
                         call->err.text);
    *answer = json_parse_or_null(mem, call->response);
    if (call->status < 400 && (*answer || call->response.n == 0))
        return OK;
    said = json_str(*answer, "detail");
    if (!said.n)
        said = json_str(*answer, "error");
    if (!said.n)
        said = str_utf8_valid(call->response) ? str_utf8_first(call->response, 200) : STR_NONE;
    return error_set(err, FAILED, "Error calling %s: %d %.*s", engine, call->status, STR(said));
}

struct multipart multipart_begin(struct arena *mem, size_t file_bytes)
{
    struct str boundary = random_hex(mem, 16);

    return (struct multipart){ .body = BUF(mem, file_bytes + 1024 * 1024),
                               .boundary = boundary,
                               .content_type = str_f(mem, "multipart/form-data; boundary=%s", boundary.p) };
}

static void add_head(struct multipart *m, const char *name)
{
    buf_addf(&m->body, "--%.*s\r\nContent-Disposition: form-data; name=\"%s\"", STR(m->boundary), name);
}

void multipart_field(struct multipart *m, const char *name, struct str value)
{
    add_head(m, name);
    buf_add_c(&m->body, "\r\n\r\n");
    buf_add_str(&m->body, value);
    buf_add_c(&m->body, "\r\n");
}

/* The name is a stranger's: what would end it, or the line, is left out. */
void multipart_file(struct multipart *m, const char *name, struct str filename, struct str content_type,
                    struct str bytes)
{
    add_head(m, name);
    buf_add_c(&m->body, "; filename=\"");
    for (size_t i = 0; i < filename.n; i++)
        if (filename.p[i] != '"' && filename.p[i] != '\\' && (unsigned char)filename.p[i] >= ' ')
            buf_add_char(&m->body, filename.p[i]);
    buf_add_c(&m->body, "\"\r\nContent-Type: ");
    for (size_t i = 0; i < content_type.n; i++)
        if ((unsigned char)content_type.p[i] >= ' ')
            buf_add_char(&m->body, content_type.p[i]);
    buf_add_c(&m->body, content_type.n ? "\r\n\r\n" : "application/octet-stream\r\n\r\n");
    buf_add_str(&m->body, bytes);
    buf_add_c(&m->body, "\r\n");
}

void multipart_end(struct multipart *m)
{
    buf_addf(&m->body, "--%.*s--\r\n", STR(m->boundary));
}

enum status engine_one(struct arena *mem, struct str text, json_object *metadata, struct rag_documents *out)
{
    out->v = arena_new_array(mem, struct rag_document, 1);
    out->v[0] = (struct rag_document){ .text = text.p ? text : S(""), .metadata = metadata };
    out->n = 1;
    return OK;
}

struct str engine_url(struct arena *mem, struct str base, const char *path)
{
    while (base.n && base.p[base.n - 1] == '/')
        base.n--;
    return str_f(mem, "%.*s/%s", STR(base), path);
}
