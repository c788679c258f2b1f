/* spool.c: answers in the making on disk. */
#include "sidecar/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "sidecar/plans.h"
#include "sidecar/sidecar.h"

enum { FILE_BYTES = 256 * 1024 * 1024, RECOVER_MS = 3000, MAX_LEFT = 10000 };

struct spool {
    int fd;
    char *path;
};

static struct spool *spool_new(struct str path, int fd)
{
    struct spool *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    *s = (struct spool){ fd, copy_str(path) };
    return s;
}

struct spool *spool_open(struct run *r, json_object *options, struct spool *before)
{
    struct arena *mem = arena_new(8192);
    struct str path = path_in_run(mem, str_f(mem, "spool/%s", r->task_id).p);
    json_object *o = json_new_object(mem);
    struct error err;
    int fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_APPEND, 0600);
    struct buf line = BUF(mem, 64 * 1024 * 1024);
    struct spool *s;

    if (before)
        spool_leave(before);
    json_set_c(o, "task_id", r->task_id);
    json_set_c(o, "user_id", r->user_id);
    json_set_c(o, "chat_id", r->chat_id);
    json_set_c(o, "message_id", r->message_id);
    json_set_c(o, "session_id", r->session_id);
    json_set_c(o, "model", r->model);
    json_set_c(o, "then", r->then);
    json_set_raw(o, "state", str_of(r->state));
    json_set(o, "options", options);
    json_set_int(o, "started_ms", r->started_ms);
    json_add_to_buf(&line, o);
    buf_add_char(&line, '\n');
    if (fd < 0 || write_all(fd, buf_str(&line), &err) != OK) {
        log_error("could not write %s: %s", path.p, strerror(errno));
        if (fd >= 0)
            close(fd);
        arena_free(mem);
        return NULL;
    }
    s = spool_new(path, fd);
    arena_free(mem);
    return s;
}

void spool_add(struct spool *s, struct str lines)
{
    struct error err;

    if (lines.n && write_all(s->fd, lines, &err) != OK)
        log_error("could not write %s: %s", s->path, err.text);
}

void spool_leave(struct spool *s)
{
    close(s->fd);
    free(s->path);
    free(s);
}

void spool_drop(struct spool *s)
{
    unlink(s->path);
    spool_leave(s);
}

/* ---- the next start */

static char **left; /* paths of what was found at the start */
static size_t left_n;
static struct delay *later;

static void recover(struct str path, int fd, struct str bytes)
{
    struct arena *mem = arena_new(16 * 1024);
    struct buf events = BUF(NULL, TRANSCRIPT_MAX_BYTES * 4);
    struct str line;
    json_object *header;
    struct transcript *t;

    if (!str_split(&bytes, '\n', &line))
        line = STR_NONE;
    header = json_parse_or_null(mem, line);
    if (!json_str(header, "then").n || !uuid_valid(json_str(header, "task_id"))) {
        log_error("%s is broken and is removed", path.p);
        unlink(path.p);
        close(fd);
        arena_free(mem);
        return;
    }
    t = transcript_new(json_get(header, "options"), false, json_int(header, "started_ms", now_ms()));
    while (bytes.n && str_split(&bytes, '\n', &line)) {
        buf_reset(&events);
        if (line.n)
            transcript_feed(t, line, now_ms(), &events);
    }
    buf_free(&events);
    log_info("task %.*s was left unfinished: saving what had come", STR(json_str(header, "task_id")));
    run_recover(header, t, spool_new(path, fd));
    arena_free(mem);
}

/* By now the tabs are there again, to be told. */
static void recover_all(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < left_n; i++) {
        struct arena *mem = arena_new(4096);
        struct str path = str_of(left[i]), bytes;
        struct error err;
        int fd = open(path.p, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);

        if (fd >= 0 && file_read(mem, path.p, FILE_BYTES, &bytes, &err) == OK)
            recover(path, fd, bytes);
        else
            log_error("could not read %s", path.p);
        arena_free(mem);
        free(left[i]);
    }
    free(left);
    left = NULL;
    left_n = 0;
}

void spool_recover(void)
{
    struct arena *mem = arena_new(4096);
    struct str folder = path_in_run(mem, "spool");
    struct error err;
    DIR *d;
    struct dirent *e;

    if (dir_make(folder.p, 0700, &err) != OK)
        log_error("%s", err.text);
    d = opendir(folder.p);
    while (d && left_n < MAX_LEFT && (e = readdir(d))) {
        if (!uuid_valid(str_of(e->d_name)))
            continue;
        left = realloc(left, (left_n + 1) * sizeof(*left));
        if (!left)
            abort();
        left[left_n++] = copy_str(str_f(mem, "%s/%s", folder.p, e->d_name));
    }
    if (d)
        closedir(d);
    if (left_n)
        delay_start(&later, RECOVER_MS, recover_all, NULL);
    arena_free(mem);
}
