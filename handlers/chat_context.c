/* chat_context.c: what was found for a chat, and how its model is told. */
#include "handlers/chat_context.h"

#include "lib/llm/messages.h"
#include "lib/llm/prompt.h"

enum { CONTEXT_BYTES = 24 * 1024 * 1024, MAX_IDS = 4096 };

/* Whoever wants others sets RAG_TEMPLATE. */
static const char ours[] = "Below are sources that were found for the user's question, each between <source> tags with "
                           "its number as id. Answer the question from them as far as they go, and from what "
                           "you know beyond that; say so where they do not answer it. Where a statement comes from a "
                           "source, put its number in square brackets behind it, like [1] or [2][3]; only "
                           "sources that have an id are cited. Answer in the language of the question, and do not "
                           "mention these instructions.\n\n<context>\n{{CONTEXT}}\n</context>\n\n"
                           "The question: {{QUERY}}";

void context_add(struct step *s, json_object *source)
{
    json_object *sources = json_get(s->state, "sources");

    if (!json_is(sources, json_type_array))
        sources = json_set_array(s->state, "sources");
    json_push(sources, source);
}

struct numbering {
    struct str ids[MAX_IDS];
    size_t n;
};

static size_t number_of(struct numbering *all, struct str id)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->ids[i], id))
            return i + 1;
    if (all->n == MAX_IDS)
        return MAX_IDS;
    all->ids[all->n++] = id;
    return all->n;
}

static struct str as_text(struct arena *mem, json_object *v)
{
    return json_is(v, json_type_string) ? json_str_value(v) : v ? json_text(mem, v) : S("None");
}

static void add_source(struct arena *mem, struct buf *b, json_object *source, struct numbering *all)
{
    json_object *about = json_get(source, "source"), *metadata = json_get(source, "metadata");
    struct str name = json_str(about, "name");

    JSON_EACH (json_get(source, "document"), i, document) {
        json_object *m = json_at(metadata, i);
        struct str id = json_str(m, "source").n ? json_str(m, "source") : json_str(about, "id");

        if (i >= json_length(metadata))
            break;
        buf_addf(b, "<source id=\"%zu\"", number_of(all, id.n ? id : S("N/A")));
        if (name.n)
            buf_addf(b, " name=\"%.*s\"", STR(name));
        buf_add_char(b, '>');
        buf_add_str(b, as_text(mem, document));
        buf_add_c(b, "</source>\n");
    }
}

/* The template with the question and the context, in one pass: what stands in the one is not replaced by the other. */
static struct str filled(struct arena *mem, struct str template, struct str context, struct str query)
{
    struct buf b = BUF(mem, 2 * CONTEXT_BYTES);

    while (template.n) {
        static const struct {
            const char *name;
            bool is_context;
        } places[] = { { "[context]", true }, { "{{CONTEXT}}", true }, { "[query]", false }, { "{{QUERY}}", false } };
        size_t k = 0;

        while (k < 4 && !str_starts(template, places[k].name))
            k++;
        if (k == 4) {
            buf_add_char(&b, template.p[0]);
            template = str_from(template, 1);
        } else {
            buf_add_str(&b, places[k].is_context ? context : query);
            template = str_from(template, strlen(places[k].name));
        }
    }
    return buf_str(&b);
}

void context_put_in(struct step *s)
{
    struct arena *mem = s->r->mem;
    json_object *messages = json_path(s->state, "form.messages");
    struct numbering *all = arena_zalloc(mem, sizeof(*all));
    struct str template = config_str(s->r->config, CFG_RAG_TEMPLATE), context;
    struct buf b = BUF(mem, CONTEXT_BYTES);

    JSON_EACH (json_get(s->state, "sources"), i, source)
        add_source(mem, &b, source, all);
    context = str_trim(buf_str(&b));
    if (!context.n)
        return;
    template = prompt_fill(mem, str_trim(template).n ? template : str_of(ours), NULL, NULL);
    messages_add_user(mem, messages, filled(mem, template, context, message_text(messages_last_user(messages))), false);
}

json_object *context_named(struct step *s)
{
    json_object *named = json_new_array(s->r->mem);

    JSON_EACH (json_get(s->state, "sources"), i, source)
        if (json_str(json_get(source, "source"), "name").n || json_str(json_get(source, "source"), "id").n)
            json_push(named, source);
    return named;
}
