/* chat_files.c: what is attached to a chat is searched, or read whole, for the model. */
#include "handlers/chat_files.h"

#include <time.h>

#include "handlers/chat_context.h"
#include "lib/base/log.h"
#include "lib/llm/messages.h"
#include "lib/rag/collections.h"
#include "lib/rag/query.h"
#include "lib/store/users.h"

enum { MAX_QUERIES = 16, MEMORIES = 3 };

static json_object *messages_of(struct step *s)
{
    return json_path(s->state, "form.messages");
}

static struct rag rag_for(struct step *s)
{
    return (struct rag){ .mem = s->r->mem, .db = s->r->db, .config = s->r->config, .user = &s->user };
}

/* ---- queries */

json_object *queries_of_job(struct step *s)
{
    struct str text = step_failed(s) ? STR_NONE : outcome_text(step_answer(s));
    json_object *answer = step_json_in(s, text), *queries = json_new_array(s->r->mem);

    if (!json_is(answer, json_type_object)) {
        if (str_trim(text).n)
            json_push_str(queries, text);
        return queries;
    }
    JSON_EACH (json_get(answer, "queries"), i, query)
        if (json_is(query, json_type_string) && json_length(queries) < MAX_QUERIES)
            json_push(queries, query);
    return queries;
}

bool queries_ask(struct step *s)
{
    json_object *form = json_new_object(s->r->mem);

    json_set(form, "messages", messages_of(s));
    return step_job(s, TASK_QUERIES, form, "prepare", s->state, s->plan) == OK;
}

/* ---- items */

json_object *files_of_model(struct arena *mem, json_object *knowledge)
{
    json_object *items = json_new_array(mem);

    JSON_EACH (knowledge, i, given) {
        json_object *item = json_new_object(mem);

        if (json_truthy(json_get(given, "collection_name"))) {
            json_set(item, "id", json_get(given, "collection_name"));
            json_set(item, "name", json_get(given, "name"));
            json_set_bool(item, "legacy", true);
        } else if (json_truthy(json_get(given, "collection_names"))) {
            json_set(item, "name", json_get(given, "name"));
            json_set_c(item, "type", "collection");
            json_set(item, "collection_names", json_get(given, "collection_names"));
            json_set_bool(item, "legacy", true);
        } else {
            item = given;
        }
        json_push(items, item);
    }
    return items;
}

static json_object *without_repeats(struct step *s, json_object *items)
{
    json_object *list = json_new_array(s->r->mem);

    JSON_EACH (items, i, item) {
        bool known = false;

        JSON_EACH (list, k, other)
            known |= json_same(item, other);
        if (!known)
            json_push(list, item);
    }
    return list;
}

static bool all_full(json_object *items)
{
    JSON_EACH (items, i, item)
        if (!str_is(json_str(item, "context"), "full"))
            return false;
    return true;
}

static bool has(json_object *list, struct str id)
{
    JSON_EACH (list, i, one)
        if (str_eq(json_str_value(one), id))
            return true;
    return false;
}

static size_t count_ids(struct step *s, json_object *sources)
{
    json_object *ids = json_new_array(s->r->mem);

    JSON_EACH (sources, i, source)
        for (size_t k = 0; k < json_length(json_get(source, "document")); k++) {
            struct str id = json_str(json_at(json_get(source, "metadata"), k), "source");

            if (!id.n)
                id = json_str(json_get(source, "source"), "id");
            if (!has(ids, id.n ? id : S("N/A")))
                json_push_str(ids, id.n ? id : S("N/A"));
        }
    return json_length(ids);
}

static void tell_queries(struct step *s, json_object *queries)
{
    json_object *status = json_new_object(s->r->mem);

    json_set_c(status, "action", "queries_generated");
    json_set(status, "queries", queries);
    json_set_bool(status, "done", false);
    step_status(s, status);
}

