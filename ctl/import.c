/* import.c: webuictl import: chats out of exports of ChatGPT, Claude and Open WebUI. A conversation is in memory at a time, and a batch of chats. */
#include <stdio.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/clock.h"
#include "lib/chat/import.h"
#include "lib/chat/import_items.h"
#include "lib/store/chats.h"
#include "lib/store/tags.h"
#include "lib/store/users.h"

enum { BATCH = 100, BATCH_BYTES = 16 * 1024 * 1024, PIECE = 256 * 1024, REASONS = 16, BAR = 30, SHOW_EVERY_MS = 100 };

struct importing {
    struct ctl *ctl;
    struct arena *mem, *item_mem; /* of a batch; of a conversation */
    struct user user;
    enum import_kind kind;
    struct chat batch[BATCH];
    json_object *tags[BATCH];
    size_t batch_n, batch_bytes;
    bool failed;
    /* counts */
    size_t read, messages, made, there, lost[LOST_KINDS];
    struct {
        const char *why;
        size_t n;
    } left_out[REASONS];
    /* progress */
    bool shows;
    int64_t bytes, all_bytes, shown_ms;
};

/* ---- progress */

static void show(struct importing *im, bool last)
{
    int filled = im->all_bytes > 0 ? (int)(im->bytes * BAR / im->all_bytes) : 0;

    if (!im->shows || (!last && mono_ms() - im->shown_ms < SHOW_EVERY_MS))
        return;
    im->shown_ms = mono_ms();
    filled = filled > BAR ? BAR : filled;
    fprintf(stderr, "\r[%.*s%*s] %3d %%  %zu conversations%s", filled, "##############################", BAR - filled,
            "", filled * 100 / BAR, im->read, last ? "\n" : "");
}

/* ---- rows */

static bool among(const struct str *ids, size_t n, struct str id)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(ids[i], id))
            return true;
    }
    return false;
}

/* "deep_sea": "deep sea" becomes a tag of the user. */
static enum db_status make_tags(struct importing *im, json_object *tags)
{
    JSON_EACH (tags, i, tag) {
        struct str id = tag_id_of(im->mem, json_str_value(tag));

        if (id.n && !str_is(id, "none") && str_find_c(id, '\0') == STR_NPOS &&
            tag_ensure(im->ctl->db, im->mem, str_replace(im->mem, id, S("_"), S(" ")), im->user.id) == DB_ERROR)
            return DB_ERROR;
    }
    return DB_ROW;
}

static enum db_status write_batch(struct importing *im)
{
    json_object *ids = json_new_array(im->mem);
    struct str *there = NULL;
    size_t there_n = 0, made = 0;

    for (size_t i = 0; i < im->batch_n; i++)
        json_push_str(ids, im->batch[i].id);
    if (db_begin(im->ctl->db) == DB_ERROR ||
        chat_ids_that_exist(im->ctl->db, im->mem, json_text(im->mem, ids), &there, &there_n) == DB_ERROR)
        return DB_ERROR;
    for (size_t i = 0; i < im->batch_n; i++) {
        bool twice = false;

        for (size_t k = 0; k < i && !twice; k++) /* the same conversation twice in a file */
            twice = str_eq(im->batch[k].id, im->batch[i].id);
        if (twice || among(there, there_n, im->batch[i].id))
            continue;
        if (chat_insert(im->ctl->db, &im->batch[i]) == DB_ERROR || make_tags(im, im->tags[i]) == DB_ERROR)
            return DB_ERROR;
        made++;
    }
    if (db_commit(im->ctl->db) == DB_ERROR)
        return DB_ERROR;
    im->made += made;
    im->there += im->batch_n - made;
    return DB_ROW;
}

static bool flush(struct importing *im)
{
    if (im->batch_n && write_batch(im) == DB_ERROR) {
        ctl_fail("the chats could not be written: %s", db_error(im->ctl->db));
        db_rollback(im->ctl->db);
        im->failed = true;
    }
    im->batch_n = im->batch_bytes = 0;
    arena_reset(im->mem);
    return !im->failed;
}

/* ---- conversations */

static void leave_out(struct importing *im, const char *why)
{
    size_t i = 0;

    while (i + 1 < REASONS && im->left_out[i].why && strcmp(im->left_out[i].why, why))
        i++;
    im->left_out[i].why = why;
    im->left_out[i].n++;
}

