/* ydoc.c: notes that tabs have open: who comes, who may stay, who goes. */
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "sidecar/map.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"
#include "sidecar/steps.h"
#include "sidecar/ydoc_internal.h"

enum {
    MEMBERS_PER_NOTE = 500,
    NOTES_PER_SESSION = 50,
    CHECK_PATIENCE_MS = 10 * 1000,
    CHECK_EACH_MS = 60 * 1000,
    ALL_DOCUMENTS_BYTES = 64 * 1024 * 1024
};

static struct map notes; /* by id */
static size_t documents_bytes;

/* ---- notes and members */

static void note_free(struct note *note)
{
    map_take(&notes, str_of(note->id));
    step_cancel(note->checking);
    ydoc_recount(yjs_document_bytes(&note->document), 0);
    yjs_document_free(&note->document);
    free(note->news);
    free(note->news_after_check);
    free(note->document_id);
    free(note);
}

static struct note *note_open(struct str id)
{
    struct note *note = map_get(&notes, id);
    struct buf name = BUF(NULL, 256);

    if (note)
        return note;
    note = calloc(1, sizeof(*note));
    if (!note)
        abort();
    buf_addf(&name, "note:%.*s", STR(id));
    note->document_id = copy_str(buf_str(&name));
    note->id = note->document_id + 5;
    buf_free(&name);
    note->checked_ms = mono_ms();
    ydoc_recount(0, yjs_document_bytes(&note->document));
    map_set(&notes, id, note);
    return note;
}

void ydoc_recount(size_t before, size_t after)
{
    documents_bytes += after - before;
}

bool ydoc_has_room(void)
{
    return documents_bytes < ALL_DOCUMENTS_BYTES;
}

struct member *ydoc_member(struct session *s, struct str note_id)
{
    struct member *m = s->notes;

    while (m && !str_is(note_id, m->note->id))
        m = m->next_of_session;
    return m;
}

/* Also the name of the room of those who hear of changes. */
static struct str name_of(const struct note *note)
{
    return str_of(note->document_id);
}

/* ---- telling */

void ydoc_tell(struct member *m, const char *event, struct str data)
{
    struct packet *p = event_packet(str_of(event), data);

    socketio_send(m->session, p);
    packet_drop(p);
}

void ydoc_emit(struct note *note, const struct member *except, const char *event, struct str data)
{
    struct packet *p = event_packet(str_of(event), data);

    for (struct member *m = note->members; m; m = m->next)
        if (m->in_document && m != except)
            socketio_send(m->session, p);
    packet_drop(p);
}

void ydoc_tell_error(struct session *s, const char *message)
{
    struct buf b = BUF(NULL, 1024);
    struct packet *p;

    buf_add_c(&b, "{\"message\":");
    buf_add_json_string(&b, str_of(message));
    buf_add_char(&b, '}');
    p = event_packet(S("error"), buf_str(&b));
    socketio_send(s, p);
    packet_drop(p);
    buf_free(&b);
}

/* A tab may call itself by its user's id or by its own, and by nobody else's. */
void ydoc_event_open(struct buf *b, const struct member *m, json_object *said)
{
    struct str id = json_str(said, "user_id");

    buf_add_c(b, "{\"document_id\":");
    buf_add_json_string(b, name_of(m->note));
    buf_add_c(b, ",\"user_id\":");
    buf_add_json_string(b, str_is(id, m->session->user->id) ? id : str_of(m->session->sid));
}

void ydoc_add_bytes(struct buf *b, struct str bytes)
{
    buf_add_char(b, '[');
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned v = (unsigned char)bytes.p[i];
        char digits[4], *p = digits + sizeof(digits);

        *--p = ',';
        do {
            *--p = (char)('0' + v % 10);
            v /= 10;
        } while (v);
        buf_add(b, p, (size_t)(digits + sizeof(digits) - p) - (i + 1 == bytes.n));
    }
    buf_add_char(b, ']');
}

/* The tabs in the document, as the frontend wants to know them: one that is alone in an empty document fills it with what the note says. Only writers can, so
 * of an empty document they alone count; a reader fills his own copy (see ydoc_edit.c). */
