/* chats.h: the chat table. A chat's document is text of up to megabytes: it is handed through, not parsed (see lib/chat/document.h for changes in it). */
#ifndef LIB_STORE_CHATS_H
#define LIB_STORE_CHATS_H

#include "lib/db/db.h"
#include "lib/json/json.h"

struct chat { /* strings live in the arena they were read into */
    struct str id, user_id, title;
    struct str share_id, folder_id; /* absent: null */
    struct str document;            /* JSON text of an object; absent in rows read by the _row functions */
    struct str meta;                /* JSON text of an object, "{}" when there is none */
    int64_t created_at, updated_at; /* Unix time */
    bool archived, pinned;
    bool pinned_is_null;
};

struct chat_title { /* a line of a list */
    struct str id, title;
    int64_t updated_at, created_at;
};

struct chat_titles {
    struct chat_title *v;
    size_t n;
};

/* DB_ROW: found. DB_DONE: no such chat (or not his), *out is untouched. */
enum db_status chat_by_id(struct db *db, struct arena *mem, struct str id, struct chat *out);
enum db_status chat_of_user(struct db *db, struct arena *mem, struct str id, struct str user_id, struct chat *out);
enum db_status chat_row_by_id(struct db *db, struct arena *mem, struct str id,
                              struct chat *out); /* without the document */
enum db_status chat_row_of_user(struct db *db, struct arena *mem, struct str id, struct str user_id,
                                struct chat *out); /* without the document */
/* The same inside a transaction that is going to change it (PostgreSQL: FOR UPDATE). user_id absent: anybody's. */
enum db_status chat_for_update(struct db *db, struct arena *mem, struct str id, struct str user_id, struct chat *out);
/* The copy that a share id shows; DB_DONE when nobody shares it (any more). */
enum db_status chat_by_share_id(struct db *db, struct arena *mem, struct str share_id, struct chat *out);

/* ---- lists, newest change first. skip < 0: 0; limit 0: all. */
enum db_status chat_titles_of_user(struct db *db, struct arena *mem, struct str user_id, bool with_folders,
                                   int64_t skip, int64_t limit, struct chat_titles *out); /* not pinned, not archived */
enum db_status chat_titles_pinned(struct db *db, struct arena *mem, struct str user_id, struct chat_titles *out);
enum db_status chat_titles_in_folder(struct db *db, struct arena *mem, struct str user_id, struct str folder_id,
                                     int64_t skip, int64_t limit, struct chat_titles *out);
enum db_status chat_titles_by_tag(struct db *db, struct arena *mem, struct str user_id, struct str tag_id,
                                  struct chat_titles *out);

struct chat_filter {      /* of the archive and of an administrator's view */
    struct str title_has; /* absent: any */
    struct str order_by;  /* title, updated_at or created_at; absent: updated_at */
    bool ascending;
    bool archived_only;
    int64_t skip, limit;
};
bool chat_order_known(struct str order_by);
enum db_status chat_titles_filtered(struct db *db, struct arena *mem, struct str user_id, const struct chat_filter *f,
                                    struct chat_titles *out);

struct chat_search {              /* every part narrows; tri-states: -1 any, 0 no, 1 yes */
    struct str text;              /* lower case; in the title or a message; empty: any */
    struct str tag_ids;           /* JSON array text: all of them */
    struct str folder_ids;        /* JSON array text: one of them; "[]": any */
    bool no_tags;                 /* only chats without tags */
    int archived, pinned, shared; /* archived -1: not archived, as the list */
    int64_t skip, limit;
};
enum db_status chat_titles_search(struct db *db, struct arena *mem, struct str user_id, const struct chat_search *s,
                                  struct chat_titles *out);
/* The same among those that changed after a time, and among some (ids: a JSON array) that did not. */
enum db_status chat_titles_search_newer(struct db *db, struct arena *mem, struct str user_id,
                                        const struct chat_search *s, int64_t than, struct chat_titles *out);
