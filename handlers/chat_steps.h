/* chat_steps.h: what the steps of a generation share (docs/plans.md; handlers/steps.c, chat_prepare.c, chat_tools.c, chat_calls.c, chat_code.c).
 *
 * A generation's state goes from step to step through the sidecar. Its members:
 *   user_id, chat_id, message_id, session_id, model, is_local    whose, and which model he chose
 *   in_chat             the answer goes to tabs and is saved; otherwise to the HTTP client
 *   tasks               the small jobs that are wanted afterwards
 *   is_ollama, selected_model_id    of the last call of the model
 *   token               the caller's own; only if a provider or tool server of the settings takes it
 *   oauth_session       of the provider that he has signed in with, when tools are called
 *   direct              the model as the browser described it: only that tab can ask it
 *
 * and only while something is to be prepared, or the model may have to be called again:
 *   form, variables     the request to the model so far, and what fills prompts
 *   options             of the transcript
 *   todo, waiting       what is to be prepared, and for what the first of it waits (chat_prepare.c)
 *   items, granted      files and collections that were attached (to the folder, too); those of the model, whose owner is granted_by
 *   queries             for a web search that is about to begin
 *   filters             pipelines that have not seen the request yet (chat_filters.h)
 *   native, tools       how tools are called, and which (chat_tools.h)
 *   mcp                 {id of a tool server: conversation} (lib/tools/mcp.h)
 *   exec                calls of tools that run (chat_calls.h)
 *   sources             what was found, for the model and for the message
 *   blocks              of the answer so far, when the model is called again
 *   rounds, code_rounds how often it was */
#ifndef HANDLERS_CHAT_STEPS_H
#define HANDLERS_CHAT_STEPS_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "lib/chat/after.h"
#include "lib/chat/outcome.h"
#include "lib/llm/task.h"

#define STEP_ROUTE(name, handler, about_)                                                                             \
    {                                                                                                                 \
        POST, "/internal/step/" name, INTERNAL, handler, .body = BODY_JSON_ANY, .keep_unknown = true, .hidden = true, \
                                                         .about = about_                                              \
    }

struct step {
    struct request *r;
    struct after after;
    struct user user;
    json_object *state, *outcome; /* outcome NULL: of the first prepare step */
    json_object *plan;            /* the answer */
    json_object *refusal;         /* why a stage has refused the request, text or JSON */
};

/* false: the answer is made, *status is its status. The user may be gone by now: then there is nobody to save for. */
bool step_open(struct request *r, struct response *out, struct step *s, int *status);
int step_reply(struct response *out, struct step *s, enum db_status st); /* the plan; or the database's failure */

bool step_failed(const struct step *s);
bool step_stopped(const struct step *s);
/* The sidecar has been restarted meanwhile: what this generation waited for will not come. */
bool step_is_lost(const struct step *s);
/* The message keeps what there is of the answer, and the error; the tabs are told. body: the provider's answer; NULL: none. */
enum db_status step_save_error(struct step *s, json_object *body, bool was_streamed);

/* The provider's answer (or the browser's, of a direct connection) in OpenAI's form; NULL: no JSON. */
json_object *step_answer(const struct step *s);

/* Puts the call of the chat's model into the plan, with the state's form and `more` messages (NULL: none) after its own. NOT_FOUND: nobody has it (any more);
 * err is for the log. */
enum status step_call_model(struct step *s, json_object *more, struct error *err);

/* Puts a small job into a plan of its own (`then` gets its answer), or of calls. form: what it is about (lib/llm/task.h). */
enum status step_job(struct step *s, enum task_kind kind, json_object *form, const char *then, json_object *state,
                     json_object *plan);
/* The same for any request to the model that does small jobs: {"messages": […]}. */
enum status step_side_call(struct step *s, json_object *request, const char *then, json_object *state,
                           json_object *plan);

/* The text of an answer of a small job: from its first "{" to its last "}", as JSON; NULL: none. */
json_object *step_json_in(struct step *s, struct str text);

/* A line of the message's history, shown and kept; nothing without a chat. */
void step_status(struct step *s, json_object *data);
void step_tell(struct step *s, const char *type, json_object *data); /* the same of any event that a message keeps */

/* The tabs are shown the blocks (an event). */
void step_show(struct step *s, json_object *blocks);

#endif
