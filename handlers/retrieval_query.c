/* retrieval_query.c: /api/v1/retrieval: questions to collections; and what all files of the area share. */
#include "handlers/chat_reply.h"
#include "handlers/retrieval.h"
#include "handlers/routes.h"
#include "lib/base/log.h"
#include "lib/rag/collections.h"
#include "lib/rag/query.h"
#include "lib/rag/web.h"

enum { MAX_NAME = 512 };

struct rag rag_of(struct request *r)
{
    return (struct rag){ .mem = r->mem, .db = r->db, .config = r->config, .user = r->user };
}

static int status_of(struct request *r, enum status st, const struct error *err)
{
    const char *missing[] = { rag_missing(r->config), web_missing(r->config) };

    for (size_t i = 0; i < 2; i++)
        if (missing[i] && strcmp(missing[i], err->text) == 0)
            return 501;
    return st == UNAVAILABLE ? 503 : 400;
}

int fail_retrieval(struct request *r, struct response *out, enum status st, const struct error *err)
{
    return fail(out, status_of(r, st, err), "%s", err->text);
}

int fail_retrieval_wrapped(struct request *r, struct response *out, enum status st, const struct error *err)
{
    int status = status_of(r, st, err);

    return status == 400 ? fail(out, status, "[ERROR: %s]", err->text) : fail(out, status, "%s", err->text);
}

bool find_collection(struct request *r, struct response *out, struct str name, bool to_write, struct collection *c,
                     int *status)
{
    struct error err = { "" };

    switch (collection_for(r->db, r->mem, r->user, name, to_write ? COLLECTION_WRITE : COLLECTION_READ, c, &err)) {
    case OK: return true;
    case NOT_FOUND: *status = fail(out, 403, PROHIBITED_TEXT); return false;
    default: *status = fail_db(out, r->db); return false;
    }
}

bool find_target(struct request *r, struct response *out, struct str otherwise, struct collection *to, struct str *name,
                 int *status)
{
    *name = form_str(r, "collection_name").n ? form_str(r, "collection_name") : otherwise;
    if (name->n > MAX_NAME) {
        *status = fail(out, 400, "[ERROR: The name of the collection is too long]");
        return false;
    }
    return find_collection(r, out, *name, true, to, status);
}

int reply_embedding(struct request *r, struct response *out, enum embed_kind kind, struct str text)
{
    json_object *o = json_new_object(r->mem), *list = json_set_array(o, "result");
    struct embeddings vector;
    struct error err = { "" };
    enum status st = embed_text(r->config, r->mem, r->user, kind, text, &vector, &err);

    if (st != OK)
        return fail_retrieval(r, out, st, &err);
    for (size_t i = 0; i < vector.dim; i++)
        json_push(list, json_new_double(r->mem, (double)vector.v[i]));
    return reply_json(out, o);
}

static int show_embedding(struct request *r, struct response *out)
{
    return reply_embedding(r, out, EMBED_QUERY, path_arg(r, "text"));
}

/* ---- questions */

static struct rag_query query_of(struct request *r, const struct str *text)
{
    return (struct rag_query){ .texts = text,
                               .texts_n = 1,
                               .k = form_int(r, "k", 0),
                               .k_reranker = form_int(r, "k_reranker", 0),
                               .relevance = json_double(r->form, "r", 0),
                               .bm25_weight = json_double(r->form, "hybrid_bm25_weight", 0),
                               .hybrid = form_bool(r, "hybrid", true) ? HYBRID_AS_SET : HYBRID_OFF };
}

static int ask_one(struct request *r, struct response *out, struct str name, const struct rag_query *q)
{
    struct rag rag = rag_of(r);
    struct collection in;
    json_object *found;
    struct error err = { "" };
    enum status st;
    int status;

    if (!find_collection(r, out, name, false, &in, &status))
        return status;
    st = rag_query_collection(&rag, q, in, &found, &err);
    return st == OK ? reply_json(out, found) : fail_retrieval_wrapped(r, out, st, &err);
}

static int query_doc(struct request *r, struct response *out)
{
    struct str text = form_str(r, "query");
    struct rag_query q = query_of(r, &text);

    return ask_one(r, out, form_str(r, "collection_name"), &q);
}

/* The same as a GET, for clients that only read. */
static int query_get(struct request *r, struct response *out)
{
    struct str text = query_str(r, "query");
    struct rag_query q = { .texts = &text, .texts_n = 1, .k = query_int(r, "k", 0) };

    return ask_one(r, out, query_str(r, "collection_name"), &q);
}

static int query_collection(struct request *r, struct response *out)
{
    json_object *names = form_json(r, "collection_names"), *found;
    struct collection *in = arena_new_array(r->mem, struct collection, json_length(names) + 1);
    struct str text = form_str(r, "query");
    struct rag_query q = query_of(r, &text);
    struct rag rag = rag_of(r);
    struct error err = { "" };
    enum status st;
    size_t n = 0;
    int status;

    JSON_EACH (names, i, name) {
        if (json_str_value(name).n == 0)
            continue;
        if (!find_collection(r, out, json_str_value(name), false, &in[n], &status))
            return status;
        n++;
    }
    st = rag_query_collections(&rag, &q, in, n, &found, &err);
    return st == OK ? reply_json(out, found) : fail_retrieval_wrapped(r, out, st, &err);
}

#define NUMBERS                                                                                          \
    FIELD(INTEGER, "k", OPTIONAL), FIELD(INTEGER, "k_reranker", OPTIONAL), FIELD(NUMBER, "r", OPTIONAL), \
        FIELD(BOOLEAN, "hybrid", OPTIONAL), FIELD(NUMBER, "hybrid_bm25_weight", OPTIONAL)
static const struct field doc_form[] = { FIELD(STRING, "collection_name", REQUIRED), FIELD(STRING, "query", REQUIRED),
                                         NUMBERS, END };
static const struct field collection_form[] = { FIELD(LIST_OF_STRINGS, "collection_names", REQUIRED),
                                                FIELD(STRING, "query", REQUIRED), NUMBERS, END };
static const struct field get_query[] = { FIELD(STRING, "collection_name", REQUIRED), FIELD(STRING, "query", REQUIRED),
                                          FIELD(INTEGER, "k", OPTIONAL), END };

const struct route retrieval_query_routes[] = {
    { POST, "/api/v1/retrieval/query/doc", VERIFIED, query_doc, .form = doc_form, .server = SIDECAR,
      .about = "The pieces of a collection that are nearest to a question" },
    { POST, "/api/v1/retrieval/query/collection", VERIFIED, query_collection, .form = collection_form,
      .server = SIDECAR, .about = "The same of several collections together" },
    { GET, "/api/v1/retrieval/query", VERIFIED, query_get, .query = get_query, .server = SIDECAR,
      .about = "The pieces of a collection that are nearest to a question" },
    { GET, "/api/v1/retrieval/ef/{text}", VERIFIED, show_embedding, .server = SIDECAR,
      .about = "The vector of a text" },
    END
};
