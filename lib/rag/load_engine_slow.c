/* load_engine_slow.c: engines of several calls: Datalab Marker and Azure Document Intelligence, which are asked until they are done, and Mistral OCR. */
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/rag/load_engine_call.h"

enum { CALL_MS = 300 * 1000, WAIT_MS = 600 * 1000, POLL_MS = 2000, ANSWER_BYTES = 128 << 20 };

static void pause_ms(int ms)
{
    usleep((useconds_t)ms * 1000);
}

/* ---- Datalab Marker */

static void add_flag(const struct engine_file *f, struct multipart *m, const char *name, enum setting_id id)
{
    multipart_field(m, name, config_bool(f->config, id) ? S("true") : S("false"));
}

static enum status datalab_send(const struct engine_file *f, struct http_header key, json_object **answer,
                                struct error *err)
{
    struct str base = str_trim(config_str(f->config, CFG_DATALAB_MARKER_API_BASE_URL)),
               more = str_trim(config_str(f->config, CFG_DATALAB_MARKER_ADDITIONAL_CONFIG));
    struct multipart m = multipart_begin(f->mem, f->bytes.n);
    struct http_header headers[] = { key, { S("Content-Type"), m.content_type } };
    struct http_call call = { .method = "POST",
                              .url = base.n ? base : S("https://www.datalab.to/api/v1/marker"),
                              .headers = headers,
                              .headers_n = 2,
                              .timeout_ms = CALL_MS,
                              .max_bytes = ANSWER_BYTES };

    add_flag(f, &m, "use_llm", CFG_DATALAB_MARKER_USE_LLM);
    add_flag(f, &m, "skip_cache", CFG_DATALAB_MARKER_SKIP_CACHE);
    add_flag(f, &m, "force_ocr", CFG_DATALAB_MARKER_FORCE_OCR);
    add_flag(f, &m, "paginate", CFG_DATALAB_MARKER_PAGINATE);
    add_flag(f, &m, "strip_existing_ocr", CFG_DATALAB_MARKER_STRIP_EXISTING_OCR);
    add_flag(f, &m, "disable_image_extraction", CFG_DATALAB_MARKER_DISABLE_IMAGE_EXTRACTION);
    add_flag(f, &m, "format_lines", CFG_DATALAB_MARKER_FORMAT_LINES);
    multipart_field(&m, "output_format", config_str(f->config, CFG_DATALAB_MARKER_OUTPUT_FORMAT));
    if (more.n)
        multipart_field(&m, "additional_config", more);
    multipart_file(&m, "file", f->name, f->content_type, f->bytes);
    multipart_end(&m);
    call.body = buf_str(&m.body);
    return engine_call(f->mem, &call, "Datalab Marker", answer, err);
}

static enum status datalab_wait(const struct engine_file *f, struct http_header key, struct str url,
                                json_object **answer, struct error *err)
{
    int64_t until_ms = mono_ms() + WAIT_MS;

    while (mono_ms() < until_ms) {
        struct http_call call = {
            .url = url, .headers = &key, .headers_n = 1, .timeout_ms = 60000, .max_bytes = ANSWER_BYTES
        };
        struct str status;
        enum status st;

        pause_ms(POLL_MS);
        st = engine_call(f->mem, &call, "Datalab Marker", answer, err);
        if (st != OK)
            return st;
        status = json_str(*answer, "status");
        if (str_is(status, "failed") ||
            (json_has(*answer, "success") && json_get(*answer, "success") && !json_flag(*answer, "success", true)))
            return error_set(err, FAILED, "Marker processing failed: %.*s", STR(json_str(*answer, "error")));
        if (str_is(status, "complete"))
            return OK;
    }
    return error_set(err, TIMED_OUT, "Marker processing timed out");
}

enum status engine_datalab(const struct engine_file *f, struct rag_documents *out, struct error *err)
{
    struct http_header key = { S("X-Api-Key"), config_str(f->config, CFG_DATALAB_MARKER_API_KEY) };
    struct str format = str_lower(f->mem, config_str(f->config, CFG_DATALAB_MARKER_OUTPUT_FORMAT)), check;
    json_object *answer = NULL, *content, *metadata = json_new_object(f->mem);
    struct str text;
    enum status st = datalab_send(f, key, &answer, err);

    if (st != OK)
        return st;
    if (!json_flag(answer, "success", false))
        return error_set(err, FAILED, "Datalab Marker request failed: %.*s", STR(json_str(answer, "error")));
    json_set(metadata, "request_id", json_get(answer, "request_id"));
    check = json_str(answer, "request_check_url");
    if (check.n)
        st = datalab_wait(f, key, check, &answer, err);
    if (st != OK)
        return st;
    content = json_get(answer, check.n ? (format.n ? str_c(f->mem, format) : "markdown") : "output");
    text = json_is(content, json_type_string) ? str_trim(json_str_value(content))
           : content                          ? json_text(f->mem, content)
                                              : S("");
    if (!text.n)
        return error_set(err, FAILED, "Marker returned empty content");
    json_set(metadata, "output_format", json_get(answer, "output_format"));
    json_set_int(metadata, "page_count", json_int(answer, "page_count", 0));
    json_set_bool(metadata, "processed_with_llm", config_bool(f->config, CFG_DATALAB_MARKER_USE_LLM));
    return engine_one(f->mem, text, metadata, out);
}

/* ---- Azure Document Intelligence: the layout model, as Markdown */

