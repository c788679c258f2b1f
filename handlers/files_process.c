/* files_process.c: reading a file after its upload was answered, and how far that has come. */
#include "handlers/chat_reply.h"
#include "handlers/files.h"
#include "handlers/routes.h"
#include "lib/audio/transcribe.h"
#include "lib/auth/file_access.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/net/control.h"
#include "lib/rag/process.h"
#include "lib/storage/storage.h"
#include "lib/store/users.h"

enum { FOLLOW_S = 2 * 3600, FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 10 * 1000, RECORDING_MAX = 256 * 1024 * 1024 };

/* ---- what kind of file it is */

static bool is_speech(struct request *r, struct str content_type)
{
    return content_type.n && transcribe_takes(r->config, content_type);
}

bool file_has_text(struct request *r, struct str content_type)
{
    return content_type.n == 0 || is_speech(r, content_type) ||
           !(str_starts(content_type, "image/") || str_starts(content_type, "video/")) ||
           str_is(config_str(r->config, CFG_CONTENT_EXTRACTION_ENGINE), "external");
}

static struct str content_type_of(struct arena *mem, const struct file *f)
{
    return json_str(json_parse_or_null(mem, f->meta), "content_type");
}

/* ---- processing */

static enum db_status note_failure(struct request *r, struct str id, struct str reason)
{
    json_object *data = json_new_object(r->mem);

    json_set_c(data, "status", "failed");
    json_set_str(data, "error", reason);
    return file_record(r->db, r->mem, id, data, NULL, STR_NONE);
}

static bool had_it_already(struct request *r, const struct file *f)
{
    return str_is(json_str(json_parse_or_null(r->mem, f->data), "status"), "completed");
}

/* What a recording says. */
static enum status listen(struct request *r, const struct file *f, struct str *text, struct error *err)
{
    json_object *meta = json_parse_or_null(r->mem, f->meta);
    struct recording what = { .filename = f->filename,
                              .content_type = json_str(meta, "content_type"),
                              .language = json_str(json_get(meta, "data"), "language") };
    int fd AUTO_CLOSE = -1;
    int64_t bytes;
    enum status st = storage_open(r->mem, r->config, f->path, &fd, &bytes, err);

    if (st == OK)
        st = fd_read(r->mem, fd, RECORDING_MAX, &what.bytes, err);
    return st == OK ? transcribe(r->mem, r->config, &what, text, err) : st;
}

enum db_status file_process(struct request *r, const struct user *u, const struct file *f)
{
    struct rag rag = { r->mem, r->db, r->config, u };
    struct rag_file job = { .content = STR_NONE };
    struct error err = { "" };
    enum status st = OK;

    if (is_speech(r, content_type_of(r->mem, f)))
        st = listen(r, f, &job.content, &err);
    if (st == OK && job.content.p && !str_trim(job.content).n)
        st = error_set(&err, INVALID, "There are no words in this recording");
    if (st == OK)
        st = rag_process_file(&rag, f, &job, &err);
    if (st == OK)
        return DB_ROW;
    log_warning("could not process file %.*s: %s", STR(f->id), err.text);
    return note_failure(r, f->id, str_of(err.text));
}

bool file_process_later(struct request *r, const struct file *f)
{
    json_object *state = json_new_object(r->mem);

    json_set_str(state, "file_id", f->id);
    json_set_str(state, "user_id", r->user->id);
    return control_job(r->mem, config_run_dir(r->config), "process_file", f->id, state) == OK;
}

static int done(struct response *out)
{
    return reply_json(out, json_new_object(out->mem));
}

/* A job: the sidecar calls it until it has answered; then once more, with "failed", if it never did. */
static int step_process(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state");
    struct str id = json_str(state, "file_id"), failed = form_str(r, "failed");
    struct user user;
    struct file f;
    enum db_status st = file_by_id(r->db, r->mem, id, &f);

    if (st == DB_ROW)
        st = user_by_id(r->db, r->mem, json_str(state, "user_id"), &user);
    if (st == DB_ROW && !had_it_already(r, &f)) {
        user.is_admin = str_is(user.role, "admin");
        rag_forget_file(r->config, r->mem, id, NULL); /* what a step that died had already saved */
        st = failed.n ? note_failure(r, id, failed) : file_process(r, &user, &f);
        if (st != DB_ERROR && file_by_id(r->db, r->mem, id, &f) == DB_DONE)
            rag_forget_file(r->config, r->mem, id, NULL); /* deleted meanwhile */
    }
    return st == DB_ERROR ? fail_db(out, r->db) : done(out); /* a file or user that is gone: nothing left to do */
}