static void add_sessions(struct buf *b, const struct member *to)
{
    bool all = !yjs_document_is_empty(&to->note->document);

    buf_addf(b, ",\"sessions\":[\"%s\"", to->session->sid);
    for (const struct member *m = to->note->members; m; m = m->next)
        if (m != to && m->in_document && (all || (m->access == WRITES && to->access == WRITES)))
            buf_addf(b, ",\"%s\"", m->session->sid);
    buf_add_char(b, ']');
}

void ydoc_send_state(struct member *m)
{
    struct buf b = BUF(NULL, STR_NPOS);
    size_t before = yjs_document_bytes(&m->note->document);

    buf_add_c(&b, "{\"document_id\":");
    buf_add_json_string(&b, name_of(m->note));
    buf_add_c(&b, ",\"state\":");
    ydoc_add_bytes(&b, yjs_document_state(&m->note->document));
    ydoc_recount(before, yjs_document_bytes(&m->note->document));
    add_sessions(&b, m);
    buf_add_char(&b, '}');
    ydoc_tell(m, "ydoc:document:state", buf_str(&b));
    buf_free(&b);
}

/* ---- going */

/* The first writer of an empty document was to fill it. If he has gone without, it is for the next. */
static void ask_next_writer(struct note *note)
{
    struct member *oldest = NULL;

    if (!yjs_document_is_empty(&note->document))
        return;
    for (struct member *m = note->members; m; m = m->next) {
        if (m->in_document && m->access == WRITES)
            oldest = m;
    }
    if (oldest)
        ydoc_send_state(oldest);
}

static bool anybody_in(const struct note *note)
{
    for (const struct member *m = note->members; m; m = m->next)
        if (m->in_document)
            return true;
    return false;
}

/* The document ends with its last tab: what it said is in the note. */
void ydoc_left_document(struct member *m)
{
    struct note *note = m->note;
    bool was_in = m->in_document, wrote = m->access == WRITES;

    m->wants_document = m->in_document = false;
    ydoc_drop_held(m);
    yjs_ranges_free(&m->foreign);
    free(m->joined);
    m->joined = NULL;
    if (!was_in)
        return;
    if (!anybody_in(note)) {
        ydoc_recount(yjs_document_bytes(&note->document), 0);
        yjs_document_free(&note->document);
        ydoc_recount(0, yjs_document_bytes(&note->document));
    } else if (wrote) {
        ask_next_writer(note);
    }
}

void ydoc_member_gone(struct member *m)
{
    struct note *note = m->note;
    struct member **at = &note->members;

    ydoc_left_document(m);
    session_leave(m->session, name_of(note));
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    for (at = &m->session->notes; *at != m;)
        at = &(*at)->next_of_session;
    *at = m->next_of_session;
    free(m);
    if (--note->members_n == 0 && !note->pinned)
        note_free(note);
}

void ydoc_session_gone(struct session *s)
{
    while (s->notes)
        ydoc_member_gone(s->notes);
}

/* ---- coming */

/* A tab that goes from note to note stays in their rooms: the one it has had longest makes place. */
static bool make_place(struct session *s)
{
    struct member *oldest = NULL;
    size_t n = 0;

    for (struct member *m = s->notes; m; m = m->next_of_session) {
        n++;
        if (!m->wants_document)
            oldest = m;
    }
    if (n < NOTES_PER_SESSION)
        return true;
    if (oldest)
        ydoc_member_gone(oldest);
    return oldest;
}

struct member *ydoc_member_new(struct session *s, struct str note_id)
{
    struct note *note;
    struct member *m;

    if (!make_place(s))
        return NULL;
    note = note_open(note_id);
    if (note->members_n >= MEMBERS_PER_NOTE)
        return NULL;
    m = calloc(1, sizeof(*m));
    if (!m)
        abort();
    *m = (struct member){
        .note = note, .session = s, .next = note->members, .next_of_session = s->notes, .access = UNKNOWN
    };
    note->members = s->notes = m;
    note->members_n++;
    return m;
}