static void tell_sources(struct step *s, json_object *sources)
{
    json_object *status = json_new_object(s->r->mem);

    json_set_c(status, "action", "sources_retrieved");
    json_set_int(status, "count", (int64_t)count_ids(s, sources));
    json_set_bool(status, "done", true);
    step_status(s, status);
}

/* The owner of the model's knowledge, whose rights its users have on it. */
static const struct user *owner_of_model(struct step *s)
{
    struct user *owner = arena_new_one(s->r->mem, struct user);

    if (user_by_id(s->r->db, s->r->mem, json_str(s->state, "granted_by"), owner) != DB_ROW)
        return NULL;
    owner->is_admin = str_is(owner->role, "admin");
    return owner;
}

static enum stage search(struct step *s, json_object *items, json_object *granted, json_object *queries)
{
    struct rag rag = rag_for(s);
    struct str texts[MAX_QUERIES];
    struct rag_query q = { .texts = texts };
    bool full = all_full(items) && all_full(granted);
    json_object *sources = NULL;
    struct error err = { "" };

    if (json_length(queries) == 0)
        json_push_str(queries, message_text(messages_last_user(messages_of(s))));
    JSON_EACH (queries, i, query)
        texts[q.texts_n++] = json_str_value(query).p ? json_str_value(query) : S("");
    if (!full)
        tell_queries(s, queries);
    if (rag_sources(&rag, &q, full, items, granted, owner_of_model(s), &sources, &err) != OK) {
        log_error("the files of a chat could not be searched: %s", err.text);
        return STAGE_BROKEN;
    }
    JSON_EACH (sources, i, source)
        context_add(s, source);
    tell_sources(s, sources);
    return STAGE_DONE;
}

enum stage stage_files(struct step *s, struct str waited_for)
{
    json_object *items = without_repeats(s, json_get(s->state, "items")),
                *granted = without_repeats(s, json_get(s->state, "granted"));

    if (json_length(items) + json_length(granted) == 0)
        return STAGE_DONE;
    if (str_is(waited_for, "queries"))
        return search(s, items, granted, queries_of_job(s));
    if (!(all_full(items) && all_full(granted)) && config_bool(s->r->config, CFG_ENABLE_RETRIEVAL_QUERY_GENERATION) &&
        queries_ask(s))
        return stage_wait(s, "queries");
    return search(s, items, granted, json_new_array(s->r->mem));
}

/* ---- memories */

static void add_memory(struct buf *b, size_t number, json_object *document, json_object *metadata)
{
    time_t at = (time_t)json_int(metadata, "created_at", 0);
    char day[32] = "Unknown Date";
    struct tm tm;

    if (at && localtime_r(&at, &tm))
        strftime(day, sizeof(day), "%Y-%m-%d", &tm);
    buf_addf(b, "%zu. [%s] ", number, day);
    buf_add_str(b, json_str_value(document));
    buf_add_char(b, '\n');
}

enum stage stage_memory(struct step *s, struct str waited_for)
{
    struct rag rag = rag_for(s);
    struct str text = message_text(messages_last_user(messages_of(s)));
    struct rag_query q = { .texts = &text, .texts_n = 1, .k = MEMORIES, .hybrid = HYBRID_OFF, .plain = true };
    struct collection in = collection_of_memories(s->r->mem, s->user.id);
    json_object *found = NULL;
    struct buf b = BUF(s->r->mem, 1024 * 1024);
    struct error err = { "" };

    (void)waited_for;
    if (!text.p)
        text = S("");
    if (rag_query_collections(&rag, &q, &in, 1, &found, &err) != OK)
        log_info("memories could not be searched: %s", err.text);
    buf_add_c(&b, "User Context:\n");
    JSON_EACH (json_at(json_get(found, "documents"), 0), i, document)
        add_memory(&b, i + 1, document, json_at(json_at(json_get(found, "metadatas"), 0), i));
    buf_add_char(&b, '\n');
    messages_append_system(s->r->mem, messages_of(s), buf_str(&b));
    return STAGE_DONE;
}