/* ---- how far it has come */

static struct str event_of(struct arena *mem, json_object *data)
{
    json_object *event = json_new_object(mem);

    json_set(event, "status", json_get(data, "status"));
    if (str_is(json_str(data, "status"), "failed"))
        json_set(event, "error", json_get(data, "error"));
    return str_f(mem, "data: %s\n\n", json_text(mem, event).p);
}

static bool is_final(json_object *data)
{
    struct str status = json_str(data, "status");

    return status.n == 0 || str_is(status, "completed") || str_is(status, "failed");
}

/* One piece of the stream, and the wait for the next. */
static int follow(struct request *r, struct response *out, const struct file *f, struct str user_id, int64_t until_s,
                  int64_t wait_ms)
{
    json_object *data = json_parse_or_null(r->mem, f->data), *plan = json_new_object(r->mem), *write, *wait, *state;

    write = json_set_object(plan, "write");
    json_set_c(write, "content_type", "text/event-stream; charset=utf-8");
    json_set_str(write, "text", json_str(data, "status").n ? event_of(r->mem, data) : S(""));
    if (is_final(data) || now_s() >= until_s || !file_has_text(r, content_type_of(r->mem, f)))
        return reply_plan(out, plan);
    wait = json_set_object(plan, "wait");
    json_set_int(wait, "ms", wait_ms);
    json_set_str(wait, "job", f->id);
    json_set_c(plan, "then", "file_status");
    state = json_set_object(plan, "state");
    json_set_str(state, "file_id", f->id);
    json_set_str(state, "user_id", user_id);
    json_set_int(state, "until_s", until_s);
    json_set_int(state, "wait_ms", wait_ms * 5 / 4 < LONGEST_WAIT_MS ? wait_ms * 5 / 4 : LONGEST_WAIT_MS);
    return reply_plan(out, plan);
}

static int get_status(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem), *status_now;
    struct file f;
    int status;

    if (!file_find(r, out, "read", &f, &status))
        return status;
    if (query_bool(r, "stream", false))
        return follow(r, out, &f, r->user->id, now_s() + FOLLOW_S, FIRST_WAIT_MS);
    status_now = json_get(json_parse_or_null(r->mem, f.data), "status");
    json_set(o, "status", status_now ? status_now : json_new_str(r->mem, S("pending")));
    return reply_json(out, o);
}

/* The next piece of the stream, for as long as the user may see the file. */
static int step_status(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state");
    struct str user_id = json_str(state, "user_id");
    struct user user;
    struct file f;
    enum db_status st = user_by_id(r->db, r->mem, user_id, &user);

    if (st == DB_ROW) {
        user.is_admin = str_is(user.role, "admin");
        st = file_by_id(r->db, r->mem, json_str(state, "file_id"), &f);
    }
    if (st == DB_ROW)
        st = file_access(r->db, r->mem, &user, &f, "read");
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (st == DB_DONE)
        return reply_plan(out, json_new_object(r->mem));
    return follow(r, out, &f, user_id, json_int(state, "until_s", 0), json_int(state, "wait_ms", FIRST_WAIT_MS));
}

static const struct field status_query[] = { FIELD(BOOLEAN, "stream", NOT_NULL, .def = "false"), END };

const struct route files_process_routes[] = {
    { GET, "/api/v1/files/{id}/process/status", VERIFIED, get_status, .type = "text/event-stream",
      .query = status_query, .server = SIDECAR,
      .about = "How far a file is processed; with stream, as events until that is over" },
    { POST, "/internal/step/process_file", INTERNAL, step_process, .body = BODY_JSON_ANY, .keep_unknown = true,
      .hidden = true, .about = "Reads a file that was uploaded" },
    { POST, "/internal/step/file_status", INTERNAL, step_status, .body = BODY_JSON_ANY, .keep_unknown = true,
      .hidden = true, .about = "How far a file is processed" },
    END
};
