/* memories.c: /api/v1/memories: the caller's own. What they mean is looked up in a collection of vectors, one a user. */
#include "handlers/list_reply.h"
#include "handlers/retrieval.h"
#include "handlers/routes.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/rag/collections.h"
#include "lib/rag/embed.h"
#include "lib/rag/query.h"
#include "lib/store/memories.h"

static int list(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);
    struct memory *memories;
    size_t n;

    if (memories_of_user(r->db, r->mem, r->user->id, &memories, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        memory_json(list_item(&reply), &memories[i]);
    return list_end(&reply, out);
}

static int reply_memory(struct response *out, const struct memory *m)
{
    struct buf b = BUF(out->mem, STR_NPOS);

    memory_json(&b, m);
    return reply_json_text(out, buf_str(&b));
}

/* ---- vectors */

static struct vector_item item_of(struct request *r, const struct memory *m, bool changed)
{
    json_object *metadata = json_new_object(r->mem);

    json_set_int(metadata, "created_at", m->created_at);
    if (changed)
        json_set_int(metadata, "updated_at", m->updated_at);
    return (struct vector_item){ .id = m->id, .text = m->content, .metadata = metadata };
}

static enum status embed(struct request *r, const struct str *texts, size_t n, struct embeddings *out,
                         struct error *err)
{
    return embed_texts(r->config, r->mem, r->user, EMBED_PLAIN, texts, n, out, err);
}

static enum status save(struct request *r, const struct vector_item *item, const struct embeddings *vector,
                        struct error *err)
{
    return vectors_put(r->config, collection_of_memories(r->mem, r->user->id), VECTORS_UPSERT, item, vector->v, 1,
                       vector->dim, err);
}

/* ---- one */

/* The vector comes first: a memory that nobody could find again is not kept. */
static int add(struct request *r, struct response *out)
{
    struct memory m = { .id = random_uuid(r->mem), .user_id = r->user->id, .content = form_str(r, "content") };
    struct embeddings vector;
    struct vector_item item;
    struct error err = { "" };
    enum status st = embed(r, &m.content, 1, &vector, &err);

    if (st != OK)
        return fail_retrieval(r, out, st, &err);
    m.created_at = m.updated_at = now_s();
    if (memory_insert(r->db, &m) == DB_ERROR)
        return fail_db(out, r->db);
    item = item_of(r, &m, false);
    st = save(r, &item, &vector, &err);
    if (st == OK)
        return reply_memory(out, &m);
    if (memory_delete(r->db, m.id, m.user_id) == DB_ERROR)
        log_error("memory %.*s stays without its vector: %s", STR(m.id), db_error(r->db));
    return fail_retrieval(r, out, st, &err);
}

static int update(struct request *r, struct response *out)
{
    struct str content = form_str(r, "content");
    struct embeddings vector = { NULL, 0, 0 };
    struct vector_item item;
    struct memory m;
    struct error err = { "" };
    enum status st = content.p ? embed(r, &content, 1, &vector, &err) : OK;

    if (st != OK)
        return fail_retrieval(r, out, st, &err);
    switch (memory_update(r->db, r->mem, path_arg(r, "memory_id"), r->user->id, content, now_s(), &m)) {
    case DB_ERROR: return fail_db(out, r->db);
    case DB_DONE: return fail(out, 404, "Memory not found");
    case DB_ROW: break;
    }
    item = item_of(r, &m, true);
    if (content.p)
        st = save(r, &item, &vector, &err);
    return st == OK ? reply_memory(out, &m) : fail_retrieval(r, out, st, &err);
}

static int delete_one(struct request *r, struct response *out)
{
    struct str id = path_arg(r, "memory_id");
    struct error err = { "" };
    enum status st;

    switch (memory_delete(r->db, id, r->user->id)) {
    case DB_ERROR: return fail_db(out, r->db);
    case DB_DONE: return reply_bool(out, false);
    case DB_ROW: break;
    }
    st = vectors_delete(r->config, collection_of_memories(r->mem, r->user->id), "id", id, &err);
    if (st != OK && st != NOT_FOUND)
        log_error("memory %.*s is deleted, its vector is not: %s", STR(id), err.text);
    return reply_bool(out, true);
}

/* ---- all */

static int delete_all(struct request *r, struct response *out)
{
    struct error err = { "" };
    enum status st;

    if (memories_delete(r->db, r->user->id) == DB_ERROR)
        return fail_db(out, r->db);
    st = vectors_drop(r->config, collection_of_memories(r->mem, r->user->id), &err);
    if (st != OK && st != NOT_FOUND)
        log_error("memories are deleted, their vectors are not: %s", err.text);
    return reply_bool(out, true);
}

static int query(struct request *r, struct response *out)
{
    struct str content = form_str(r, "content");
    struct embeddings vector;
    struct vector_hits hits;
    struct memory *memories;
    struct error err = { "" };
    int64_t k = form_int(r, "k", 1);
    enum status st;
    size_t n;

    if (memories_of_user(r->db, r->mem, r->user->id, &memories, &n) == DB_ERROR)
        return fail_db(out, r->db);
    if (n == 0)
        return fail(out, 404, "No memories found for user");
    st = embed(r, &content, 1, &vector, &err);
    if (st != OK)
        return fail_retrieval(r, out, st, &err);
    st = vectors_search(r->config, r->mem, collection_of_memories(r->mem, r->user->id), vector.v, vector.dim,
                        k > 0 ? (size_t)k : 0, &hits, &err);
    if (st == NOT_FOUND || st == INVALID) /* made by another model, say: reset makes them anew */
        return reply_null(out);
    return st == OK ? reply_json(out, rag_hits_json(r->mem, &hits)) : fail_retrieval(r, out, st, &err);
}

/* The vectors anew, from what is stored. */
static int reset(struct request *r, struct response *out)
{
    struct collection own = collection_of_memories(r->mem, r->user->id);
    struct embeddings vectors = { NULL, 0, 0 };
    struct vector_item *items;
    struct memory *memories;
    struct error err = { "" };
    struct str *texts;
    enum status st;
    size_t n;

    if (memories_of_user(r->db, r->mem, r->user->id, &memories, &n) == DB_ERROR)
        return fail_db(out, r->db);
    texts = arena_new_array(r->mem, struct str, n + 1);
    items = arena_new_array(r->mem, struct vector_item, n + 1);
    for (size_t i = 0; i < n; i++) {
        texts[i] = memories[i].content;
        items[i] = item_of(r, &memories[i], true);
    }
    st = n ? embed(r, texts, n, &vectors, &err) : OK;
    if (st == OK)
        st = n ? vectors_put(r->config, own, VECTORS_REPLACE, items, vectors.v, n, vectors.dim, &err)
               : vectors_drop(r->config, own, &err);
    return st == OK || (n == 0 && st == NOT_FOUND) ? reply_bool(out, true) : fail_retrieval(r, out, st, &err);
}

static int show_embedding(struct request *r, struct response *out)
{
    return reply_embedding(r, out, EMBED_PLAIN, S("hello world"));
}

static const struct field add_form[] = { FIELD(STRING, "content", REQUIRED), END };
static const struct field update_form[] = { FIELD(STRING, "content", OPTIONAL), END };
static const struct field query_form[] = { FIELD(STRING, "content", REQUIRED),
                                           FIELD(INTEGER, "k", OPTIONAL, .def = "1"), END };

/* What asks the embedding server runs in a worker: it may take long. */
const struct route memories_routes[] = {
    { GET, "/api/v1/memories/ef", VERIFIED, show_embedding, .server = SIDECAR,
      .about = "Whether texts can be embedded" },
    { GET, "/api/v1/memories/", VERIFIED, list, .about = "What the caller wants models to know of him" },
    { POST, "/api/v1/memories/add", VERIFIED, add, .form = add_form, .server = SIDECAR, .about = "A new memory" },
    { POST, "/api/v1/memories/query", VERIFIED, query, .form = query_form, .server = SIDECAR,
      .about = "The memories that are nearest to a text" },
    { POST, "/api/v1/memories/reset", VERIFIED, reset, .server = SIDECAR,
      .about = "Makes the vectors of all memories anew" },
    { DELETE, "/api/v1/memories/delete/user", VERIFIED, delete_all, .about = "Deletes all of the caller's memories" },
    { POST, "/api/v1/memories/{memory_id}/update", VERIFIED, update, .form = update_form, .server = SIDECAR,
      .about = "Changes a memory" },
    { DELETE, "/api/v1/memories/{memory_id}", VERIFIED, delete_one, .about = "Deletes a memory" },
    END
};