enum status engine_azure(const struct engine_file *f, struct rag_documents *out, struct error *err)
{
    struct str key = config_str(f->config, CFG_DOCUMENT_INTELLIGENCE_KEY);
    struct http_header headers[] = { { S("Ocp-Apim-Subscription-Key"), key },
                                     { S("Content-Type"), S("application/octet-stream") } };
    struct http_call call = {
        .method = "POST",
        .url = engine_url(f->mem, config_str(f->config, CFG_DOCUMENT_INTELLIGENCE_ENDPOINT),
                          "documentintelligence/documentModels/"
                          "prebuilt-layout:analyze?api-version=2024-11-30&outputContentFormat=markdown"),
        .headers = headers,
        .headers_n = 2,
        .body = f->bytes,
        .timeout_ms = CALL_MS,
        .keep_header = "Operation-Location"
    };
    int64_t until_ms = mono_ms() + WAIT_MS;
    json_object *answer = NULL;
    enum status st;

    if (!key.n)
        return error_set(err, FAILED, "Document Intelligence without a key (managed identities) is not supported here");
    st = engine_call(f->mem, &call, "Document Intelligence", &answer, err);
    if (st != OK)
        return st;
    if (!call.kept_header.n)
        return error_set(err, FAILED, "Document Intelligence does not say where its answer will be");
    while (mono_ms() < until_ms) {
        struct http_call poll = {
            .url = call.kept_header, .headers = headers, .headers_n = 1, .timeout_ms = 60000, .max_bytes = ANSWER_BYTES
        };
        struct str status;

        pause_ms(POLL_MS / 2);
        st = engine_call(f->mem, &poll, "Document Intelligence", &answer, err);
        if (st != OK)
            return st;
        status = json_str(answer, "status");
        if (str_is(status, "succeeded"))
            return engine_one(f->mem, json_str(json_get(answer, "analyzeResult"), "content"), NULL, out);
        if (str_is(status, "failed"))
            return error_set(err, FAILED, "Document Intelligence failed: %.*s",
                             STR(json_str(json_get(answer, "error"), "message")));
    }
    return error_set(err, TIMED_OUT, "Document Intelligence takes too long");
}

/* ---- Mistral OCR: the file goes there, is read by its address, and is deleted */

static enum status mistral_call(const struct engine_file *f, const char *method, struct str path, struct str body,
                                struct str content_type, json_object **answer, struct error *err)
{
    struct str bearer = str_cat(f->mem, S("Bearer "), config_str(f->config, CFG_MISTRAL_OCR_API_KEY));
    struct http_header headers[] = { { S("Authorization"), bearer },
                                     { S("Accept"), S("application/json") },
                                     { S("Content-Type"), content_type } };
    struct http_call call = { .method = method,
                              .url = engine_url(f->mem, config_str(f->config, CFG_MISTRAL_OCR_API_BASE_URL), path.p),
                              .headers = headers,
                              .headers_n = content_type.p ? 3 : 2,
                              .body = body,
                              .timeout_ms = CALL_MS,
                              .max_bytes = ANSWER_BYTES };

    return engine_call(f->mem, &call, "Mistral OCR", answer, err);
}

static enum status mistral_pages(const struct engine_file *f, json_object *pages, struct rag_documents *out)
{
    size_t total = json_length(pages);

    out->n = 0;
    out->v = arena_new_array(f->mem, struct rag_document, total + 1);
    JSON_EACH (pages, i, page) {
        struct str text = str_trim(json_str(page, "markdown"));
        json_object *metadata = json_new_object(f->mem);
        int64_t number = json_int(page, "index", (int64_t)i);

        if (!text.n)
            continue;
        json_set_int(metadata, "page", number);
        json_set_int(metadata, "page_label", number + 1);
        json_set_int(metadata, "total_pages", (int64_t)total);
        json_set_str(metadata, "file_name", f->name);
        json_set_int(metadata, "file_size", (int64_t)f->bytes.n);
        json_set_c(metadata, "processing_engine", "mistral-ocr");
        out->v[out->n++] = (struct rag_document){ .text = text, .metadata = metadata };
    }
    return OK;
}

static struct str mistral_request(struct arena *mem, struct str url)
{
    json_object *o = json_new_object(mem), *document = json_set_object(o, "document");

    json_set_c(o, "model", "mistral-ocr-latest");
    json_set_c(document, "type", "document_url");
    json_set_str(document, "document_url", url);
    json_set_bool(o, "include_image_base64", false);
    return json_text(mem, o);
}

enum status engine_mistral(const struct engine_file *f, struct rag_documents *out, struct error *err)
{
    struct multipart m = multipart_begin(f->mem, f->bytes.n);
    json_object *answer = NULL, *ignored = NULL;
    struct str id = STR_NONE;
    enum status st;

    multipart_field(&m, "purpose", S("ocr"));
    multipart_file(&m, "file", f->name, S("application/pdf"), f->bytes);
    multipart_end(&m);
    st = mistral_call(f, "POST", S("files"), buf_str(&m.body), m.content_type, &answer, err);
    if (st == OK)
        id = url_encode(f->mem, json_str(answer, "id"));
    if (st == OK && !id.n)
        return error_set(err, FAILED, "Mistral OCR has not taken the file");
    if (st == OK)
        st = mistral_call(f, "GET", str_f(f->mem, "files/%s/url?expiry=1", id.p), STR_NONE, STR_NONE, &answer, err);
    if (st == OK)
        st = mistral_call(f, "POST", S("ocr"), mistral_request(f->mem, json_str(answer, "url")), S("application/json"),
                          &answer, err);
    if (id.n)
        mistral_call(f, "DELETE", str_f(f->mem, "files/%s", id.p), STR_NONE, STR_NONE, &ignored, NULL);
    return st == OK ? mistral_pages(f, json_get(answer, "pages"), out) : st;
}