/* It may: it gets what it has asked for and has not got yet. It may be gone afterwards. */
static void let_in(struct member *m)
{
    if (m->wants_events)
        session_enter(m->session, name_of(m->note));
    if (!m->wants_document || m->in_document)
        return;
    m->in_document = true;
    ydoc_send_state(m);
    ydoc_emit(m->note, m, "ydoc:user:joined", str_of(m->joined));
    ydoc_perform_held(m);
}

/* ---- who may */

/* Those whom the question was about. A worker that cannot be asked leaves all as it was, and lets nobody in. */
static void apply(struct note *note, bool is_known, json_object *access)
{
    struct member *next;

    note->pinned = true;
    for (struct member *m = note->members; m; m = next) {
        struct str may = json_str(access, m->session->user->id);

        next = m->next;
        if (!m->asked)
            continue;
        if (is_known)
            m->access = str_is(may, "write") ? WRITES : str_is(may, "read") ? READS : UNKNOWN;
        if (m->access != UNKNOWN)
            continue;
        if (!is_known && m->wants_document)
            ydoc_tell_error(m->session, "Failed to join document");
        ydoc_member_gone(m); /* who may not is told nothing, as if there were no such note */
    }
    for (struct member *m = note->members; m; m = next) {
        next = m->next;
        if (m->access != UNKNOWN)
            let_in(m);
    }
    note->pinned = false;
}

static void tell_news(struct note *note)
{
    struct packet *p;

    if (!note->news_after_check)
        return;
    p = event_packet(S("note-events"), str_of(note->news_after_check));
    emit_to_room(name_of(note), p, STR_NONE);
    packet_drop(p);
    free(note->news_after_check);
    note->news_after_check = NULL;
}

static void checked(void *arg, enum status st, int status, struct str content_type, struct str body)
{
    struct note *note = arg;
    struct arena *mem = arena_new(body.n * 2 + 1024);
    json_object *access = st == OK ? json_get(json_parse_or_null(mem, body), "access") : NULL;
    bool is_known = json_is(access, json_type_object);

    (void)status, (void)content_type;
    note->checking = NULL;
    note->checked_ms = mono_ms();
    apply(note, is_known, access);
    arena_free(mem);
    if (note->members_n == 0) {
        note_free(note);
        return;
    }
    if (is_known)
        tell_news(note);
    if (note->check_again)
        ydoc_check(note);
}

void ydoc_check(struct note *note)
{
    struct buf body = BUF(NULL, STR_NPOS);

    note->check_again = note->checking;
    if (note->checking)
        return;
    free(note->news_after_check);
    note->news_after_check = note->news;
    note->news = NULL;
    buf_add_c(&body, "{\"note_id\":");
    buf_add_json_string(&body, str_of(note->id));
    buf_add_c(&body, ",\"user_ids\":[");
    for (struct member *m = note->members; m; m = m->next) {
        buf_add_c(&body, m == note->members ? "" : ",");
        buf_add_json_string(&body, str_of(m->session->user->id));
        m->asked = true;
    }
    buf_add_c(&body, "]}");
    note->checking = step_call(S("/internal/step/note_access"), buf_str(&body), STR_NONE, CHECK_PATIENCE_MS, checked,
                               note);
    buf_free(&body);
}

void ydoc_note_changed(struct str note_id, struct str text)
{
    struct note *note = map_get(&notes, note_id);

    if (!note)
        return;
    free(note->news);
    note->news = copy_str(text);
    ydoc_check(note);
}

/* Rights that were taken by other ways: of a group, of an account. */
void ydoc_tick(int64_t now_ms)
{
    MAP_EACH(&notes, entry)
    {
        struct note *note = entry->value;

        if (!note->checking && now_ms - note->checked_ms > CHECK_EACH_MS && anybody_in(note))
            ydoc_check(note);
    }
}

void ydoc_counts(unsigned *n, size_t *bytes)
{
    *n = (unsigned)notes.n;
    *bytes = documents_bytes;
}
