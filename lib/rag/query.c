/* query.c: questions to collections. */
#include "lib/rag/query.h"

#include "lib/base/log.h"
#include "lib/rag/embed.h"
#include "lib/rag/hybrid.h"

struct found { /* a text with its best score */
    struct str text;
    json_object *metadata;
    double distance;
    size_t order;
};

struct all_found {
    struct found *v;
    size_t n, room;
};

bool rag_is_hybrid(const struct rag *rag, const struct rag_query *q)
{
    return q->hybrid != HYBRID_OFF && config_bool(rag->config, CFG_ENABLE_RAG_HYBRID_SEARCH);
}

static struct rag_query filled(const struct rag *rag, const struct rag_query *q)
{
    struct rag_query f = *q;

    if (!f.k)
        f.k = config_int(rag->config, CFG_RAG_TOP_K);
    if (!f.k_reranker)
        f.k_reranker = config_int(rag->config, CFG_RAG_TOP_K_RERANKER);
    if (f.relevance == 0)
        f.relevance = config_double(rag->config, CFG_RAG_RELEVANCE_THRESHOLD);
    if (f.bm25_weight == 0)
        f.bm25_weight = config_double(rag->config, CFG_RAG_HYBRID_BM25_WEIGHT);
    f.k = f.k > 0 ? f.k : 0;
    f.k_reranker = f.k_reranker > 0 ? f.k_reranker : 0;
    return f;
}

static void push_found(struct arena *mem, struct all_found *all, struct str text, json_object *metadata,
                       double distance)
{
    for (size_t i = 0; i < all->n; i++) {
        if (!str_eq(all->v[i].text, text))
            continue;
        if (distance > all->v[i].distance) {
            all->v[i].distance = distance;
            all->v[i].metadata = metadata;
        }
        return;
    }
    if (all->n == all->room) {
        size_t more = all->room ? all->room * 2 : 16;

        all->v = arena_grow(mem, all->v, all->room * sizeof(*all->v), more * sizeof(*all->v));
        all->room = more;
    }
    all->v[all->n] = (struct found){ text, metadata, distance, all->n };
    all->n++;
}

/* One question in one collection. */
static enum status search(const struct rag *rag, const struct rag_query *q, struct str question, const float *vector,
                          size_t dim, struct collection in, bool hybrid, struct hybrid_hits *out, struct error *err)
{
    struct vector_hits hits = { NULL, 0 };
    enum status st;

    if (hybrid)
        return hybrid_search(rag, q, question, vector, dim, in, out, err);
    st = vectors_search(rag->config, rag->mem, in, vector, dim, (size_t)q->k, &hits, err);
    if (st != OK)
        return st;
    out->n = hits.n;
    out->v = arena_new_array(rag->mem, struct hybrid_hit, hits.n + 1);
    for (size_t i = 0; i < hits.n; i++)
        out->v[i] = (struct hybrid_hit){ hits.v[i], (1 + hits.v[i].cosine) / 2 };
    return OK;
}

static json_object *metadata_of(const struct rag *rag, const struct hybrid_hit *hit, bool hybrid)
{
    json_object *o = json_parse_or_null(rag->mem, hit->item.metadata);

    if (hybrid && o)
        json_set_double(o, "score", hit->score);
    return o;
}

static json_object *list_in(struct arena *mem, json_object *o, const char *name)
{
    json_object *inner = json_new_array(mem);

    json_push(json_set_array(o, name), inner);
    return inner;
}

json_object *rag_hits_json(struct arena *mem, const struct vector_hits *hits)
{
    json_object *o = json_new_object(mem), *ids = list_in(mem, o, "ids"), *distances = list_in(mem, o, "distances"),
                *documents = list_in(mem, o, "documents"), *metadatas = list_in(mem, o, "metadatas");

    for (size_t i = 0; i < hits->n; i++) {
        json_push_str(ids, hits->v[i].id);
        json_push(distances, json_new_double(mem, (1 + hits->v[i].cosine) / 2));
        json_push_str(documents, hits->v[i].text);
        json_push(metadatas, json_parse_or_null(mem, hits->v[i].metadata));
    }
    return o;
}

