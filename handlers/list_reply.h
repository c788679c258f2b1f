/* list_reply.h: an answer that is a JSON array, written item by item. */
#ifndef HANDLERS_LIST_REPLY_H
#define HANDLERS_LIST_REPLY_H

#include "fcgi/request.h"
#include "fcgi/response.h"

/* The longest list that is answered; past it the request fails with 500. */
#define LIST_MAX_BYTES ((size_t)512 * 1024 * 1024)

struct list_reply {
    struct buf text;
};

static inline struct list_reply list_start(struct arena *mem)
{
    struct list_reply list = { BUF(mem, LIST_MAX_BYTES) };

    buf_add_char(&list.text, '[');
    return list;
}

static inline struct buf *list_item(struct list_reply *list) /* write the item there */
{
    if (list->text.n > 1)
        buf_add_char(&list->text, ',');
    return &list->text;
}

static inline int list_end(struct list_reply *list, struct response *out)
{
    buf_add_char(&list->text, ']');
    return buf_failed(&list->text) ? fail(out, 500, "The list is too long")
                                   : reply_json_text(out, buf_str(&list->text));
}

#endif
