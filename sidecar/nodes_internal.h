/* nodes_internal.h: between the files of nodes.h. */
#ifndef SIDECAR_NODES_INTERNAL_H
#define SIDECAR_NODES_INTERNAL_H

#include "sidecar/map.h"
#include "sidecar/nodes.h"

struct node { /* another sidecar */
    char *id;
    int64_t heard_ms;
    struct map sessions; /* sid: struct far_session */
    struct map tasks;    /* task_id: JSON text */
    struct map usage;    /* model: int64_t *, when it was last in use */
};

struct far_session {
    struct node *node;
    char *user_id;
};

/* A message: nodes_head(&b, "op"), members, nodes_send(&b, body). While Redis is away it goes nowhere. */
void nodes_head(struct buf *b, const char *op);
void nodes_member(struct buf *b, const char *name, struct str value); /* absent: left out */
void nodes_member_json(struct buf *b, const char *name, struct str json);
void nodes_member_int(struct buf *b, const char *name, int64_t value);
void nodes_send(struct buf *b, struct str body); /* frees b */

struct far_session *far_session(struct str sid); /* NULL: nobody has it */
const struct map *all_nodes(void);
struct str nodes_self(void);

/* What a message asks for; head: its first line; body: what comes after it. */
typedef void node_op(struct node *from, struct arena *mem, json_object *head, struct str body);
node_op nodes_on_emit, nodes_on_fill, nodes_on_rooms, nodes_on_disconnect, nodes_on_stop, nodes_on_show, nodes_on_ask,
    nodes_on_answer, nodes_on_counters, nodes_on_revoked;
void nodes_asks_tick(int64_t now_ms);
void nodes_asks_lost(void); /* Redis is away: nobody will answer */

/* nodes_caches.c */
void nodes_caches_start(struct str data_dir);
void nodes_caches_up(
    void); /* Redis is there (again): what may have been missed is dropped, and all revoked tokens are told */
void nodes_caches_tell(void); /* all revoked tokens, to a newcomer */
void nodes_caches_stop(void);

#endif
