/* chat_search.c: the web is searched for a chat: queries, pages, and what they say as one more item to be searched. */
#include "handlers/chat_search.h"

#include "handlers/chat_files.h"
#include "handlers/chat_reply.h"
#include "lib/auth/auth.h"
#include "lib/base/log.h"
#include "lib/llm/messages.h"
#include "lib/rag/web_answer.h"

int search_check(struct request *r, struct response *out)
{
    if (!config_bool(r->config, CFG_ENABLE_WEB_SEARCH))
        return fail(out, 403, "Web search is disabled");
    if (!r->user->is_admin && !auth_permission(r->mem, r->db, r->config, r->user, "features.web_search"))
        return fail(out, 403, PROHIBITED_TEXT);
    return 0;
}

/* ---- what the user is told */

static json_object *line(struct step *s, const char *action, const char *description, bool done)
{
    json_object *o = json_new_object(s->r->mem);

    json_set_c(o, "action", action);
    if (description)
        json_set_c(o, "description", description);
    json_set_bool(o, "done", done);
    return o;
}

static void tell_failure(struct step *s, const char *description, json_object *queries)
{
    json_object *o = line(s, "web_search", description, true);

    if (queries)
        json_set(o, "queries", queries);
    json_set_bool(o, "error", true);
    step_status(s, o);
}

/* ---- the search, which takes its time: what was told before is shown meanwhile */

static void add_item(struct step *s, json_object *answer, json_object *queries, const char *member, json_object *value)
{
    json_object *items = json_get(s->state, "items"), *item = json_new_object(s->r->mem);
    struct buf name = BUF(s->r->mem, 64 * 1024);

    JSON_EACH (queries, i, query) {
        if (i)
            buf_add_c(&name, ", ");
        buf_add_str(&name, json_str_value(query));
    }
    json_set(item, member, value);
    json_set_str(item, "name", buf_str(&name));
    json_set_c(item, "type", "web_search");
    json_set(item, "urls", json_get(answer, "filenames"));
    json_set(item, "queries", queries);
    if (!items)
        items = json_set_array(s->state, "items");
    json_push(items, item);
}

static void use(struct step *s, json_object *answer, json_object *queries)
{
    json_object *o = line(s, "web_search", "Searched {{count}} sites", true);

    JSON_EACH (json_get(answer, "collection_names"), i, name)
        add_item(s, answer, queries, "collection_name", name);
    if (json_length(json_get(answer, "docs")))
        add_item(s, answer, queries, "docs", json_get(answer, "docs"));
    json_set(o, "urls", json_get(answer, "filenames"));
    json_set(o, "items", json_get(answer, "items"));
    step_status(s, o);
}

static enum stage search(struct step *s)
{
    struct rag rag = { .mem = s->r->mem, .db = s->r->db, .config = s->r->config, .user = &s->user };
    json_object *queries = json_clone(s->r->mem, json_get(s->state, "queries")), *answer = NULL;
    enum web_answer_stage at;
    struct error err = { "" };

    json_del(s->state, "queries");
    if (web_answer(&rag, queries, &answer, &at, &err) == OK) {
        use(s, answer, queries);
    } else {
        log_warning("a chat's web search failed: %s", err.text);
        tell_failure(s, "An error occurred while searching the web", queries);
    }
    return STAGE_DONE;
}

static enum stage begin(struct step *s, json_object *queries)
{
    json_object *o;

    if (json_length(queries) == 0) {
        step_status(s, line(s, "web_search", "No search query generated", true));
        return STAGE_DONE;
    }
    o = line(s, "web_search_queries_generated", NULL, false);
    json_set(o, "queries", queries);
    step_status(s, o);
    json_set(s->state, "queries", queries);
    return stage_wait(s, "search");
}

static json_object *of_message(struct step *s)
{
    json_object *queries = json_new_array(s->r->mem);

    json_push_str(queries, message_text(messages_last_user(json_path(s->state, "form.messages"))));
    return queries;
}

enum stage stage_web_search(struct step *s, struct str waited_for)
{
    json_object *queries;

    if (str_is(waited_for, "search"))
        return search(s);
    if (str_is(waited_for, "queries")) {
        queries = queries_of_job(s);
        if (step_failed(s) || (json_length(queries) == 1 && !str_trim(json_str_value(json_at(queries, 0))).n))
            queries = of_message(s);
        return begin(s, queries);
    }
    step_status(s, line(s, "web_search", "Searching the web", false));
    if (config_bool(s->r->config, CFG_ENABLE_SEARCH_QUERY_GENERATION) && queries_ask(s))
        return stage_wait(s, "queries");
    return begin(s, of_message(s));
}
