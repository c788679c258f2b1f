/* retrieval.c: /api/v1/retrieval: texts and pages into collections, and out of them. */
#include "handlers/retrieval.h"

#include "handlers/chat_reply.h"
#include "handlers/routes.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/rag/collections.h"
#include "lib/rag/web.h"
#include "lib/rag/web_answer.h"
#include "lib/rag/youtube.h"
#include "lib/store/files.h"
#include "lib/store/knowledge.h"

enum { WEB_NAME = 63 }; /* the longest name that the Python backend gives to a page */

/* ---- a text */

static int process_text(struct request *r, struct response *out)
{
    struct rag rag = rag_of(r);
    struct str text = form_str(r, "content"), name;
    struct rag_document doc = { text, json_new_object(r->mem) };
    struct rag_save how = { .metadata = NULL };
    json_object *o;
    struct error err = { "" };
    enum status st;
    int status;

    if (!find_target(r, out, sha256_hex(r->mem, text), &how.to, &name, &status))
        return status;
    json_set_str(doc.metadata, "name", form_str(r, "name"));
    json_set_str(doc.metadata, "created_by", r->user->id);
    st = rag_save_documents(&rag, (struct rag_documents){ &doc, 1 }, &how, &err);
    if (st != OK)
        return fail_retrieval(r, out, st, &err);
    o = json_new_object(r->mem);
    json_set_bool(o, "status", true);
    json_set_str(o, "collection_name", name);
    json_set_str(o, "content", text);
    return reply_json(out, o);
}

static const struct field text_form[] = { FIELD(STRING, "name", REQUIRED), FIELD(STRING, "content", REQUIRED),
                                          FIELD(STRING, "collection_name", OPTIONAL), END };

/* ---- pages and films */

static struct str joined(struct arena *mem, struct rag_documents docs)
{
    struct buf b = BUF(mem, STR_NPOS);

    for (size_t i = 0; i < docs.n; i++) {
        buf_add_c(&b, i ? " " : "");
        buf_add_str(&b, docs.v[i].text);
    }
    return buf_str(&b);
}

typedef enum status loader(const struct rag *rag, struct str url, struct rag_documents *out, struct error *err);

static int process_url(struct request *r, struct response *out, loader *load, bool may_bypass)
{
    struct rag rag = rag_of(r);
    struct str url = form_str(r, "url"), name;
    struct rag_documents docs = { NULL, 0 };
    struct rag_save how = { .overwrite = true };
    bool bypass = may_bypass && config_bool(r->config, CFG_BYPASS_WEB_SEARCH_EMBEDDING_AND_RETRIEVAL);
    json_object *o, *file, *meta;
    struct error err = { "" };
    enum status st;
    int status;

    if (!find_target(r, out, str_sub(sha256_hex(r->mem, url), 0, WEB_NAME), &how.to, &name, &status))
        return status;
    st = load(&rag, url, &docs, &err);
    if (st == OK && !bypass)
        st = rag_save_documents(&rag, docs, &how, &err);
    if (st != OK)
        return fail_retrieval_wrapped(r, out, st, &err);
    o = json_new_object(r->mem);
    json_set_bool(o, "status", true);
    json_set_str(o, "collection_name", bypass ? STR_NONE : name);
    json_set_str(o, "filename", url);
    file = json_set_object(o, "file");
    json_set_str(json_set_object(file, "data"), "content", joined(r->mem, docs));
    meta = json_set_object(file, "meta");
    json_set_str(meta, "name", url);
    if (may_bypass)
        json_set_str(meta, "source", url);
    return reply_json(out, o);
}

static enum status load_page(const struct rag *rag, struct str url, struct rag_documents *out, struct error *err)
{
    return web_load(rag, &url, 1, out, err);
}

static int process_web(struct request *r, struct response *out)
{
    return process_url(r, out, load_page, true);
}

static int process_youtube(struct request *r, struct response *out)
{
    return process_url(r, out, youtube_load, false);
}

static const struct field url_form[] = { FIELD(STRING, "url", REQUIRED), FIELD(STRING, "collection_name", OPTIONAL),
                                         END };

/* ---- searching the web */

static int search_web(struct request *r, struct response *out)
{
    struct rag rag = rag_of(r);
    json_object *answer;
    enum web_answer_stage at;
    struct error err = { "" };
    enum status st = web_answer(&rag, form_json(r, "queries"), &answer, &at, &err);

    if (st == OK)
        return reply_json(out, answer);
    if (at == WEB_SEARCHES)
        return fail(out, st == NOT_FOUND ? 501 : 400, "%s", err.text);
    return at == WEB_LOADS ? fail_retrieval_wrapped(r, out, st, &err) : fail_retrieval(r, out, st, &err);
}

static const struct field search_form[] = { FIELD(LIST_OF_STRINGS, "queries", REQUIRED), END };

/* ---- out of collections */

static int delete_entries(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);
    struct error err = { "" };
    bool found = false;
    struct file f;
    enum db_status got = file_by_id(r->db, r->mem, form_str(r, "file_id"), &f);
    enum status st;

    if (got == DB_ERROR)
        return fail_db(out, r->db);
    if (got == DB_ROW && f.hash.n) {
        st = vectors_delete_anywhere(r->config, form_str(r, "collection_name"), "hash", f.hash, &found, &err);
        if (st != OK)
            return fail_retrieval(r, out, st, &err);
    }
    json_set_bool(o, "status", found);
    return reply_json(out, o);
}

static const struct field delete_form[] = { FIELD(STRING, "collection_name", REQUIRED),
                                            FIELD(STRING, "file_id", REQUIRED), END };

static int reset_vectors(struct request *r, struct response *out)
{
    struct error err = { "" };
    enum status st = vectors_reset(r->config, &err);

    if (st != OK)
        return fail_retrieval(r, out, st, &err);
    return knowledge_delete_all(r->db) == DB_ERROR ? fail_db(out, r->db) : reply_null(out);
}

/* What asks other servers, or splits and embeds, runs in a worker: it may take long, and must not hold a responder. */
const struct route retrieval_routes[] = {
    { POST, "/api/v1/retrieval/process/text", VERIFIED, process_text, .form = text_form, .server = SIDECAR,
      .about = "Puts a text into a collection" },
    { POST, "/api/v1/retrieval/process/youtube", VERIFIED, process_youtube, .form = url_form, .server = SIDECAR,
      .about = "Puts the transcript of a film into a collection" },
    { POST, "/api/v1/retrieval/process/web", VERIFIED, process_web, .form = url_form, .server = SIDECAR,
      .about = "Puts a web page into a collection" },
    { POST, "/api/v1/retrieval/process/web/search", VERIFIED, search_web, .form = search_form, .server = SIDECAR,
      .about = "Searches the web and puts what is found into a collection" },
    { POST, "/api/v1/retrieval/delete", ADMIN, delete_entries, .form = delete_form,
      .about = "Takes a file out of a collection" },
    { POST, "/api/v1/retrieval/reset/db", ADMIN, reset_vectors, .about = "Empties all collections" },
    END
};
