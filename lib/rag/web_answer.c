/* web_answer.c: a web search from the queries to what can be asked about it. */
#include "lib/rag/web_answer.h"

#include "lib/base/log.h"
#include "lib/rag/collections.h"
#include "lib/rag/web_search.h"

static json_object *docs_json(struct arena *mem, struct rag_documents docs)
{
    json_object *list = json_new_array(mem);

    for (size_t i = 0; i < docs.n; i++) {
        json_object *o = json_new_object(mem);

        json_set_str(o, "content", docs.v[i].text);
        json_set(o, "metadata", docs.v[i].metadata);
        json_push(list, o);
    }
    return list;
}

static enum status save(const struct rag *rag, struct rag_documents docs, struct str name, struct error *err)
{
    struct rag_save how = { .overwrite = true };
    enum status st = collection_for(rag->db, rag->mem, rag->user, name, COLLECTION_WRITE, &how.to, err);

    if (st != OK)
        return st;
    st = rag_save_documents(rag, docs, &how, err); /* what was found is answered all the same, as in Python */
    if (st == OK || rag_missing(rag->config))
        return st;
    log_warning("the results of a web search are not saved: %s", err->text);
    return OK;
}

enum status web_answer(const struct rag *rag, json_object *queries, json_object **out, enum web_answer_stage *at,
                       struct error *err)
{
    struct web_results found = { NULL, 0 };
    struct rag_documents docs = { NULL, 0 };
    json_object *o = json_new_object(rag->mem), *urls = json_new_array(rag->mem);
    struct str name = web_search_collection(rag->mem, queries);
    enum status st;

    *at = WEB_SEARCHES;
    st = web_search(rag, queries, &found, err);
    if (st != OK)
        return st;
    *at = WEB_LOADS;
    st = web_load_results(rag, &found, &docs, err);
    if (st != OK)
        return st;
    *at = WEB_SAVES;
    json_set_bool(o, "status", true);
    for (size_t i = 0; i < docs.n; i++)
        json_push_str(urls, json_str(docs.v[i].metadata, "source"));
    if (config_bool(rag->config, CFG_BYPASS_WEB_SEARCH_EMBEDDING_AND_RETRIEVAL)) {
        json_set_null(o, "collection_name");
        json_set(o, "docs", docs_json(rag->mem, docs));
    } else {
        st = save(rag, docs, name, err);
        if (st != OK)
            return st;
        json_push_str(json_set_array(o, "collection_names"), name);
    }
    json_set(o, "filenames", urls);
    json_set(o, "items", web_results_json(rag->mem, &found, urls));
    json_set_int(o, "loaded_count", (int64_t)docs.n);
    *out = o;
    return OK;
}
