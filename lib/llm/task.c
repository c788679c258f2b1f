/* task.c: small jobs for a model beside the chat. */
#include "lib/llm/task.h"

#include "lib/llm/messages.h"
#include "lib/llm/prompt.h"

/* The prompts are ours; whoever wants others sets the …_PROMPT_TEMPLATE variables. */
#define CHAT "\n\nThe chat:\n{{MESSAGES:END:6}}"

const struct task tasks[TASK_KINDS] = {
    [TASK_TITLE] = { "title", CFG_ENABLE_TITLE_GENERATION, CFG_TITLE_GENERATION_PROMPT_TEMPLATE,
                     "Name the chat below. Give a title of three to five words that says what it is about, in the "
                     "language of the chat, with one fitting emoji in "
                     "front. Do not quote, do not explain, use no formatting. Answer with JSON alone, of the form "
                     "{\"title\": \"the title\"}.\n\n"
                     "The chat:\n{{MESSAGES:END:2}}",
                     -1, 400, "An internal error has occurred." },
    [TASK_FOLLOW_UPS] = { "follow_up", CFG_ENABLE_FOLLOW_UP_GENERATION, CFG_FOLLOW_UP_GENERATION_PROMPT_TEMPLATE,
                          "What could the user of the chat below want to ask next? Write three to five short "
                          "questions, from his point of view and in the language of the "
                          "chat, each about what was said and none that is answered already. Answer with JSON alone, "
                          "of the form "
                          "{\"follow_ups\": [\"first question\", \"second question\"]}." CHAT,
                          0, 400, "An internal error has occurred." },
    [TASK_TAGS] = { "tags", CFG_ENABLE_TAGS_GENERATION, CFG_TAGS_GENERATION_PROMPT_TEMPLATE,
                    "Sort the chat below under one to three broad subjects (such as Science, Technology, Arts, Health, "
                    "Business) and, where it helps, one to three "
                    "narrower ones, in the language of the chat. If it is too short or too mixed to tell, the only tag "
                    "is \"General\". Answer with JSON alone, "
                    "of the form {\"tags\": [\"first\", \"second\"]}." CHAT,
                    0, 500, "An internal error has occurred." },
    [TASK_IMAGE_PROMPT] = { "image_prompt", -1, CFG_IMAGE_PROMPT_GENERATION_PROMPT_TEMPLATE,
                            "Describe the picture that the chat below asks for, so that somebody who has not read the "
                            "chat could draw it: subject, surroundings, light, "
                            "colours, style. Answer with JSON alone, of the form {\"prompt\": \"the "
                            "description\"}." CHAT,
                            0, 400, "An internal error has occurred." },
    [TASK_QUERIES] = { "queries", -1, CFG_QUERY_GENERATION_PROMPT_TEMPLATE,
                       "Today is {{CURRENT_DATE}}. To answer the last message of the chat below, what should be looked "
                       "up? Write one to three short search queries in "
                       "the language of the chat, each for another part of what is missing. If nothing at all needs to "
                       "be looked up, give an empty list. Answer with "
                       "JSON alone, of the form {\"queries\": [\"first\", \"second\"]}." CHAT,
                       0, 400, NULL },
    [TASK_AUTOCOMPLETE] = { "auto", CFG_ENABLE_AUTOCOMPLETE_GENERATION, CFG_AUTOCOMPLETE_GENERATION_PROMPT_TEMPLATE,
                            "Go on with the text below where it stops: a few words, in its language and tone, without "
                            "repeating any of it. It is meant as: {{TYPE}}. If you "
                            "cannot tell how it goes on, go on with nothing. Answer with JSON alone, of the form "
                            "{\"text\": \"the continuation\"}.\n\n"
                            "What was said before:\n{{MESSAGES:END:6}}\n\nThe text:\n{{PROMPT}}",
                            0, 500, "An internal error has occurred." },
    [TASK_EMOJI] = { "emoji", -1, -1,
                     "Choose the one single emoji that fits the mood of the message below best: a face if it shows a "
                     "feeling, else a thing. Answer with that emoji alone, "
                     "and no words.\n\nThe message: {{prompt}}",
                     4, 400, NULL },
    [TASK_MOA] = { "moa", -1, -1,
                   "Several models were asked the same, and their answers stand below. Make one answer of them that is "
                   "better than each alone: keep what is "
                   "right and useful, settle where they contradict each other, and leave out what is wrong or said "
                   "twice. Do not mention that there were several "
                   "answers, or who gave them; write as if you had been asked "
                   "yourself, in the language of the question, clear and well ordered. Where none of them knows the "
                   "answer, say so plainly, and do not invent one.\n\n"
                   "The question: {{prompt}}\n\nThe answers:\n{{responses}}",
                   0, 400, NULL },
};

