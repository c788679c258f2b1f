/* sources.c: what the things attached to a chat say about its questions. */
#include "lib/auth/auth.h"
#include "lib/base/log.h"
#include "lib/chat/document.h"
#include "lib/rag/collections.h"
#include "lib/rag/query.h"
#include "lib/store/chats.h"
#include "lib/store/files.h"
#include "lib/store/knowledge.h"
#include "lib/store/notes.h"

struct gathering {
    const struct rag *rag;
    const struct rag_query *q;
    bool full_context;
    json_object *used; /* {collection name: true}: each is searched for the first item that names it */
    json_object *out;
};

/* What is found for one item. */
struct finding {
    json_object *documents, *metadatas, *distances; /* distances NULL: none. documents NULL: nothing was found */
    json_object *names;                             /* collections to search, if documents is NULL */
};

static void one_text(struct gathering *g, struct finding *f, json_object *text, json_object *metadata)
{
    f->documents = json_new_array(g->rag->mem);
    f->metadatas = json_new_array(g->rag->mem);
    json_push(f->documents, text);
    json_push(f->metadatas, metadata);
}

static json_object *named(struct gathering *g, struct str id, struct str name, bool as_source)
{
    json_object *o = json_new_object(g->rag->mem);

    json_set_str(o, "file_id", id);
    json_set_str(o, "name", name);
    if (as_source)
        json_set_str(o, "source", name);
    return o;
}

static json_object *or_empty(struct gathering *g, json_object *o)
{
    return o ? o : json_new_object(g->rag->mem);
}

static bool is_full(struct gathering *g, json_object *item)
{
    return str_is(json_str(item, "context"), "full") || config_bool(g->rag->config, CFG_BYPASS_EMBEDDING_AND_RETRIEVAL);
}

static enum status db_failed(struct gathering *g, struct error *err)
{
    log_error("%s", db_error(g->rag->db));
    return error_set(err, db_unavailable(g->rag->db) ? UNAVAILABLE : FAILED, "the database does not answer");
}

/* ---- rights: what the owner of a model may read, its users may ask through it. owner NULL: only what the user himself may read */

static bool may_read(struct gathering *g, const struct user *u, struct str user_id, struct str access_control)
{
    return u && (u->is_admin || str_eq(u->id, user_id) ||
                 auth_access(g->rag->mem, g->rag->db, u->id, "read", access_control));
}

static bool either_may_read(struct gathering *g, const struct user *owner, struct str user_id,
                            struct str access_control)
{
    return may_read(g, g->rag->user, user_id, access_control) || may_read(g, owner, user_id, access_control);
}

static enum status collection_of(struct gathering *g, const struct user *owner, struct str name, struct collection *out,
                                 struct error *err)
{
    const struct rag *rag = g->rag;
    enum status st = NOT_FOUND;

    if (owner)
        st = collection_for(rag->db, rag->mem, owner, name, COLLECTION_READ, out, err);
    if (st == NOT_FOUND)
        st = collection_for(rag->db, rag->mem, rag->user, name, COLLECTION_READ, out, err);
    return st;
}

/* ---- by type */

static enum status of_text(struct gathering *g, json_object *item, const struct user *owner, struct finding *f,
                           struct error *err)
{
    json_object *file = json_get(item, "file"), *in_file = json_path(file, "data.content");

    (void)owner;
    (void)err;
    if (json_truthy(file) && (str_is(json_str(item, "context"), "full") || !json_str(item, "collection_name").n))
        one_text(g, f, in_file, or_empty(g, json_get(file, "meta")));
    else if (json_str(item, "collection_name").n)
        json_push_str(f->names, json_str(item, "collection_name"));
    else
        one_text(g, f, json_get(item, "content"), named(g, json_str(item, "id"), json_str(item, "name"), false));
    return OK;
}

static enum status of_note(struct gathering *g, json_object *item, const struct user *owner, struct finding *f,
                           struct error *err)
{
    const struct rag *rag = g->rag;
    struct note n;
    struct str text;

    switch (note_by_id(rag->db, rag->mem, json_str(item, "id"), &n)) {
    case DB_ERROR: return db_failed(g, err);
    case DB_DONE: return OK;
    case DB_ROW: break;
    }
    if (!either_may_read(g, owner, n.user_id, n.access_control))
        return OK;
    text = json_str(json_path(json_parse_or_null(rag->mem, n.data), "content"), "md");
    one_text(g, f, json_new_str(rag->mem, text.p ? text : S("")), named(g, n.id, n.title, false));
    return OK;
}

static struct str as_text(struct arena *mem, json_object *content)
{
    return json_is(content, json_type_string) ? json_str_value(content) : content ? json_text(mem, content) : S("None");
}

static struct str conversation(struct arena *mem, json_object *messages)
{
    struct buf b = BUF(mem, STR_NPOS);

