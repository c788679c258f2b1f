/* load_engine_simple.c: engines of one call: an external loader of Open WebUI's own shape, Apache Tika, Docling. */
#include "lib/rag/load_engine_call.h"

enum { CALL_MS = 600 * 1000 };

static bool is_header_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || (unsigned char)s.p[i] >= 127)
            return false;
    return s.n > 0;
}

/* ---- external: PUT URL/process */

static void add_document(struct rag_documents *out, json_object *one)
{
    struct str text = json_str(one, "page_content");
    json_object *metadata = json_get(one, "metadata");

    out->v[out->n++] = (struct rag_document){ .text = text.p ? text : S(""),
                                              .metadata = json_is(metadata, json_type_object) ? metadata : NULL };
}

enum status engine_external(const struct engine_file *f, struct rag_documents *out, struct error *err)
{
    struct http_header headers[3];
    struct http_call call = { .method = "PUT",
                              .url = engine_url(f->mem, config_str(f->config, CFG_EXTERNAL_DOCUMENT_LOADER_URL),
                                                "process"),
                              .headers = headers,
                              .body = f->bytes,
                              .timeout_ms = CALL_MS };
    struct buf name = BUF(f->mem, 8192);
    json_object *answer = NULL;
    enum status st;

    buf_add_urlencoded(&name, f->name);
    headers[call.headers_n++] = (struct http_header){
        S("Authorization"), str_cat(f->mem, S("Bearer "), config_str(f->config, CFG_EXTERNAL_DOCUMENT_LOADER_API_KEY))
    };
    headers[call.headers_n++] = (struct http_header){ S("X-Filename"), buf_str(&name) };
    headers[call.headers_n++] = (struct http_header){ S("Content-Type"), is_header_text(f->content_type)
                                                                             ? f->content_type
                                                                             : S("application/octet-stream") };
    st = engine_call(f->mem, &call, "the document loader", &answer, err);
    if (st != OK)
        return st;
    if (!json_truthy(answer))
        return error_set(err, FAILED, "Error loading document: No content returned");
    out->n = 0;
    out->v = arena_new_array(f->mem, struct rag_document, json_length(answer) + 1);
    if (json_is(answer, json_type_array)) {
        JSON_EACH (answer, i, one)
            add_document(out, one);
    } else if (json_is(answer, json_type_object)) {
        add_document(out, answer);
    } else {
        return error_set(err, FAILED, "Error loading document: Unable to parse content");
    }
    return OK;
}

/* ---- Tika: PUT URL/tika/text */

enum status engine_tika(const struct engine_file *f, struct rag_documents *out, struct error *err)
{
    struct http_header headers[3] = { { S("Accept"), S("application/json") } };
    struct http_call call = { .method = "PUT",
                              .url = engine_url(f->mem, config_str(f->config, CFG_TIKA_SERVER_URL), "tika/text"),
                              .headers = headers,
                              .headers_n = 1,
                              .body = f->bytes,
                              .timeout_ms = CALL_MS,
                              .max_bytes = 128u << 20 };
    json_object *answer = NULL, *metadata = json_new_object(f->mem);
    struct str text;
    enum status st;

    headers[call.headers_n++] = (struct http_header){ S("Content-Type"), is_header_text(f->content_type)
                                                                             ? f->content_type
                                                                             : S("application/octet-stream") };
    if (config_bool(f->config, CFG_PDF_EXTRACT_IMAGES))
        headers[call.headers_n++] = (struct http_header){ S("X-Tika-PDFextractInlineImages"), S("true") };
    st = engine_call(f->mem, &call, "Tika", &answer, err);
    if (st != OK)
        return st;
    text = json_str(answer, "X-TIKA:content");
    json_set(metadata, "Content-Type",
             json_has(answer, "Content-Type") ? json_get(answer, "Content-Type")
                                              : json_new_str(f->mem, f->content_type));
    return engine_one(f->mem, text.p ? str_trim(text) : S("<No text content found>"), metadata, out);
}

/* ---- Docling: POST URL/v1/convert/file */

static void add_setting(const struct engine_file *f, struct multipart *m, const char *name, enum setting_id id)
{
    struct str value = config_str(f->config, id);

    if (value.n)
        multipart_field(m, name, value);
}

static void add_flag(const struct engine_file *f, struct multipart *m, const char *name, enum setting_id id)
{
    multipart_field(m, name, config_bool(f->config, id) ? S("True") : S("False"));
}

static void add_languages(const struct engine_file *f, struct multipart *m)
{
    struct str rest = config_str(f->config, CFG_DOCLING_OCR_LANG), one;

    if (!config_bool(f->config, CFG_DOCLING_DO_OCR) || !config_str(f->config, CFG_DOCLING_OCR_ENGINE).n || !rest.n)
        return;
    add_setting(f, m, "ocr_engine", CFG_DOCLING_OCR_ENGINE);
    while (str_split(&rest, ',', &one))
        if (str_trim(one).n)
            multipart_field(m, "ocr_lang", str_trim(one));
}

static void add_pictures(const struct engine_file *f, struct multipart *m)
{
    struct str mode = config_str(f->config, CFG_DOCLING_PICTURE_DESCRIPTION_MODE);
    json_object *local = config_json(f->config, CFG_DOCLING_PICTURE_DESCRIPTION_LOCAL),
                *api = config_json(f->config, CFG_DOCLING_PICTURE_DESCRIPTION_API);

    if (!config_bool(f->config, CFG_DOCLING_DO_PICTURE_DESCRIPTION))
        return;
    multipart_field(m, "do_picture_description", S("True"));
    if (str_ieq(mode, "local") && json_truthy(local))
        multipart_field(m, "picture_description_local", json_text(f->mem, local));
    else if (str_ieq(mode, "api") && json_truthy(api))
        multipart_field(m, "picture_description_api", json_text(f->mem, api));
}

enum status engine_docling(const struct engine_file *f, struct rag_documents *out, struct error *err)
{
    struct multipart m = multipart_begin(f->mem, f->bytes.n);
    struct http_header header = { S("Content-Type"), m.content_type };
    struct http_call call = { .method = "POST",
                              .url = engine_url(f->mem, config_str(f->config, CFG_DOCLING_SERVER_URL),
                                                "v1/convert/file"),
                              .headers = &header,
                              .headers_n = 1,
                              .timeout_ms = CALL_MS,
                              .max_bytes = 128u << 20 };
    json_object *answer = NULL, *metadata = json_new_object(f->mem);
    struct str text;
    enum status st;

    multipart_field(&m, "image_export_mode", S("placeholder"));
    add_pictures(f, &m);
    add_flag(f, &m, "do_ocr", CFG_DOCLING_DO_OCR);
    add_flag(f, &m, "force_ocr", CFG_DOCLING_FORCE_OCR);
    add_languages(f, &m);
    add_setting(f, &m, "pdf_backend", CFG_DOCLING_PDF_BACKEND);
    add_setting(f, &m, "table_mode", CFG_DOCLING_TABLE_MODE);
    add_setting(f, &m, "pipeline", CFG_DOCLING_PIPELINE);
    multipart_file(&m, "files", f->name, f->content_type, f->bytes);
    multipart_end(&m);
    call.body = buf_str(&m.body);
    st = engine_call(f->mem, &call, "Docling", &answer, err);
    if (st != OK)
        return st;
    if (f->content_type.n)
        json_set_str(metadata, "Content-Type", f->content_type);
    text = json_str(json_get(answer, "document"), "md_content");
    return engine_one(f->mem, text.p ? text : S("<No text content found>"), metadata, out);
}