bool task_is_enabled(const struct config *c, enum task_kind kind)
{
    return tasks[kind].enable < 0 || config_bool(c, (enum setting_id)tasks[kind].enable);
}

static struct str answers(struct arena *mem, json_object *responses)
{
    struct buf b = BUF(mem, STR_NPOS);

    JSON_EACH (responses, i, response) {
        if (b.n)
            buf_add_c(&b, "\n\n");
        buf_add_c(&b, "\"\"\"");
        buf_add_str(&b, json_str_value(response));
        buf_add_c(&b, "\"\"\"");
    }
    return buf_str(&b);
}

struct str task_prompt(struct arena *mem, const struct config *c, enum task_kind kind, const struct user *u,
                       json_object *form)
{
    struct str template = tasks[kind].template <0 ? STR_NONE : config_str(c, (enum setting_id)tasks[kind].template);
    json_object *messages = json_get(form, "messages");
    struct str prompt = json_str(form, "prompt");

    if (str_trim(template).n == 0)
        template = str_of(tasks[kind].default_template);
    if (!prompt.p)
        prompt = message_text(messages_last_user(messages));
    if (kind == TASK_AUTOCOMPLETE)
        template = str_replace(mem, template, S("{{TYPE}}"), json_str(form, "type"));
    if (kind == TASK_MOA)
        template = str_replace(mem, prompt_fill_task(mem, template, NULL, prompt, NULL), S("{{responses}}"),
                               answers(mem, json_get(form, "responses")));
    else
        template = prompt_fill_task(mem, template, u, prompt, messages);
    return template;
}

const struct model *task_model(const struct config *c, const struct models *list, const struct model *of_chat)
{
    bool is_local = str_is(json_str(of_chat->json, "connection_type"), "local");
    const struct model *other = model_by_id(list, config_str(c, is_local ? CFG_TASK_MODEL : CFG_TASK_MODEL_EXTERNAL));

    return other ? other : of_chat;
}

void task_limit(json_object *request, enum task_kind kind, const struct model *model)
{
    int64_t limit = tasks[kind].max_tokens;
    const char *name = str_is(model->owned_by, "ollama") ? "max_tokens" : "max_completion_tokens";

    if (limit < 0)
        limit = json_int(json_get(model->info, "params"), "max_tokens", 1000);
    if (limit > 0)
        json_set_int(request, name, limit);
}

enum status task_call(struct arena *mem, struct db *db, struct config *c, const struct models *list,
                      enum task_kind kind, const struct model *model, json_object *form, struct chat_call *call)
{
    json_object *request = json_new_object(mem), *message = json_new_object(mem);

    if (kind != TASK_MOA)
        model = task_model(c, list, model);
    if (!model_access(mem, db, c, call->user, model))
        return INVALID;
    json_set_str(request, "model", model->id);
    json_set_c(message, "role", "user");
    json_set_str(message, "content", task_prompt(mem, c, kind, call->user, form));
    json_push(json_set_array(request, "messages"), message);
    json_set_bool(request, "stream", kind == TASK_MOA && json_flag(form, "stream", false));
    task_limit(request, kind, model);
    call->form = request;
    call->chat_id = json_str(form, "chat_id");
    return upstream_for_chat(mem, c, list, model, call);
}
