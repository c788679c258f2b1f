/* jobs.c: work that goes on after its request has been answered. */
#include "sidecar/jobs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "sidecar/plans.h"
#include "sidecar/sidecar.h"
#include "sidecar/steps.h"

enum { MAX_JOBS = 10000, FILE_BYTES = 1024 * 1024, JOB_MS = 2 * 3600 * 1000, AGAIN_MS = 10 * 1000 };

struct job {
    struct job *next, **prev;
    char *path, *step, *key, *state; /* state: JSON text */
    struct step *call;               /* NULL: it waits */
    struct delay *again;
    bool failed; /* it is being told so */
};

static struct job *jobs, **jobs_end = &jobs;
static unsigned jobs_n, running;
static bool stopped;

static void begin_next(void);

static struct job *job_new(struct str path, json_object *o, struct arena *mem)
{
    struct job *j = calloc(1, sizeof(*j));

    if (!j)
        abort();
    *j = (struct job){ .path = copy_str(path),
                       .step = copy_str(json_str(o, "step")),
                       .key = copy_str(json_str(o, "key")),
                       .state = copy_str(json_text(mem, json_get(o, "state"))) };
    j->prev = jobs_end;
    *jobs_end = j;
    jobs_end = &j->next;
    jobs_n++;
    return j;
}

static void job_free(struct job *j)
{
    *j->prev = j->next;
    if (j->next)
        j->next->prev = j->prev;
    else
        jobs_end = j->prev;
    jobs_n--;
    delay_stop(&j->again);
    free(j->path);
    free(j->step);
    free(j->key);
    free(j->state);
    free(j);
}

static void job_done(struct job *j)
{
    unlink(j->path);
    runs_wake(str_of(j->key));
    job_free(j);
}

static void begin_later(void *arg)
{
    (void)arg;
    begin_next();
}

static void answered(void *arg, enum status st, int status, struct str type, struct str body)
{
    struct job *j = arg;

    (void)status, (void)type, (void)body;
    j->call = NULL;
    running--;
    if (stopped && st != OK)
        return; /* its file stays, for the next sidecar */
    if (st == OK || (j->failed && st != UNAVAILABLE)) {
        job_done(j);
    } else if (st == UNAVAILABLE) { /* the database or the workers are away: it stays */
        delay_start(&j->again, AGAIN_MS, begin_later, NULL);
    } else {
        log_error("job %s of %s failed", j->step, j->key);
        j->failed = true;
    }
    begin_next();
}

static void begin(struct job *j)
{
    struct buf path = BUF(NULL, 256), body = BUF(NULL, FILE_BYTES * 2);

    buf_add_c(&path, "/internal/step/");
    buf_add_urlencoded(&path, str_of(j->step));
    buf_addf(&body, "{\"state\":%s", j->state);
    if (j->failed)
        buf_add_c(&body, ",\"failed\":\"The server could not finish this: it took too long, or the process died.\"");
    buf_add_char(&body, '}');
    running++;
    j->call = step_call_within(buf_str(&path), buf_str(&body), STR_NONE, STEP_PATIENCE_MS, JOB_MS, answered, j);
    buf_free(&path);
    buf_free(&body);
}

/* At most half of the workers: the others are for people who wait. */
static void begin_next(void)
{
    unsigned at_once = sidecar.workers_max < 4 ? 1 : (unsigned)sidecar.workers_max / 4;

    if (stopped)
        return;
    for (struct job *j = jobs, *next; j && running < at_once; j = next) {
        next = j->next;
        if (!j->call && !j->again)
            begin(j);
    }
}

/* ---- from outside */

static bool is_waiting_already(struct str step, struct str key)
{
    for (struct job *j = jobs; j; j = j->next)
        if (!j->call && str_is(step, j->step) && str_is(key, j->key))
            return true;
    return false;
}

bool job_add(struct arena *mem, struct str step, struct str key, json_object *state)
{
    json_object *o = json_new_object(mem);
    struct str path = path_in_run(mem, str_f(mem, "jobs/%s", random_uuid(mem).p).p), text;
    struct error err = { "" };

    if (is_waiting_already(step, key))
        return true;
    json_set_str(o, "step", step);
    json_set_str(o, "key", key);
    json_set(o, "state", state);
    text = json_text(mem, o);
    if (!step.n || text.n > FILE_BYTES || jobs_n >= MAX_JOBS || stopped)
        return false;
    if (file_write(path.p, text, 0600, &err) != OK) {
        log_error("a job could not be kept: %s", err.text);
        return false;
    }
    job_new(path, o, mem);
    begin_next();
    return true;
}

void jobs_stop(void)
{
    stopped = true;
}

unsigned jobs_count(void)
{
    return jobs_n;
}

void jobs_keys(struct str step, json_object *list)
{
    for (struct job *j = jobs; j; j = j->next)
        if (str_is(step, j->step))
            json_push_str(list, str_of(j->key));
}

static void recover(struct str path)
{
    struct arena *mem = arena_new(4096);
    struct error err = { "" };
    struct str text;
    json_object *o = NULL;

    if (file_read(mem, path.p, FILE_BYTES, &text, &err) != OK || json_parse(mem, text, &o, &err) != OK ||
        !json_str(o, "step").n) {
        log_error("%s is broken and is removed: %s", path.p, err.text);
        unlink(path.p);
    } else {
        job_new(path, o, mem);
    }
    arena_free(mem);
}

void jobs_recover(void)
{
    struct arena *mem = arena_new(4096);
    struct str folder = path_in_run(mem, "jobs");
    struct error err = { "" };
    struct dirent *e;
    DIR *d;

    if (dir_make(folder.p, 0700, &err) != OK)
        log_error("%s", err.text);
    d = opendir(folder.p);
    while (d && jobs_n < MAX_JOBS && (e = readdir(d)))
        if (uuid_valid(str_of(e->d_name)))
            recover(str_f(mem, "%s/%s", folder.p, e->d_name));
    if (d)
        closedir(d);
    if (jobs_n)
        log_info("%u jobs were left unfinished: going on with them", jobs_n);
    begin_next();
    arena_free(mem);
}
