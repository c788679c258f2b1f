/* rerank.c: one call of a reranking server. */
#include "lib/rag/rerank.h"

#include "lib/llm/providers.h"
#include "lib/net/http.h"

bool rerank_is_set(struct config *c)
{
    return config_str(c, CFG_RAG_RERANKING_MODEL).n && str_is(config_str(c, CFG_RAG_RERANKING_ENGINE), "external");
}

static struct str body_of(struct config *c, struct arena *mem, struct str question, const struct str *texts, size_t n)
{
    json_object *body = json_new_object(mem), *documents;

    json_set_str(body, "model", config_str(c, CFG_RAG_RERANKING_MODEL));
    json_set_str(body, "query", question);
    documents = json_set_array(body, "documents");
    for (size_t i = 0; i < n; i++)
        json_push_str(documents, texts[i]);
    json_set_int(body, "top_n", (int64_t)n);
    return json_text(mem, body);
}

static enum status take(struct arena *mem, const struct http_call *call, size_t n, double *scores, struct error *err)
{
    json_object *results;
    size_t seen = 0;

    if (call->result != OK)
        return error_set(err, call->result, "the reranking server could not be reached: %s", call->err.text);
    if (call->status >= 400)
        return error_set(err, FAILED, "the reranking server answered %d", call->status);
    results = json_get(json_parse_or_null(mem, call->response), "results");
    JSON_EACH (results, i, one) {
        int64_t index = json_int(one, "index", -1);

        if (index < 0 || (size_t)index >= n)
            continue;
        scores[index] = json_double(one, "relevance_score", 0);
        seen++;
    }
    return seen >= n ? OK
                     : error_set(err, FAILED, "the reranking server answered with %zu scores for %zu texts", seen, n);
}

enum status rerank_texts(struct config *c, struct arena *mem, const struct user *u, struct str question,
                         const struct str *texts, size_t n, double *scores, struct error *err)
{
    struct http_header headers[8] = {
        { S("Content-Type"), S("application/json") },
        { S("Authorization"), str_f(mem, "Bearer %.*s", STR(config_str(c, CFG_RAG_EXTERNAL_RERANKER_API_KEY))) }
    };
    struct http_call call = { .method = "POST",
                              .url = config_str(c, CFG_RAG_EXTERNAL_RERANKER_URL),
                              .headers = headers,
                              .headers_n = 2,
                              .body = body_of(c, mem, question, texts, n) };

    if (u && config_bool(c, CFG_ENABLE_FORWARD_USER_INFO_HEADERS)) {
        json_object *more = json_new_object(mem);

        provider_add_user(mem, more, u, STR_NONE);
        json_object_object_foreach(more, name, value) if (call.headers_n < 8)
            headers[call.headers_n++] = (struct http_header){ str_of(name), json_str_value(value) };
    }
    http_run(mem, &call, 1);
    return take(mem, &call, n, scores, err);
}
