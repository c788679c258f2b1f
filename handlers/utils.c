/* utils.c: /api/v1/utils: small services of the frontend, and the database as a file. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/route.h"
#include "handlers/plan_call.h"
#include "handlers/routes.h"
#include "handlers/texts.h"
#include "lib/base/child.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/code/jupyter.h"
#include "lib/code/slots.h"
#include "lib/db/backup.h"
#include "lib/text/markdown.h"
#include "lib/text/python_format.h"
#include "lib/tools/python.h"

enum { PDF_MS = 60 * 1000, PDF_MAX = 128 * 1024 * 1024, CHUNK = 64 * 1024, RUN_MOST_S = 90 };

static int reply_member(struct request *r, struct response *out, const char *name, struct str text)
{
    json_object *o = json_new_object(r->mem);

    json_set_str(o, name, text);
    return reply_json(out, o);
}

/* ---- text */

static int gravatar(struct request *r, struct response *out)
{
    struct str email = str_lower(r->mem, str_trim(query_str(r, "email")));

    return reply_json(out, json_new_str(r->mem, str_f(r->mem, "https://www.gravatar.com/avatar/%.*s?d=mp",
                                                      STR(sha256_hex(r->mem, email)))));
}

static int markdown(struct request *r, struct response *out)
{
    struct str html;

    if (markdown_html(r->mem, form_str(r, "md"), &html) != OK)
        return fail(out, 413, "The text is too long");
    return reply_member(r, out, "html", html);
}

/* ---- code */

static int format_code(struct request *r, struct response *out)
{
    struct error err = { "" };
    struct str code;

    switch (python_format(r->mem, form_str(r, "code"), &code, &err)) {
    case OK: return reply_member(r, out, "code", code);
    case INVALID: return fail(out, 400, "%s", err.text);
    case NOT_FOUND: /* without black it stays as it is: the pages of tools and functions save nothing else */
        return python_check(r->mem, form_str(r, "code"), &err) == OK ? reply_member(r, out, "code", form_str(r, "code"))
                                                                     : fail(out, 400, "%s", err.text);
    default: log_error("%s", err.text); return fail(out, 400, "The code could not be formatted");
    }
}

static void run_code(struct request *r, struct response *out, struct str code)
{
    struct str auth = config_str(r->config, CFG_CODE_EXECUTION_JUPYTER_AUTH);
    int64_t limit_s = config_int(r->config, CFG_CODE_EXECUTION_JUPYTER_TIMEOUT);
    struct jupyter server = { .url = config_str(r->config, CFG_CODE_EXECUTION_JUPYTER_URL),
                              .timeout_s = limit_s > 0 && limit_s < RUN_MOST_S ? (int)limit_s : RUN_MOST_S,
                              .insecure = !config_bool(r->config, CFG_AIOHTTP_CLIENT_SESSION_SSL) };
    struct code_output output;
    json_object *o = json_new_object(r->mem);

    if (str_is(auth, "token"))
        server.token = config_str(r->config, CFG_CODE_EXECUTION_JUPYTER_AUTH_TOKEN);
    if (str_is(auth, "password"))
        server.password = config_str(r->config, CFG_CODE_EXECUTION_JUPYTER_AUTH_PASSWORD);
    jupyter_run(r->mem, &server, code, &output);
    json_set_str(o, "stdout", output.stdout_text);
    json_set_str(o, "stderr", output.stderr_text);
    json_set_str(o, "result", output.result);
    reply_json(out, o);
}

/* Now, or when there is a place. */
static int run_in_turn(struct request *r, struct response *out, struct str code, int64_t since_s)
{
    json_object *plan, *state;
    int place AUTO_CLOSE = code_slot_take(r->config);

    if (place >= 0) {
        run_code(r, out, code);
        return out->status;
    }
    if (now_s() - since_s >= CODE_WAIT_MOST_S)
        return fail(out, 503, "Too many programs are running. Please try again.");
    plan = json_new_object(r->mem);
    json_set_int(json_set_object(plan, "wait"), "ms", CODE_WAIT_MS);
    json_set_c(plan, "then", "code_turn");
    state = json_set_object(plan, "state");
    json_set_str(state, "code", code);
    json_set_int(state, "since_s", since_s);
    return reply_plan(out, plan);
}

static int execute_code(struct request *r, struct response *out)
{
    if (!config_bool(r->config, CFG_ENABLE_CODE_EXECUTION))
        return fail(out, 403, "Code execution is not enabled");
    if (!str_is(config_str(r->config, CFG_CODE_EXECUTION_ENGINE), "jupyter"))
        return fail(out, 400, "Code execution engine not supported");
    return run_in_turn(r, out, form_str(r, "code"), now_s());
}

static int code_turn(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state");

    run_in_turn(r, out, json_str(state, "code"), json_int(state, "since_s", 0));
    return reply_step(r, out);
}

/* ---- a chat on paper: made by a program of its own, since fonts and their libraries are large */

