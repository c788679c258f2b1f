/* ydoc_events.c: what a tab says of notes and their documents. */
#include <stdlib.h>

#include "sidecar/sidecar.h"
#include "sidecar/sessions.h"
#include "sidecar/ydoc_internal.h"

enum { ID_BYTES = 100, NAME_CHARACTERS = 200, COLOR_BYTES = 32, HELD_EVENTS = 100, HELD_BYTES = 1000 * 1000 };

/* "note:ID"; other documents there are none. */
static bool note_of(json_object *data, struct str *note_id)
{
    struct str name = json_str(data, "document_id");

    if (!str_starts(name, "note:"))
        return false;
    *note_id = str_from(name, 5);
    return note_id->n > 0 && note_id->n <= ID_BYTES && str_find_c(*note_id, ':') == STR_NPOS;
}

static struct member *member_of(struct session *s, json_object *data)
{
    struct str note_id;

    return note_of(data, &note_id) ? ydoc_member(s, note_id) : NULL;
}

/* ---- coming */

void ydoc_join_note(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    struct str note_id = json_str(data, "note_id");
    struct member *m;

    (void)mem;
    socketio_ack(s, ack, S("[]"));
    if (note_id.n == 0 || note_id.n > ID_BYTES || str_find_c(note_id, ':') != STR_NPOS)
        return;
    m = ydoc_member(s, note_id);
    if (!m)
        m = ydoc_member_new(s, note_id);
    if (!m)
        return;
    m->wants_events = true;
    ydoc_check(m->note);
}

static char *joined_event(const struct member *m, struct arena *mem, json_object *data)
{
    struct buf b = BUF(mem, STR_NPOS);
    struct str name = json_str(json_parse_or_null(mem, str_of(m->session->user->json)), "name"),
               color = json_str(data, "user_color");

    ydoc_event_open(&b, m, data);
    buf_add_c(&b, ",\"user_name\":");
    buf_add_json_string(&b, str_utf8_first(name, NAME_CHARACTERS));
    buf_add_c(&b, ",\"user_color\":");
    buf_add_json_string(&b, color.n && color.n <= COLOR_BYTES ? color : S("#000000"));
    buf_add_char(&b, '}');
    return copy_str(buf_str(&b));
}

void ydoc_join(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    struct member *m;
    struct str note_id;

    socketio_ack(s, ack, S("[]"));
    if (!note_of(data, &note_id))
        return;
    m = ydoc_member(s, note_id);
    if (!m)
        m = ydoc_member_new(s, note_id);
    if (!m) {
        ydoc_tell_error(s, "Failed to join document");
        return;
    }
    if (m->in_document) { /* once more: as "ydoc:document:state" */
        ydoc_send_state(m);
        return;
    }
    free(m->joined);
    m->joined = joined_event(m, mem, data);
    m->wants_document = true;
    ydoc_check(m->note);
}

/* ---- being there */

void ydoc_state(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    struct member *m = member_of(s, data);

    (void)mem;
    socketio_ack(s, ack, S("[]"));
    if (m && m->in_document)
        ydoc_send_state(m);
}

static void perform(struct member *m, struct arena *mem, bool is_update, json_object *data)
{
    if (is_update)
        ydoc_edit_update(m, mem, data);
    else
        ydoc_edit_awareness(m, mem, data);
}

void ydoc_drop_held(struct member *m)
{
    while (m->held) {
        struct held *h = m->held;

        m->held = h->next;
        free(h->json);
        free(h);
    }
    m->held_n = m->held_bytes = 0;
}

/* What does not fit is lost to the others: the tab will say more than that the next time it joins. */
static void hold(struct member *m, struct arena *mem, bool is_update, json_object *data)
{
    struct str text = json_text(mem, data);
    struct held **at = &m->held, *h;

    if (m->held_n >= HELD_EVENTS || m->held_bytes + text.n > HELD_BYTES)
        return;
    h = calloc(1, sizeof(*h));
    if (!h)
        abort();
    h->is_update = is_update;
    h->json = copy_str(text);
    while (*at)
        at = &(*at)->next;
    *at = h;
    m->held_n++;
    m->held_bytes += text.n;
}

void ydoc_perform_held(struct member *m)
{
    struct session *s = m->session;
    char *note_id = copy_str(str_of(m->note->id));
    struct held *h;

    while (m && m->in_document && (h = m->held)) {
        struct arena *mem = arena_new(4096);

        m->held = h->next;
        m->held_n--;
        m->held_bytes -= strlen(h->json);
        perform(m, mem, h->is_update, json_parse_or_null(mem, str_of(h->json)));
        arena_free(mem);
        free(h->json);
        free(h);
        m = ydoc_member(s, str_of(note_id));
    }
    free(note_id);
}

static void say(struct session *s, struct arena *mem, json_object *data, int64_t ack, bool is_update)
{
    struct member *m = member_of(s, data);

    socketio_ack(s, ack, S("[]"));
    if (m && m->in_document)
        perform(m, mem, is_update, data);
    else if (m && m->wants_document)
        hold(m, mem, is_update, data);
}

void ydoc_update(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    say(s, mem, data, ack, true);
}

void ydoc_awareness(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    say(s, mem, data, ack, false);
}

/* ---- going */

void ydoc_leave(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    struct member *m = member_of(s, data);
    struct buf b = BUF(mem, STR_NPOS);

    socketio_ack(s, ack, S("[]"));
    if (!m || !m->wants_document)
        return;
    if (m->in_document) {
        ydoc_event_open(&b, m, data);
        buf_add_char(&b, '}');
        ydoc_emit(m->note, m, "ydoc:user:left", buf_str(&b));
    }
    if (m->wants_events)
        ydoc_left_document(m);
    else
        ydoc_member_gone(m);
}
