/* transcript_show.c: what a tab is told: deltas while plain text comes, the whole text when something before its end has changed. */
#include "lib/chat/transcript_internal.h"

enum { HELD_BYTES = 64, SNAPSHOT_BYTES_PER_MS = 64 };

void transcript_add_text(struct transcript *t, struct buf *out)
{
    struct part *p = transcript_last(t);
    struct str text = buf_str(&p->content);
    struct block b;

    if (p->kind == TEXT && t->maybe_tag && text.n - t->scan_from <= HELD_BYTES)
        text.n = t->scan_from;
    b = transcript_view(p, text);
    buf_add_str(out, buf_str(&t->done));
    block_add(out, &b, false);
}

/* false: there is no text. An event without text would not make a tab forget what it shows. */
static bool add_snapshot(struct transcript *t, struct buf *events)
{
    struct buf all = BUF(NULL, TRANSCRIPT_MAX_BYTES * 4);
    struct str text;

    transcript_add_text(t, &all);
    text = unicode_strip(buf_str(&all));
    if (text.n) {
        buf_add_c(events, "{\"type\":\"chat:completion\",\"data\":{\"content\":");
        buf_add_json_string(events, text);
        buf_add_c(events, "}}\n");
    }
    buf_free(&all);
    return text.n != 0;
}

void transcript_snapshot(struct transcript *t, struct buf *events)
{
    if (t->bytes || t->done.n)
        add_snapshot(t, events);
}

/* How much of the last part, which is text, may be seen: no white space at its end, no beginning of a tag. */
static size_t visible_end(struct transcript *t)
{
    struct str all = buf_str(&transcript_last(t)->content);

    if (!t->maybe_tag || all.n - t->scan_from > HELD_BYTES)
        return t->space_from;
    if (t->scan_from <= t->shown)
        return t->shown;
    return t->shown + unicode_strip_right(str_sub(all, t->shown, t->scan_from - t->shown)).n;
}

static void show_delta(struct transcript *t, size_t end, struct buf *events)
{
    struct str text = str_sub(buf_str(&transcript_last(t)->content), t->shown, end - t->shown);

    buf_add_c(events, "{\"type\":\"chat:completion\",\"data\":{\"choices\":[{\"delta\":{\"content\":");
    if (t->shown == 0) {
        text = unicode_strip_left(text);
        if (t->done.n) { /* the new paragraph's break, which a snapshot leaves off */
            struct str gap = str_from(buf_str(&t->done), unicode_strip_right(buf_str(&t->done)).n);
            struct buf joined = BUF(NULL, TRANSCRIPT_MAX_BYTES * 2);

            buf_add_str(&joined, gap);
            buf_add_str(&joined, text);
            buf_add_json_string(events, buf_str(&joined));
            buf_free(&joined);
        } else {
            buf_add_json_string(events, text);
        }
    } else {
        buf_add_json_string(events, text);
    }
    buf_add_c(events, "}}]}}\n");
    t->shown = end;
}

static void show_all(struct transcript *t, int64_t now_ms, struct buf *events)
{
    t->must_show_all = !add_snapshot(t, events); /* the next text has to replace what is shown, then */
    t->changed = false;
    t->waiting = 0;
    t->shown_all_ms = now_ms;
    t->shown = transcript_last(t)->kind == TEXT ? visible_end(t) : 0;
}

void transcript_show(struct transcript *t, bool hurry, bool force, int64_t now_ms, struct buf *events)
{
    size_t all = t->bytes;
    bool is_due = force || now_ms - t->shown_all_ms >= (int64_t)(all / SNAPSHOT_BYTES_PER_MS);

    if (t->must_show_all) {
        if (is_due || all <= TRANSCRIPT_SMALL_BYTES)
            show_all(t, now_ms, events);
    } else if (!t->changed || (t->waiting < t->chunk_size && !hurry)) {
        return;
    } else if (transcript_last(t)->kind == TEXT) {
        size_t end = visible_end(t);

        if (end > t->shown)
            show_delta(t, end, events);
        t->changed = false;
        t->waiting = 0;
    } else if (is_due) {
        show_all(t, now_ms, events);
    }
}

void transcript_flush(struct transcript *t, bool hurry, int64_t now_ms, struct buf *events)
{
    transcript_show(t, hurry, false, now_ms, events);
}

void transcript_end(struct transcript *t, int64_t now_ms, struct buf *events)
{
    struct part *p = transcript_last(t);

    t->maybe_tag = false;
    t->scan_from = p->content.n;
    if (p->kind == REASONING && p->ended_ms < 0) {
        transcript_close(p, now_ms);
        t->must_show_all = true;
    }
    t->changed = true;
    transcript_show(t, true, true, now_ms, events);
}
