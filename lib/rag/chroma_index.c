/* chroma_index.c: where Chroma has its vectors. */
#include "lib/rag/chroma_index.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/file.h"

enum { MAX_PICKLE = 1 << 30, MAX_DIM = 65536 };

struct entry { /* of the queue: a vector; of the index: a label */
    struct str id;
    const void *vector;
    int64_t label;
    size_t order;
};

struct entries {
    struct arena *mem;
    struct entry *v;
    size_t n, room;
};

struct place { /* of an element in data_level0.bin */
    int64_t label;
    const char *vector;
};

struct chroma_index {
    size_t dim;
    struct entries queue, labels; /* by id; of equals the newest last */
    struct place *places;         /* by label */
    size_t places_n;
};

static struct entry *push(struct entries *to, struct str id)
{
    if (to->n == to->room) {
        size_t more = to->room ? to->room * 2 : 256;

        to->v = arena_grow(to->mem, to->v, to->room * sizeof(*to->v), more * sizeof(*to->v));
        to->room = more;
    }
    to->v[to->n] = (struct entry){ .id = id, .order = to->n };
    return &to->v[to->n++];
}

static int by_id(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    int c = str_cmp(a->id, b->id);

    return c ? c : a->order < b->order ? -1 : a->order > b->order;
}

static void sort(struct entries *e)
{
    if (e->n)
        qsort(e->v, e->n, sizeof(*e->v), by_id);
}

/* The newest of that id. */
static const struct entry *find(const struct entries *e, struct str id)
{
    size_t low = 0, high = e->n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (str_cmp(e->v[mid].id, id) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 && str_eq(e->v[low - 1].id, id) ? &e->v[low - 1] : NULL;
}

/* ---- the queue */

static enum status read_queue(struct chroma_index *x, sqlite3 *db, struct str topic_end, struct error *err)
{
    static const char sql[] =
        "SELECT id, vector FROM embeddings_queue WHERE topic LIKE '%' || ?1 AND vector IS NOT NULL"
        " AND encoding = 'FLOAT32' ORDER BY seq_id";
    sqlite3_stmt *s = NULL;
    int code;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        return error_set(err, INVALID, "Chroma's queue: %s", sqlite3_errmsg(db));
    sqlite3_bind_text64(s, 1, topic_end.p, topic_end.n, SQLITE_STATIC, SQLITE_UTF8);
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        size_t bytes = (size_t)sqlite3_column_bytes(s, 1);
        void *vector;

        if (bytes != x->dim * sizeof(float))
            continue;
        vector = arena_alloc(x->queue.mem, bytes);
        memcpy(vector, sqlite3_column_blob(s, 1), bytes);
        push(&x->queue, str_copy(x->queue.mem, str_of((const char *)sqlite3_column_text(s, 0))))->vector = vector;
    }
    sqlite3_finalize(s);
    sort(&x->queue);
    return code == SQLITE_DONE ? OK : error_set(err, INVALID, "Chroma's queue: %s", sqlite3_errmsg(db));
}

/* ---- labels: a reader for the few operations of Python's pickle that such a dictionary is made of */

struct pickled {
    enum { PICKLED_OTHER, PICKLED_TEXT, PICKLED_NUMBER, PICKLED_STRUCTURE } type;
    struct str text;
    int64_t number;
    char code;
};

static uint64_t little_endian(struct str s, size_t bytes)
{
    uint64_t v = 0;

    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)(unsigned char)s.p[i] << 8 * i;
    return v;
}

/* One operation off the front; false: the end, or one that is not known. */
static bool next_pickled(struct str *rest, struct pickled *out)
{
    static const struct {
        char code;
        unsigned char argument; /* bytes of an argument */
        bool is_length;         /* which says how many bytes of text follow */
        int type;
    } operations[] = {
        { 'X', 4, true, PICKLED_TEXT },          { '\x8c', 1, true, PICKLED_TEXT },
        { 'J', 4, false, PICKLED_NUMBER },       { 'K', 1, false, PICKLED_NUMBER },
        { 'M', 2, false, PICKLED_NUMBER },       { '(', 0, false, PICKLED_STRUCTURE },
        { '}', 0, false, PICKLED_STRUCTURE },    { 'u', 0, false, PICKLED_STRUCTURE },
        { 's', 0, false, PICKLED_STRUCTURE },    { 'q', 1, false, PICKLED_STRUCTURE },
        { 'r', 4, false, PICKLED_STRUCTURE },    { '\x94', 0, false, PICKLED_STRUCTURE },
        { 'N', 0, false, PICKLED_OTHER },        { 'h', 1, false, PICKLED_OTHER },
        { 'j', 4, false, PICKLED_OTHER },        { '\x80', 1, false, PICKLED_STRUCTURE },
        { '\x95', 8, false, PICKLED_STRUCTURE },
    };

    for (size_t i = 0; rest->n && i < sizeof(operations) / sizeof(operations[0]); i++) {
        size_t length = operations[i].argument;
        uint64_t value;

        if (rest->p[0] != operations[i].code)
            continue;
        if (rest->n < 1 + length)
            return false;
        value = little_endian(str_from(*rest, 1), length < 8 ? length : 8);
        *rest = str_from(*rest, 1 + length);
        *out = (struct pickled){ .type = operations[i].type,
                                 .code = operations[i].code,
                                 .number = length == 4 ? (int32_t)(uint32_t)value : (int64_t)value };
        if (!operations[i].is_length)
            return true;
        if (value > rest->n)
            return false;
        out->text = str_sub(*rest, 0, (size_t)value);
        *rest = str_from(*rest, (size_t)value);
        return true;
    }
    return false;
}