static json_object *hybrid_json(const struct rag *rag, const struct hybrid_hits *hits)
{
    json_object *o = json_new_object(rag->mem), *distances = list_in(rag->mem, o, "distances"),
                *documents = list_in(rag->mem, o, "documents"), *metadatas = list_in(rag->mem, o, "metadatas");

    for (size_t i = 0; i < hits->n; i++) {
        json_push(distances, json_new_double(rag->mem, hits->v[i].score));
        json_push_str(documents, hits->v[i].item.text);
        json_push(metadatas, metadata_of(rag, &hits->v[i], true));
    }
    return o;
}

enum status rag_query_collection(const struct rag *rag, const struct rag_query *q, struct collection in,
                                 json_object **out, struct error *err)
{
    struct rag_query f = filled(rag, q);
    struct hybrid_hits found = { NULL, 0 };
    struct vector_hits hits = { NULL, 0 };
    struct embeddings vector;
    enum status st = embed_text(rag->config, rag->mem, rag->user, q->plain ? EMBED_PLAIN : EMBED_QUERY, f.texts[0],
                                &vector, err);

    if (st != OK)
        return st;
    if (rag_is_hybrid(rag, q))
        st = hybrid_search(rag, &f, f.texts[0], vector.v, vector.dim, in, &found, err);
    else
        st = vectors_search(rag->config, rag->mem, in, vector.v, vector.dim, (size_t)f.k, &hits, err);
    *out = NULL;
    if (st == NOT_FOUND ||
        st == INVALID) /* INVALID: another model's vectors; the Python backend answers null as well */
        return OK;
    if (st == OK)
        *out = rag_is_hybrid(rag, q) ? hybrid_json(rag, &found) : rag_hits_json(rag->mem, &hits);
    return st;
}

static int by_distance(const void *x, const void *y)
{
    const struct found *a = x, *b = y;

    if (a->distance != b->distance)
        return a->distance < b->distance ? 1 : -1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static json_object *merged(const struct rag *rag, struct all_found *all, size_t k)
{
    json_object *o = json_new_object(rag->mem), *distances = list_in(rag->mem, o, "distances"),
                *documents = list_in(rag->mem, o, "documents"), *metadatas = list_in(rag->mem, o, "metadatas");

    if (all->n)
        qsort(all->v, all->n, sizeof(*all->v), by_distance);
    for (size_t i = 0; i < all->n && i < k; i++) {
        json_push(distances, json_new_double(rag->mem, all->v[i].distance));
        json_push_str(documents, all->v[i].text);
        json_push(metadatas, all->v[i].metadata);
    }
    return o;
}

enum status rag_query_collections(const struct rag *rag, const struct rag_query *q, const struct collection *in,
                                  size_t in_n, json_object **out, struct error *err)
{
    struct rag_query f = filled(rag, q);
    bool hybrid = rag_is_hybrid(rag, q);
    struct all_found all = { 0 };
    struct embeddings vectors = { NULL, 0, 0 };
    enum status st = embed_texts(rag->config, rag->mem, rag->user, q->plain ? EMBED_PLAIN : EMBED_QUERY, f.texts,
                                 f.texts_n, &vectors, err);

    if (st != OK)
        return st;
    for (size_t i = 0; i < f.texts_n; i++) {
        for (size_t k = 0; k < in_n; k++) {
            struct hybrid_hits hits = { NULL, 0 };

            st = search(rag, &f, f.texts[i], vectors.v + i * vectors.dim, vectors.dim, in[k], hybrid, &hits, err);
            if (st != OK && st != NOT_FOUND)
                log_warning("collection %.*s is left out: %s", STR(in[k].name), err->text);
            for (size_t h = 0; h < hits.n && st == OK; h++)
                push_found(rag->mem, &all, hits.v[h].item.text, metadata_of(rag, &hits.v[h], hybrid), hits.v[h].score);
        }
    }
    *out = merged(rag, &all, (size_t)f.k);
    return OK;
}
