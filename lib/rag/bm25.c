/* bm25.c: BM25 over texts that pass by. */
#include "lib/rag/bm25.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/random.h"
#include "lib/rag/pytext.h"

enum { MAX_WORDS = 64 }; /* of a question; more are ignored */

static const double k1 = 1.5, b = 0.75, epsilon = 0.25;

struct word {           /* of the vocabulary */
    uint64_t hash;      /* 0: free */
    uint32_t texts;     /* in how many texts it is */
    uint32_t last_text; /* counted from 1 */
};

struct text {
    int64_t number;
    double score;
    uint32_t words; /* its length */
};

struct bm25 {
    struct arena *mem;
    uint64_t seed;
    struct str words[MAX_WORDS]; /* of the question; one that is there twice counts twice */
    size_t words_n;
    struct word *vocabulary; /* open addressing, a power of two of places */
    size_t places, used;
    struct text *texts;
    uint32_t *counts; /* texts_n rows of words_n: how often each word of the question is in the text */
    size_t texts_n, texts_room;
    double words_total;
};

static bool next_word(struct str *rest, struct str *word)
{
    size_t bytes, n = 0;

    while (rest->n && point_is_space(utf8_at(*rest, &bytes)))
        *rest = str_from(*rest, bytes);
    while (n < rest->n && !point_is_space(utf8_at(str_from(*rest, n), &bytes)))
        n += bytes;
    *word = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    return n > 0;
}

struct bm25 *bm25_new(struct str question)
{
    struct arena *mem = arena_new(64 * 1024);
    struct bm25 *m = arena_new_one(mem, struct bm25);
    struct str word;

    m->mem = mem;
    random_bytes(&m->seed, sizeof(m->seed));
    while (m->words_n < MAX_WORDS && next_word(&question, &word))
        m->words[m->words_n++] = word;
    m->places = 1024;
    m->vocabulary = calloc(m->places, sizeof(*m->vocabulary));
    if (!m->vocabulary)
        abort();
    return m;
}

void bm25_free(struct bm25 *m)
{
    free(m->vocabulary);
    free(m->texts);
    free(m->counts);
    arena_free(m->mem);
}

/* FNV-1a from a secret start, mixed: uploaded texts must not be able to make all words fall on one place. */
static uint64_t hash_of(const struct bm25 *m, struct str word)
{
    uint64_t h = m->seed ^ 1469598103934665603u;

    for (size_t i = 0; i < word.n; i++)
        h = (h ^ (unsigned char)word.p[i]) * 1099511628211u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    return h ? h : 1;
}

static struct word *place_of(struct word *v, size_t places, uint64_t hash)
{
    size_t i = hash & (places - 1);

    while (v[i].hash && v[i].hash != hash)
        i = (i + 1) & (places - 1);
    return &v[i];
}

static void grow_vocabulary(struct bm25 *m)
{
    struct word *larger = calloc(m->places * 2, sizeof(*larger));

    if (!larger)
        abort();
    for (size_t i = 0; i < m->places; i++)
        if (m->vocabulary[i].hash)
            *place_of(larger, m->places * 2, m->vocabulary[i].hash) = m->vocabulary[i];
    free(m->vocabulary);
    m->vocabulary = larger;
    m->places *= 2;
}

static void count_word(struct bm25 *m, struct str word)
{
    uint64_t hash = hash_of(m, word);
    struct word *w = place_of(m->vocabulary, m->places, hash);

    if (!w->hash) {
        w->hash = hash;
        m->used++;
    }
    if (w->last_text != m->texts_n) {
        w->last_text = (uint32_t)m->texts_n;
        w->texts++;
    }
    if (m->used * 2 > m->places)
        grow_vocabulary(m);
}

static void make_room(struct bm25 *m)
{
    if (m->texts_n < m->texts_room)
        return;
    m->texts_room = m->texts_room ? m->texts_room * 2 : 256;
    m->texts = realloc(m->texts, m->texts_room * sizeof(*m->texts));
    m->counts = realloc(m->counts, m->texts_room * (m->words_n + 1) * sizeof(*m->counts));
    if (!m->texts || !m->counts)
        abort();
}

void bm25_add(struct bm25 *m, int64_t number, struct str text)
{
    struct text *t;
    uint32_t *counts;
    struct str word;

    make_room(m);
    t = &m->texts[m->texts_n];
    counts = m->counts + m->texts_n * m->words_n;
    m->texts_n++;
    *t = (struct text){ .number = number };
    memset(counts, 0, m->words_n * sizeof(*counts));
    while (next_word(&text, &word)) {
        t->words++;
        count_word(m, word);
        for (size_t i = 0; i < m->words_n; i++)
            counts[i] += str_eq(word, m->words[i]);
    }
    m->words_total += t->words;
}

static double idf(const struct bm25 *m, double texts)
{
    return log((double)m->texts_n - texts + 0.5) - log(texts + 0.5);
}

/* Words in more than half of the texts would count against a text; they get a small part of the average instead. */
static double average_idf(const struct bm25 *m)
{
    double sum = 0;

    for (size_t i = 0; i < m->places; i++)
        if (m->vocabulary[i].hash)
            sum += idf(m, m->vocabulary[i].texts);
    return m->used ? sum / (double)m->used : 0;
}

static void score_word(struct bm25 *m, size_t which, double average)
{
    const struct word *w = place_of(m->vocabulary, m->places, hash_of(m, m->words[which]));
    double value = w->hash ? idf(m, w->texts) : 0, average_words = m->words_total / (double)m->texts_n;

    if (value < 0)
        value = epsilon * average;
    for (size_t i = 0; i < m->texts_n && average_words > 0; i++) {
        double n = m->counts[i * m->words_n + which];

        m->texts[i].score += value *
                             (n * (k1 + 1) / (n + k1 * (1 - b + b * (double)m->texts[i].words / average_words)));
    }
}

static int compare(const void *x, const void *y)
{
    const struct text *p = x, *q = y;

    if (p->score != q->score)
        return p->score < q->score ? 1 : -1;
    return p->number < q->number ? 1 : p->number > q->number ? -1 : 0;
}

size_t bm25_best(struct bm25 *m, struct arena *mem, size_t k, int64_t **numbers)
{
    double average = average_idf(m);

    for (size_t i = 0; i < m->words_n; i++)
        score_word(m, i, average);
    if (m->texts_n)
        qsort(m->texts, m->texts_n, sizeof(*m->texts), compare);
    k = k < m->texts_n ? k : m->texts_n;
    *numbers = arena_new_array(mem, int64_t, k + 1);
    for (size_t i = 0; i < k; i++)
        (*numbers)[i] = m->texts[i].number;
    return k;
}