void chroma_read_labels(struct str pickle, chroma_label_reader *add, void *arg)
{
    size_t at = str_find(pickle, S("id_to_label"));
    struct str rest = at == STR_NPOS ? STR_NONE : str_from(pickle, at + 11), id = STR_NONE;
    struct pickled one;

    while (next_pickled(&rest, &one)) {
        if (one.code == '}' && id.p) /* no id, but the name of the next dictionary */
            return;
        if (one.type == PICKLED_STRUCTURE)
            continue;
        if (one.type == PICKLED_TEXT && !id.p) {
            id = one.text;
        } else if (one.type == PICKLED_NUMBER && id.p) {
            add(id, one.number, arg);
            id = STR_NONE;
        } else { /* the next member of the dictionary begins */
            return;
        }
    }
}

static void add_label(struct str id, int64_t label, void *arg)
{
    struct entries *labels = arg;

    push(labels, id)->label = label;
}

/* ---- elements: header.bin says how they lie in data_level0.bin */

struct mapping {
    void *p;
    size_t bytes;
};

static void unmap(void *arg)
{
    struct mapping *m = arg;

    munmap(m->p, m->bytes);
}

static struct str map_file(struct arena *mem, const char *path)
{
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct mapping *m = arena_new_one(mem, struct mapping);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0)
        return STR_NONE;
    m->bytes = (size_t)st.st_size;
    m->p = mmap(NULL, m->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (m->p == MAP_FAILED)
        return STR_NONE;
    arena_at_end(mem, unmap, m);
    return str_n(m->p, m->bytes);
}

static int by_label(const void *x, const void *y)
{
    const struct place *a = x, *b = y;

    return a->label < b->label ? -1 : a->label > b->label;
}

static void read_elements(struct chroma_index *x, struct arena *mem, struct str header, struct str data)
{
    enum {
        VERSION_BYTES = 4,
        NUMBERS = 6
    }; /* first offset, room, count, bytes of one, offset of its label, of its vector */
    uint64_t number[NUMBERS];
    size_t vector_bytes = x->dim * sizeof(float);

    if (header.n < VERSION_BYTES + NUMBERS * 8)
        return;
    for (int i = 0; i < NUMBERS; i++)
        number[i] = little_endian(str_from(header, VERSION_BYTES + (size_t)i * 8), 8);
    if (number[3] == 0 || number[2] > data.n / number[3] || number[4] > number[3] || number[3] - number[4] < 8 ||
        number[5] > number[3] || number[3] - number[5] < vector_bytes)
        return;
    x->places = arena_new_array(mem, struct place, number[2] + 1);
    for (uint64_t i = 0; i < number[2]; i++) {
        struct str element = str_sub(data, i * number[3], number[3]);

        x->places[x->places_n++] = (struct place){ (int64_t)little_endian(str_from(element, number[4]), 8),
                                                   element.p + number[5] };
    }
    qsort(x->places, x->places_n, sizeof(*x->places), by_label);
}

static void read_index(struct chroma_index *x, struct arena *mem, const char *folder)
{
    struct str pickle, header;

    if (file_read(mem, str_f(mem, "%s/index_metadata.pickle", folder).p, MAX_PICKLE, &pickle, NULL) != OK ||
        file_read(mem, str_f(mem, "%s/header.bin", folder).p, 4096, &header, NULL) != OK)
        return; /* nothing but the queue */
    chroma_read_labels(pickle, add_label, &x->labels);
    sort(&x->labels);
    read_elements(x, mem, header, map_file(mem, str_f(mem, "%s/data_level0.bin", folder).p));
}

/* ---- */

enum status chroma_index_open(struct arena *mem, sqlite3 *db, const char *folder, struct str topic_end, size_t dim,
                              struct chroma_index **out, struct error *err)
{
    struct chroma_index *x = arena_new_one(mem, struct chroma_index);

    x->queue.mem = x->labels.mem = mem;
    x->dim = dim;
    if (dim == 0 || dim > MAX_DIM)
        return error_set(err, INVALID, "vectors of %zu numbers", dim);
    if (folder)
        read_index(x, mem, folder);
    *out = x;
    return read_queue(x, db, topic_end, err);
}

bool chroma_index_find(const struct chroma_index *x, struct str id, float *out)
{
    const struct entry *e = find(&x->queue, id);
    size_t low = 0, high = x->places_n;

    if (e) {
        memcpy(out, e->vector, x->dim * sizeof(float));
        return true;
    }
    e = find(&x->labels, id);
    while (e && low < high) {
        size_t mid = (low + high) / 2;

        if (x->places[mid].label == e->label) {
            memcpy(out, x->places[mid].vector, x->dim * sizeof(float));
            return true;
        }
        if (x->places[mid].label < e->label)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}
