/* chat_code.c: code that a model has written in its answer is run. */
#include "handlers/chat_code.h"

#include <unistd.h>

#include "handlers/chat_pictures.h"
#include "handlers/chat_reply.h"
#include "lib/auth/auth.h"
#include "lib/base/random.h"
#include "lib/base/clock.h"
#include "lib/code/jupyter.h"
#include "lib/code/slots.h"
#include "lib/llm/messages.h"

enum { TAB_MS = 60 * 1000, CODE_BYTES = 1024 * 1024, MAX_RUN_S = 90 }; /* a step has two minutes */

/* Whoever wants others sets CODE_INTERPRETER_PROMPT_TEMPLATE. */
static const char ours[] =
    "You can have Python run. Write the program between <code_interpreter type=\"code\" lang=\"python\"> and "
    "</code_interpreter>, without a code block around it, and stop "
    "there: you are then shown what it has printed, and go on from that. Use it for calculations, data and charts, not "
    "for what you know anyway. The program runs in the user's "
    "browser (Pyodide) or in a notebook: print() what you need to see, and do not ask for input. A chart that is shown "
    "with matplotlib comes back as a link to a picture: pass "
    "that on to the user as it is, and do not make one up. Say in a few words what the result means, in the language "
    "of the user.";

static bool is_on(struct config *c)
{
    return config_bool(c, CFG_ENABLE_CODE_EXECUTION) && config_bool(c, CFG_ENABLE_CODE_INTERPRETER);
}

int code_check(struct request *r, struct response *out)
{
    if (!is_on(r->config))
        return fail(out, 403, "The code interpreter is disabled");
    if (!r->user->is_admin && !auth_permission(r->mem, r->db, r->config, r->user, "features.code_interpreter"))
        return fail(out, 403, PROHIBITED_TEXT);
    return 0;
}

void code_explain(struct arena *mem, struct config *c, json_object *messages)
{
    struct str template = config_str(c, CFG_CODE_INTERPRETER_PROMPT_TEMPLATE);

    messages_add_user(mem, messages, template.n ? template : str_of(ours), true);
}

/* Modules that the settings forbid cannot be imported by the program itself. */
static struct str with_guard(struct step *s, struct str code)
{
    json_object *blocked = config_json(s->r->config, CFG_CODE_INTERPRETER_BLOCKED_MODULES);
    struct buf b = BUF(s->r->mem, 2 * CODE_BYTES);

    if (json_length(blocked) == 0)
        return code;
    buf_add_c(&b, "import builtins as _b\n\ndef _guard(names, real):\n"
                  "    def guarded(name, globals=None, locals=None, fromlist=(), level=0):\n"
                  "        if name.split('.')[0] in names and (globals or {}).get('__name__') == '__main__':\n"
                  "            raise ImportError('The module ' + name + ' may not be imported here.')\n"
                  "        return real(name, globals, locals, fromlist, level)\n"
                  "    return guarded\n\n_b.__import__ = _guard(");
    json_add_to_buf(&b, blocked);
    buf_add_c(&b, ", _b.__import__)\ndel _guard, _b\n\n");
    buf_add_str(&b, code);
    return buf_str(&b);
}

static void ask_browser(struct step *s, struct str code)
{
    json_object *ask = json_set_object(s->plan, "ask"), *event = json_set_object(ask, "data"),
                *data = json_set_object(event, "data");

    json_set(ask, "session_id", json_get(s->state, "session_id"));
    json_set_int(ask, "timeout_ms", TAB_MS);
    json_set_c(event, "type", "execute:python");
    json_set_str(data, "id", random_uuid(s->r->mem));
    json_set_str(data, "code", code);
    json_set(data, "session_id", json_get(s->state, "session_id"));
}

static json_object *only_stdout(struct step *s, struct str text)
{
    json_object *o = json_new_object(s->r->mem);

    json_set_str(o, "stdout", text);
    return o;
}

bool code_start(struct step *s, json_object *block, json_object **output)
{
    struct str engine = config_str(s->r->config, CFG_CODE_INTERPRETER_ENGINE), code = json_str(block, "content");

    if (!is_on(s->r->config)) {
        *output = only_stdout(s, S("The code interpreter is disabled."));
    } else if (!str_is(json_str(json_get(block, "attributes"), "type"), "code") || code.n > CODE_BYTES) {
        *output = json_new_str(s->r->mem, S(""));
    } else if (str_is(engine, "pyodide")) {
        ask_browser(s, with_guard(s, code));
        return true;
    } else if (str_is(engine, "jupyter")) {
        return true;
    } else {
        *output = only_stdout(s, S("Code interpreter engine not configured."));
    }
    return false;
}

/* ---- Jupyter: a step runs the program, when there is a place for it */

static void give_back(void *place)
{
    close((int)(intptr_t)place);
}

bool code_waits(struct step *s)
{
    int64_t since_s = json_int(s->state, "code_since_s", now_s());
    int place;

    if (step_failed(s) || json_has(s->outcome, "answer")) /* the browser has run it */
        return false;
    place = code_slot_take(s->r->config);
    if (place >= 0)
        arena_at_end(s->r->mem, give_back, (void *)(intptr_t)place);
    if (place >= 0 || now_s() - since_s >= CODE_WAIT_MOST_S) {
        json_del(s->state, "code_since_s");
        return false;
    }
    json_set_int(s->state, "code_since_s", since_s);
    json_set_int(json_set_object(s->plan, "wait"), "ms", CODE_WAIT_MS);
    return true;
}

static json_object *run_in_jupyter(struct step *s, json_object *block)
{
    struct config *c = s->r->config;
    struct str auth = config_str(c, CFG_CODE_INTERPRETER_JUPYTER_AUTH);
    int64_t seconds = config_int(c, CFG_CODE_INTERPRETER_JUPYTER_TIMEOUT);
    struct jupyter server = { .url = config_str(c, CFG_CODE_INTERPRETER_JUPYTER_URL),
                              .timeout_s = (int)(seconds > MAX_RUN_S ? MAX_RUN_S : seconds),
                              .insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL) };
    struct code_output out;
    json_object *o = json_new_object(s->r->mem);

    if (str_is(auth, "token"))
        server.token = config_str(c, CFG_CODE_INTERPRETER_JUPYTER_AUTH_TOKEN);
    else if (str_is(auth, "password"))
        server.password = config_str(c, CFG_CODE_INTERPRETER_JUPYTER_AUTH_PASSWORD);
    jupyter_run(s->r->mem, &server, with_guard(s, json_str(block, "content")), &out);
    json_set_str(o, "stdout", out.stdout_text);
    json_set_str(o, "stderr", out.stderr_text);
    json_set_str(o, "result", out.result);
    return o;
}

/* Pictures that were printed, or are the result, become files. */
static json_object *with_pictures_kept(struct step *s, json_object *output)
{
    static const char *const members[] = { "stdout", "result" };

    for (size_t i = 0; json_is(output, json_type_object) && i < 2; i++)
        if (json_str(output, members[i]).n)
            json_set_str(output, members[i], picture_lines_kept(s, json_str(output, members[i])));
    return output;
}

json_object *code_output(struct step *s, json_object *block)
{
    if (step_failed(s))
        return json_get(s->outcome, "error");
    return with_pictures_kept(s, json_has(s->outcome, "answer") ? json_get(s->outcome, "answer")
                                                                : run_in_jupyter(s, block));
}
