/* transcript_result.c: the journal, from which an answer can be made again, and what is saved of it. */
#include <stdlib.h>

#include "lib/chat/transcript_internal.h"

const char *const transcript_kinds[] = { "text", "reasoning", "solution", "code_interpreter" };

static void end_run(struct transcript *t)
{
    if (t->run.n == 0)
        return;
    buf_add_c(&t->journal, t->run_is_reasoning ? "{\"choices\":[{\"delta\":{\"reasoning_content\":"
                                               : "{\"choices\":[{\"delta\":{\"content\":");
    buf_add_json_string(&t->journal, buf_str(&t->run));
    buf_add_c(&t->journal, "}}]}\n");
    buf_reset(&t->run);
}

void transcript_journal_text(struct transcript *t, struct str text, bool is_reasoning)
{
    if (!t->journals || text.n == 0)
        return;
    if (t->run_is_reasoning != is_reasoning)
        end_run(t);
    t->run_is_reasoning = is_reasoning;
    buf_add_str(&t->run, text);
}

void transcript_journal_chunk(struct transcript *t, json_object *chunk)
{
    if (!t->journals)
        return;
    end_run(t);
    json_add_to_buf(&t->journal, chunk);
    buf_add_char(&t->journal, '\n');
}

void transcript_take_journal(struct transcript *t, struct buf *out)
{
    end_run(t);
    buf_add_str(out, buf_str(&t->journal));
    if (t->journal.capacity > TRANSCRIPT_SMALL_BYTES) {
        buf_free(&t->journal);
        t->journal = BUF(NULL, TRANSCRIPT_MAX_BYTES * 2);
    } else {
        buf_reset(&t->journal);
    }
}

/* ---- the result */

static json_object *part_json(struct arena *mem, const struct part *p)
{
    json_object *o;
    struct str content = buf_str(&p->content);

    if (p->kind == GIVEN)
        return p->given;
    o = json_new_object(mem);
    json_set_c(o, "type", transcript_kinds[p->kind]);
    if (p->kind == TEXT) {
        json_set_str(o, "content", content);
        return o;
    }
    json_set_c(o, "start_tag", p->tag->open);
    json_set_c(o, "end_tag", p->tag->close);
    json_set(o, "attributes", p->attributes);
    json_set_str(o, "content", content);
    json_set_double(o, "started_at", (double)p->started_ms / 1000);
    if (p->ended_ms >= 0) {
        json_set_double(o, "ended_at", (double)p->ended_ms / 1000);
        json_set_int(o, "duration", (p->ended_ms - p->started_ms) / 1000);
    }
    return o;
}

static void set_calls(struct transcript *t, struct arena *mem, json_object *outcome)
{
    json_object *calls;

    if (t->calls_n == 0)
        return;
    calls = json_set_array(outcome, "tool_calls");
    for (size_t i = 0; i < t->calls_n; i++) {
        struct call *c = &t->calls[i];
        json_object *o = json_parse_or_null(mem, buf_str(&c->base)), *function;

        if (!json_is(o, json_type_object))
            continue;
        function = json_is(json_get(o, "function"), json_type_object) ? json_get(o, "function")
                                                                      : json_set_object(o, "function");
        json_set_str(function, "name", buf_str(&c->name));
        json_set_str(function, "arguments", buf_str(&c->arguments));
        json_push(calls, o);
    }
}

static void set_json(json_object *outcome, struct arena *mem, const char *key, const struct buf *text)
{
    if (text->n)
        json_set(outcome, key, json_parse_or_null(mem, buf_str(text)));
}

void transcript_outcome(struct transcript *t, struct arena *mem, json_object *outcome)
{
    struct buf all = BUF(mem, TRANSCRIPT_MAX_BYTES * 4);
    json_object *blocks;

    transcript_add_text(t, &all);
    json_set_str(outcome, "content", unicode_strip(buf_str(&all)));
    blocks = json_set_array(outcome, "blocks");
    for (size_t i = 0; i < t->parts_n; i++) {
        const struct part *p = &t->parts[i];

        if (p->kind == TEXT && unicode_strip(buf_str(&p->content)).n == 0)
            continue;
        json_push(blocks, part_json(mem, p));
    }
    set_calls(t, mem, outcome);
    set_json(outcome, mem, "usage", &t->usage);
    set_json(outcome, mem, "error", &t->error);
    if (t->selected_model_id.n)
        json_set_str(outcome, "selected_model_id", buf_str(&t->selected_model_id));
    if (t->finish_reason.n)
        json_set_str(outcome, "finish_reason", buf_str(&t->finish_reason));
}
