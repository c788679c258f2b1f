/* hybrid.c: search by words and by vectors. */
#include "lib/rag/hybrid.h"

#include "lib/base/log.h"
#include "lib/rag/bm25.h"
#include "lib/rag/rerank.h"

enum { RANK_CONSTANT = 60 };

struct candidate {
    struct vector_hit item;
    double rank; /* reciprocal rank, weighted */
    size_t order;
};

struct candidates {
    struct candidate *v;
    size_t n;
};

static void add_text(int64_t number, struct str text, void *arg)
{
    bm25_add(arg, number, text);
}

static enum status by_words(const struct rag *rag, struct str question, const float *vector, size_t dim,
                            struct collection in, size_t k, struct vector_hits *out, struct error *err)
{
    struct bm25 *words = bm25_new(question);
    enum status st = vectors_each(rag->config, in, add_text, words, err);
    int64_t *numbers;
    size_t n;

    if (st == OK) {
        n = bm25_best(words, rag->mem, k, &numbers);
        st = vectors_fetch(rag->config, rag->mem, in, numbers, n, vector, dim, out, err);
    }
    bm25_free(words);
    return st;
}

/* A text that both have counts twice; it is there once. */
static void add_ranked(struct candidates *all, const struct vector_hits *hits, double weight)
{
    for (size_t i = 0; i < hits->n; i++) {
        size_t at = 0;

        while (at < all->n && !str_eq(all->v[at].item.text, hits->v[i].text))
            at++;
        if (at == all->n)
            all->v[all->n++] = (struct candidate){ .item = hits->v[i], .order = at };
        all->v[at].rank += weight / (double)(i + 1 + RANK_CONSTANT);
    }
}

static int by_rank(const void *x, const void *y)
{
    const struct candidate *a = x, *b = y;

    if (a->rank != b->rank)
        return a->rank < b->rank ? 1 : -1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static enum status collect(const struct rag *rag, const struct rag_query *q, struct str question, const float *vector,
                           size_t dim, struct collection in, struct candidates *all, struct error *err)
{
    struct vector_hits words = { NULL, 0 }, near = { NULL, 0 };
    double weight = q->bm25_weight < 0 ? 0 : q->bm25_weight > 1 ? 1 : q->bm25_weight;
    enum status st = vectors_exists(rag->config, in, err);

    if (st == OK && weight > 0)
        st = by_words(rag, question, vector, dim, in, (size_t)q->k, &words, err);
    if (st == OK && weight < 1)
        st = vectors_search(rag->config, rag->mem, in, vector, dim, (size_t)q->k, &near, err);
    if (st != OK)
        return st;
    all->v = arena_new_array(rag->mem, struct candidate, words.n + near.n + 1);
    add_ranked(all, &words, weight < 1 ? weight : 1);
    add_ranked(all, &near, weight > 0 ? 1 - weight : 1);
    qsort(all->v, all->n, sizeof(*all->v), by_rank);
    return OK;
}

struct scored {
    double score;
    size_t order;
};

static int by_score(const void *x, const void *y)
{
    const struct scored *a = x, *b = y;

    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* A reranker that does not answer costs its order, not the search. */
static void rerank(const struct rag *rag, struct str question, const struct candidates *all, double *scores)
{
    struct str *texts = arena_new_array(rag->mem, struct str, all->n + 1);
    struct error err = { "" };

    for (size_t i = 0; i < all->n; i++) {
        texts[i] = all->v[i].item.text;
        scores[i] = all->v[i].item.cosine;
    }
    if (!rerank_is_set(rag->config) || all->n == 0)
        return;
    if (rerank_texts(rag->config, rag->mem, rag->user, question, texts, all->n, scores, &err) == OK)
        return;
    log_warning("pieces stay in the order of their vectors: %s", err.text);
    for (size_t i = 0; i < all->n; i++)
        scores[i] = all->v[i].item.cosine;
}

enum status hybrid_search(const struct rag *rag, const struct rag_query *q, struct str question, const float *vector,
                          size_t dim, struct collection in, struct hybrid_hits *out, struct error *err)
{
    struct candidates all = { NULL, 0 };
    enum status st = collect(rag, q, question, vector, dim, in, &all, err);
    size_t most = (size_t)(q->k < q->k_reranker ? q->k : q->k_reranker), n = 0;
    struct scored *order;
    double *scores;

    if (st != OK)
        return st;
    scores = arena_new_array(rag->mem, double, all.n + 1);
    order = arena_new_array(rag->mem, struct scored, all.n + 1);
    rerank(rag, question, &all, scores);
    for (size_t i = 0; i < all.n; i++)
        if (q->relevance == 0 || scores[i] >= q->relevance)
            order[n++] = (struct scored){ scores[i], i };
    qsort(order, n, sizeof(*order), by_score);
    out->n = n < most ? n : most;
    out->v = arena_new_array(rag->mem, struct hybrid_hit, out->n + 1);
    for (size_t i = 0; i < out->n; i++)
        out->v[i] = (struct hybrid_hit){ all.v[order[i].order].item, order[i].score };
    return OK;
}