static int chat_as_pdf(struct request *r, struct response *out)
{
    char *argv[] = { "webui-pdf", NULL };
    static const char *const env[] = { "HOME=/nonexistent", NULL };
    struct child pdf = { .program = child_beside(r->mem, "WEBUI_PDF", "webui-pdf").p,
                         .argv = argv,
                         .input_fd = -1,
                         .env = env,
                         .input = json_text(r->mem, r->form),
                         .max_output = PDF_MAX,
                         .timeout_ms = PDF_MS,
                         .cpu_s = PDF_MS / 1000,
                         .memory_bytes = (size_t)1 << 30 };
    struct error err = { "" };
    enum status st = child_run(r->mem, &pdf, &err);

    if (st != OK || pdf.exit_status != 0) {
        log_error("webui-pdf: %s%.*s", err.text, STR(str_trim(str_sub(pdf.complaint, 0, 300))));
        return st == NOT_FOUND ? fail(out, 501, "The program webui-pdf is not installed on this server")
                               : fail(out, 400, "The PDF could not be made");
    }
    reply_text(out, 200, "application/pdf", pdf.output);
    response_header(out, "Content-Disposition", S("attachment;filename=chat.pdf"));
    return 200;
}

/* ---- the database */

struct dump {
    pid_t pid;
    int fd;
    bool ended;
    char first[CHUNK];
    size_t first_n;
};

static void dump_end(void *arg)
{
    struct dump *d = arg;

    close(d->fd);
    if (!d->ended)
        child_wait(d->pid, true);
}

static ssize_t dump_read(struct dump *d, char *to)
{
    ssize_t n;

    while ((n = read(d->fd, to, CHUNK)) < 0 && errno == EINTR) {
    }
    return n;
}

static void dump_send(struct response_sink *to, void *arg)
{
    struct dump *d = arg;
    ssize_t n = (ssize_t)d->first_n;

    for (; n > 0; n = dump_read(d, d->first))
        if (!response_send(to, str_n(d->first, (size_t)n)))
            return;
    d->ended = true;
    if (child_wait(d->pid, n < 0) == 0)
        return;
    log_error("pg_dump broke off");
    response_break(to);
}

/* Nothing is answered before pg_dump has begun to write: until then its failure can be told. */
static int dump_postgres(struct request *r, struct response *out)
{
    struct dump *d = arena_new_one(r->mem, struct dump);
    struct error err = { "" };
    enum status st = db_start_dump(r->mem, r->db, &d->pid, &d->fd, &err);
    ssize_t n;

    if (st == NOT_FOUND)
        return fail(out, 400, "This feature is only available when running with SQLite databases.");
    if (st != OK)
        return fail_status(out, st, &err);
    arena_at_end(r->mem, dump_end, d);
    n = dump_read(d, d->first);
    if (n <= 0)
        return fail(out, 502, "The database could not be dumped: see the server's log");
    d->first_n = (size_t)n;
    response_header(out, "Content-Disposition", S("attachment; filename=\"webui.sql\""));
    return reply_stream(out, "application/octet-stream", dump_send, d);
}

static int download_db(struct request *r, struct response *out)
{
    struct error err = { "" };
    int64_t bytes;
    enum status st;
    int fd;

    if (!config_bool(r->config, CFG_ENABLE_ADMIN_EXPORT))
        return fail(out, 401, PROHIBITED_TEXT);
    if (db_kind(r->db) == DB_POSTGRES)
        return dump_postgres(r, out);
    st = db_copy_file(r->db, config_data_dir(r->config), &fd, &bytes, &err);
    if (st != OK)
        return fail_status(out, st, &err);
    response_header(out, "Content-Disposition", S("attachment; filename=\"webui.db\""));
    return reply_file(out, fd, bytes, "application/octet-stream");
}

static int litellm_config(struct request *r, struct response *out)
{
    int fd = open(str_f(r->mem, "%s/litellm/config.yaml", config_data_dir(r->config)).p,
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return fail(out, 404, "There is no litellm/config.yaml");
    }
    response_header(out, "Content-Disposition", S("attachment; filename=\"config.yaml\""));
    return reply_file(out, fd, st.st_size, "application/octet-stream");
}

static const struct field email_query[] = { FIELD(STRING, "email", REQUIRED), END };
static const struct field code_form[] = { FIELD(STRING, "code", REQUIRED), END };
static const struct field markdown_form[] = { FIELD(STRING, "md", REQUIRED), END };
static const struct field pdf_form[] = { FIELD(STRING, "title", REQUIRED), FIELD(LIST, "messages", REQUIRED), END };

const struct route utils_routes[] = { { GET, "/api/v1/utils/gravatar", VERIFIED, gravatar, .query = email_query,
                                        .about = "The address of a picture at Gravatar" },
                                      { POST, "/api/v1/utils/code/format", ADMIN, format_code, .form = code_form,
                                        .server = SIDECAR, .about = "Lays Python source out" },
                                      { POST, "/api/v1/utils/code/execute", VERIFIED, execute_code, .form = code_form,
                                        .server = SIDECAR, .about = "Runs code in a Jupyter server" },
                                      { POST, "/api/v1/utils/markdown", VERIFIED, markdown, .form = markdown_form,
                                        .about = "Markdown as HTML" },
                                      { POST, "/api/v1/utils/pdf", VERIFIED, chat_as_pdf, .type = "application/pdf",
                                        .form = pdf_form, .server = SIDECAR, .about = "A chat as a PDF" },
                                      { GET, "/api/v1/utils/db/download", ADMIN, download_db, .type = "*/*",
                                        .about = "The database: SQLite's file, or SQL" },
                                      { GET, "/api/v1/utils/litellm/config", ADMIN, litellm_config, .type = "*/*",
                                        .about = "A LiteLLM configuration, if there is one" },
                                      { POST, "/internal/step/code_turn", INTERNAL, code_turn, .body = BODY_JSON_ANY,
                                        .keep_unknown = true, .hidden = true, .about = "A program that waits" },
                                      END };