    JSON_EACH (messages, i, m) {
        struct str role = json_str(m, "role").p ? json_str(m, "role") : S("user");

        if (i)
            buf_add_char(&b, '\n');
        buf_add_c(&b, "#### ");
        if (role.n) /* str.capitalize() */
            buf_add_char(&b, (char)(role.p[0] >= 'a' && role.p[0] <= 'z' ? role.p[0] - 32 : role.p[0]));
        buf_add_str(&b, str_lower(mem, str_from(role, 1)));
        buf_add_char(&b, '\n');
        buf_add_str(&b, as_text(mem, json_get(m, "content")));
        buf_add_char(&b, '\n');
    }
    return buf_str(&b);
}

static enum status of_chat(struct gathering *g, json_object *item, const struct user *owner, struct finding *f,
                           struct error *err)
{
    const struct rag *rag = g->rag;
    struct str id = json_str(item, "id"), current;
    struct chat c;
    enum db_status st = rag->user->is_admin ? chat_by_id(rag->db, rag->mem, id, &c)
                                            : chat_of_user(rag->db, rag->mem, id, rag->user->id, &c);

    (void)owner; /* chats are given away by nobody */
    if (st == DB_ERROR)
        return db_failed(g, err);
    if (st == DB_DONE)
        return OK;
    current = json_str(json_path(json_parse_or_null(rag->mem, c.document), "history"), "currentId");
    if (current.n && document_has_messages(c.document))
        one_text(g, f, json_new_str(rag->mem, conversation(rag->mem, document_branch(rag->mem, c.document, current))),
                 named(g, c.id, c.title, false));
    return OK;
}

/* Whole files, in the order of ids. */
static enum status whole_files(struct gathering *g, json_object *ids, struct finding *f, struct error *err)
{
    const struct rag *rag = g->rag;
    struct file *files;
    size_t n;

    if (files_by_ids(rag->db, rag->mem, json_text(rag->mem, ids), &files, &n) == DB_ERROR)
        return db_failed(g, err);
    f->documents = json_new_array(rag->mem);
    f->metadatas = json_new_array(rag->mem);
    JSON_EACH (ids, i, id) {
        struct str text;

        for (size_t k = 0; k < n; k++) {
            if (!str_eq(files[k].id, json_str_value(id)))
                continue;
            text = json_str(json_parse_or_null(rag->mem, files[k].data), "content");
            json_push_str(f->documents, text.p ? text : S(""));
            json_push(f->metadatas, named(g, files[k].id, files[k].filename, true));
            break;
        }
    }
    return OK;
}

static enum status of_file(struct gathering *g, json_object *item, const struct user *owner, struct finding *f,
                           struct error *err)
{
    const struct rag *rag = g->rag;
    struct str id = json_str(item, "id");
    json_object *data = json_path(item, "file.data"), *ids;
    struct str in_item = json_str(data, "content");
    struct collection own;
    enum status st;

    if (!is_full(g, item)) {
        json_push_str(f->names, json_truthy(json_get(item, "legacy")) ? id : collection_of_file(rag->mem, id).name);
        return OK;
    }
    if (in_item.n) { /* the client brought the text along */
        json_object *metadata = named(g, id, json_str(item, "name"), false);

        if (json_is(json_get(data, "metadata"), json_type_object))
            json_merge(metadata, json_get(data, "metadata"));
        one_text(g, f, json_get(data, "content"), metadata);
        return OK;
    }
    if (!id.n)
        return OK;
    st = collection_of(g, owner, collection_of_file(rag->mem, id).name, &own, err);
    if (st != OK)
        return st == NOT_FOUND ? OK : st;
    ids = json_new_array(rag->mem);
    json_push_str(ids, id);
    st = whole_files(g, ids, f, err);
    if (st == OK && json_length(f->documents) == 0)
        f->documents = NULL;
    return st;
}

static enum status of_collection(struct gathering *g, json_object *item, const struct user *owner, struct finding *f,
                                 struct error *err)
{
    const struct rag *rag = g->rag;
    struct str id = json_str(item, "id");
    struct knowledge k;
    json_object *ids;

    if (!is_full(g, item)) {
        if (!json_truthy(json_get(item, "legacy")))
            json_push_str(f->names, id);
        JSON_EACH (json_truthy(json_get(item, "legacy")) ? json_get(item, "collection_names") : NULL, i, name)
            json_push(f->names, name);
        return OK;
    }
    switch (knowledge_by_id(rag->db, rag->mem, id, &k)) {
    case DB_ERROR: return db_failed(g, err);
    case DB_DONE: return OK;
    case DB_ROW: break;
    }
    if (!either_may_read(g, owner, k.user_id, k.access_control))
        return OK;
    ids = knowledge_file_ids(rag->mem, &k);
    return whole_files(g, ids ? ids : json_new_array(rag->mem), f, err);
}

static enum status of_other(struct gathering *g, json_object *item, const struct user *owner, struct finding *f,
                            struct error *err)
{
    json_object *docs = json_get(item, "docs");