enum db_status chat_titles_search_among(struct db *db, struct arena *mem, struct str user_id,
                                        const struct chat_search *s, struct str ids, int64_t not_newer_than,
                                        struct chat_titles *out);
/* When the chat changed that rank others of this user have changed after. DB_DONE: he has no more than rank. */
enum db_status chat_updated_at_rank(struct db *db, struct arena *mem, struct str user_id, bool archived, int64_t rank,
                                    int64_t *updated_at);
enum db_status chat_count_until(struct db *db, struct arena *mem, struct str user_id, int64_t updated_at, int64_t *n);

/* Whole chats, one call of each(row, arg) a chat, newest first; the strings live until the call returns. */
typedef void chat_reader(const struct chat *c, void *arg);
/* In the order of their changes, those after a place (a time, and an id among those of that second), at most limit. */
struct chat_place {
    int64_t updated_at;
    struct str id; /* absent: before all of that second */
};
enum db_status chats_each_changed(struct db *db, struct arena *mem, struct str user_id, bool archived,
                                  struct chat_place after, int64_t upto, int64_t limit, chat_reader *fn, void *arg);
enum db_status chats_each_of_user(struct db *db, struct arena *mem, struct str user_id, bool archived_only,
                                  chat_reader *each, void *arg);
enum db_status chats_each_in_folders(struct db *db, struct arena *mem, struct str user_id, struct str folder_ids,
                                     chat_reader *each, void *arg);
enum db_status chats_each(struct db *db, struct arena *mem, chat_reader *each, void *arg);

/* Reads the chat, lets change() make a new document (and title) of it, and writes that, with the row locked. change() false: leave it
 * as it is. user_id absent: anybody's chat. *c is the chat as it is afterwards. DB_ROW: *changed tells whether it was
 * written. DB_DONE: no such chat (or not his). Not inside a transaction. */
typedef bool chat_change(struct arena *mem, struct chat *c, void *arg);
enum db_status chat_change_document(struct db *db, struct arena *mem, struct str id, struct str user_id,
                                    chat_change *change, void *arg, struct chat *c, bool *changed);

/* Those of the ids (a JSON array) that there are. */
enum db_status chat_ids_that_exist(struct db *db, struct arena *mem, struct str ids, struct str **out, size_t *n);

/* ---- changes */
enum db_status chat_insert(struct db *db, const struct chat *c);
enum db_status chat_set_document(struct db *db, struct str id, struct str title, struct str document,
                                 int64_t updated_s);
enum db_status chat_set_meta(struct db *db, struct str id, struct str meta);
enum db_status chat_toggle_pinned(struct db *db, struct str id, int64_t updated_s);
enum db_status chat_toggle_archived(struct db *db, struct str id, int64_t updated_s);
enum db_status chat_set_folder(struct db *db, struct str id, struct str folder_id, int64_t updated_s); /* also unpins */
enum db_status chat_set_share_id(struct db *db, struct str id, struct str share_id);
enum db_status chats_set_archived(struct db *db, struct str user_id, bool archived);

/* The shared copy of a chat: a row of its own that belongs to "shared-<chat id>". */
enum db_status chat_shared_copy(struct db *db, struct arena *mem, struct str chat_id, struct chat *out);
enum db_status chat_shared_copy_update(struct db *db, struct str chat_id, const struct chat *from, int64_t updated_s);
enum db_status chat_shared_copy_delete(struct db *db, struct str chat_id);

/* With their shared copies. user_id absent: anybody's. */
enum db_status chat_delete(struct db *db, struct str id, struct str user_id);
enum db_status chats_delete_of_user(struct db *db, struct str user_id);
enum db_status chats_delete_in_folders(struct db *db, struct str user_id, struct str folder_ids);

enum db_status chat_count_in_folder(struct db *db, struct arena *mem, struct str user_id, struct str folder_id,
                                    int64_t *n);
/* How many of his chats that are not archived carry the tag. */
enum db_status chat_count_with_tag(struct db *db, struct arena *mem, struct str user_id, struct str tag_id, int64_t *n);

#endif