static void add_chat(struct importing *im, const struct imported *made, struct str text)
{
    struct chat *c = &im->batch[im->batch_n];

    *c = (struct chat){ .id = import_chat_id(im->mem, im->user.id, im->kind, made->source_id, text),
                        .user_id = im->user.id,
                        .title = str_copy(im->mem, made->title),
                        .document = str_copy(im->mem, made->document),
                        .meta = str_copy(im->mem, made->meta),
                        .archived = made->archived,
                        .pinned = made->pinned };
    c->created_at = made->created_s ? made->created_s : now_s();
    c->updated_at = made->updated_s ? made->updated_s : c->created_at;
    im->tags[im->batch_n++] = made->tags ? json_clone(im->mem, made->tags) : NULL;
    im->batch_bytes += made->document.n;
    im->messages += made->messages;
    for (int i = 0; i < LOST_KINDS; i++)
        im->lost[i] += made->lost[i];
}

static bool take(struct str text, void *arg)
{
    struct importing *im = arg;
    struct imported made;
    json_object *item = NULL;
    const char *why = "not JSON";

    im->read++;
    show(im, false);
    if (!text.p)
        leave_out(im, "larger than 64 MiB");
    else if (json_parse(im->item_mem, text, &item, NULL) != OK ||
             import_convert(im->item_mem, im->kind, item, &made, &why) != OK)
        leave_out(im, why);
    else
        add_chat(im, &made, text);
    arena_reset(im->item_mem);
    return (im->batch_n < BATCH && im->batch_bytes < BATCH_BYTES) || flush(im);
}

/* One file of the source. false: said so. */
static bool read_file(struct importing *im, struct import_source *source, const char *name)
{
    struct import_items items = IMPORT_ITEMS(IMPORT_MAX_ITEM);
    char *piece = arena_alloc(im->ctl->mem, PIECE);
    struct error err = { "" };
    enum status st = OK;
    ssize_t n = 0;

    while (st == OK && !im->failed && (n = source_read(source, piece, PIECE)) > 0) {
        im->bytes += n;
        st = import_items_feed(&items, str_n(piece, (size_t)n), take, im, &err);
    }
    if (st == OK && !im->failed && n < 0)
        im->failed = true;
    if (st == OK && !im->failed)
        st = import_items_end(&items, &err);
    import_items_free(&items);
    /* What was read before the fault is written: the next import of the mended file adds the rest. */
    if (!im->failed)
        flush(im);
    if (st != OK)
        im->failed = ctl_fail("%s: %s", name, err.text);
    return !im->failed;
}

static void report(const struct importing *im)
{
    size_t out = im->read - im->made - im->there;

    printf("%zu conversations read: %zu imported, %zu already there, %zu left out\n", im->read, im->made, im->there,
           out);
    for (int i = 0; i < REASONS && im->left_out[i].why; i++)
        printf("  left out: %zu %s\n", im->left_out[i].n, im->left_out[i].why);
    printf("%zu messages\n", im->messages);
    for (int i = 0; i < LOST_KINDS; i++) {
        if (im->lost[i])
            printf("  not taken over: %zu %s\n", im->lost[i], import_lost_names[i]);
    }
}

static int run(struct ctl *ctl, enum import_kind kind, const char *path, const char *email)
{
    struct importing *im = arena_new_one(ctl->mem, struct importing);
    struct import_source *source;
    const char *name;

    if (!ctl_database_ready(ctl))
        return 1;
    switch (user_by_email(ctl->db, ctl->mem, str_lower(ctl->mem, str_of(email)), &im->user)) {
    case DB_ROW: break;
    case DB_DONE: return ctl_fail("nobody has the address %s; `webuictl user list` shows who there is", email);
    default: return ctl_fail("could not read the account: %s", db_error(ctl->db));
    }
    source = source_open(ctl, path);
    if (!source)
        return 1;
    im->ctl = ctl;
    im->kind = kind;
    im->mem = arena_new(1024 * 1024);
    im->item_mem = arena_new(1024 * 1024);
    im->all_bytes = source_bytes(source);
    im->shows = isatty(STDERR_FILENO) && im->all_bytes > 0;
    while (!im->failed && source_next_file(source, &name))
        read_file(im, source, name);
    show(im, true);
    source_close(source);
    arena_free(im->mem);
    arena_free(im->item_mem);
    report(im);
    return im->failed ? 1 : 0;
}

int ctl_import(struct ctl *ctl, int argc, char **argv)
{
    static const char *const kinds[IMPORT_KINDS] = { "chatgpt", "claude", "openwebui" };
    const char *path = NULL, *email = NULL;

    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--user") && i + 1 < argc)
            email = argv[++i];
        else if (!path && (argv[i][0] != '-' || !argv[i][1]))
            path = argv[i];
        else
            argc = 0;
    }
    for (int kind = 0; argc && path && email && kind < IMPORT_KINDS; kind++) {
        if (!strcmp(argv[1], kinds[kind]))
            return run(ctl, (enum import_kind)kind, path, email);
    }
    fputs("webuictl import chatgpt|claude|openwebui FILE --user EMAIL   (FILE: conversations.json, the .zip with it, "
          "or - for standard input)\n",
          stderr);
    return 2;
}