    (void)owner;
    (void)err;
    if (json_truthy(docs)) {
        f->documents = json_new_array(g->rag->mem);
        f->metadatas = json_new_array(g->rag->mem);
        JSON_EACH (docs, i, doc) {
            json_push(f->documents, json_get(doc, "content"));
            json_push(f->metadatas, json_get(doc, "metadata"));
        }
    } else if (json_str(item, "collection_name").n) {
        json_push(f->names, json_get(item, "collection_name"));
    } else {
        JSON_EACH (json_get(item, "collection_names"), i, name)
            json_push(f->names, name);
    }
    return OK;
}

static const struct {
    const char *type;
    enum status (*find)(struct gathering *g, json_object *item, const struct user *owner, struct finding *f,
                        struct error *err);
} types[] = {
    { "text", of_text }, { "note", of_note }, { "chat", of_chat }, { "file", of_file }, { "collection", of_collection },
    { NULL, of_other }
};

/* ---- searching */

/* The collections that the names stand for; those that were used before, or are not for this user, are left out. */
static enum status resolve(struct gathering *g, json_object *names, const struct user *owner, struct collection *out,
                           size_t *n, struct error *err)
{
    *n = 0;
    JSON_EACH (names, i, value) {
        struct str name = json_str_value(value);
        enum status st;

        if (!name.n || json_has(g->used, name.p))
            continue;
        json_set_bool(g->used, name.p, true);
        st = collection_of(g, owner, name, &out[*n], err);
        if (st == OK)
            ++*n;
        else if (st != NOT_FOUND)
            return st;
        else
            log_info("%s", err->text);
    }
    return OK;
}

static void whole_collections(struct gathering *g, const struct collection *in, size_t n, struct finding *f)
{
    const struct rag *rag = g->rag;

    f->documents = json_new_array(rag->mem);
    f->metadatas = json_new_array(rag->mem);
    for (size_t i = 0; i < n; i++) {
        struct vector_hits hits = { NULL, 0 };
        struct error err = { "" };

        if (vectors_get(rag->config, rag->mem, in[i], NULL, STR_NONE, &hits, &err) != OK)
            log_warning("collection %.*s is left out: %s", STR(in[i].name), err.text);
        for (size_t k = 0; k < hits.n; k++) {
            json_push_str(f->documents, hits.v[k].text);
            json_push(f->metadatas, json_parse_or_null(rag->mem, hits.v[k].metadata));
        }
    }
}

static enum status search(struct gathering *g, const struct user *owner, struct finding *f, struct error *err)
{
    const struct rag *rag = g->rag;
    struct collection *in = arena_new_array(rag->mem, struct collection, json_length(f->names) + 1);
    json_object *found = NULL;
    size_t n;
    enum status st = resolve(g, f->names, owner, in, &n, err);

    if (st != OK || n == 0)
        return st;
    if (g->full_context) {
        whole_collections(g, in, n, f);
    } else if (rag_query_collections(rag, g->q, in, n, &found, err) == OK) {
        f->documents = json_at(json_get(found, "documents"), 0);
        f->metadatas = json_at(json_get(found, "metadatas"), 0);
        f->distances = json_at(json_get(found, "distances"), 0);
    } else {
        log_warning("a chat goes on without its attachments: %s", err->text);
    }
    return OK;
}

static enum status gather(struct gathering *g, json_object *item, const struct user *owner, struct error *err)
{
    struct finding f = { .names = json_new_array(g->rag->mem) };
    json_object *source, *shown;
    enum status st;
    size_t i = 0;

    while (types[i].type && !str_is(json_str(item, "type"), types[i].type))
        i++;
    st = types[i].find(g, item, owner, &f, err);
    if (st == OK && !f.documents)
        st = search(g, owner, &f, err);
    if (st != OK || !f.documents)
        return st;
    shown = json_new_object(g->rag->mem);
    json_merge(shown, item);
    json_del(shown, "data");
    source = json_new_object(g->rag->mem);
    json_set(source, "source", shown);
    json_set(source, "document", f.documents);
    json_set(source, "metadata", f.metadatas);
    if (f.distances)
        json_set(source, "distances", f.distances);
    json_push(g->out, source);
    return OK;
}

enum status rag_sources(const struct rag *rag, const struct rag_query *q, bool full_context, json_object *items,
                        json_object *items_of_model, const struct user *owner, json_object **out, struct error *err)
{
    struct gathering g = { rag, q, full_context || config_bool(rag->config, CFG_RAG_FULL_CONTEXT),
                           json_new_object(rag->mem), json_new_array(rag->mem) };
    enum status st = OK;

    JSON_EACH (items, i, item)
        if (st == OK && json_is(item, json_type_object))
            st = gather(&g, item, NULL, err);
    JSON_EACH (items_of_model, i, item)
        if (st == OK && json_is(item, json_type_object))
            st = gather(&g, item, owner, err);
    if (st == OK)
        *out = g.out;
    return st;
}
