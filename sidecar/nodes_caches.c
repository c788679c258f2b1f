/* nodes_caches.c: what processes keep in memory is dropped on all machines when it changes on one; tokens that are revoked on one are revoked on all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/cleanup.h"
#include "lib/base/log.h"
#include "lib/base/shared.h"
#include "sidecar/bus.h"
#include "sidecar/nodes_internal.h"
#include "sidecar/sidecar.h"
#include "sidecar/steps.h"

enum { LOOK_MS = 50, LINES_BYTES = 256 * 1024 };

static uv_timer_t timer;
static bool watching;
static uint64_t seen[COUNTER_MAX];
static char *revoked_path;
static struct {
    dev_t device;
    ino_t inode;
    off_t read_to;
} told; /* how much of the list of revoked tokens the others have been told */

/* ---- revoked tokens: lines of DATA_DIR/revoked, which hold hashes only */

static void tell_lines(struct str lines)
{
    struct buf b;

    nodes_head(&b, "revoked");
    nodes_send(&b, lines);
}

/* What was added to the file since; all of it when it is another file. The last line may be in the making. */
static void tell_revoked(void)
{
    int fd AUTO_CLOSE = revoked_path ? open(revoked_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    char *text = fd >= 0 ? malloc(LINES_BYTES) : NULL;
    struct stat now;
    size_t whole;
    ssize_t n;

    if (!text)
        return;
    if (fstat(fd, &now) == 0 && (now.st_ino != told.inode || now.st_dev != told.device || now.st_size < told.read_to))
        told.read_to = 0;
    told.inode = now.st_ino;
    told.device = now.st_dev;
    while ((n = pread(fd, text, LINES_BYTES, told.read_to)) > 0) {
        for (whole = (size_t)n; whole && text[whole - 1] != '\n';)
            whole--;
        if (!whole)
            break;
        tell_lines(str_n(text, whole));
        told.read_to += (off_t)whole;
    }
    free(text);
}

void nodes_caches_tell(void)
{
    told.read_to = 0;
    tell_revoked();
}

static void added(void *arg, enum status st, int status, struct str content_type, struct str body)
{
    (void)arg, (void)status, (void)content_type, (void)body;
    if (st != OK)
        log_error("tokens that were revoked on another machine could not be kept here");
}

void nodes_on_revoked(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    json_object *in = json_new_object(mem);

    (void)from, (void)head;
    json_set_str(in, "lines", body);
    step_call(S("/internal/revoked"), json_text(mem, in), STR_NONE, STEP_PATIENCE_MS, added, NULL);
}

/* ---- counters */

static void look(uv_timer_t *t)
{
    struct buf b = BUF(NULL, 1024);
    struct buf message;

    (void)t;
    for (int i = 0; i < COUNTER_MAX; i++) {
        uint64_t now = counter_read((enum counter)i);

        if (now == seen[i])
            continue;
        seen[i] = now;
        buf_addf(&b, "%s%d", b.n ? "," : "[", i);
    }
    if (b.n && bus_is_up()) {
        tell_revoked(); /* first: who drops his users then knows whom to refuse */
        buf_add_char(&b, ']');
        nodes_head(&message, "counters");
        nodes_member_json(&message, "which", buf_str(&b));
        nodes_send(&message, STR_NONE);
    }
    buf_free(&b);
}

/* The bump is not told again: unless somebody here bumps at the same moment, seen is what look() finds. */
static void drop_cache(int64_t which)
{
    if (which < 0 || which >= COUNTER_MAX)
        return;
    seen[which]++;
    counter_bump((enum counter)which);
}

void nodes_on_counters(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)from, (void)mem, (void)body;
    JSON_EACH (json_get(head, "which"), i, which) {
        if (json_is(which, json_type_int))
            drop_cache(json_object_get_int64(which));
    }
}

/* ---- life */

void nodes_caches_start(struct str data_dir)
{
    struct arena *mem = arena_new(256);
    struct error err;

    if (shared_open(sidecar.run_dir, &err) != OK)
        log_error("caches are not dropped on other machines: %s", err.text);
    if (data_dir.n)
        revoked_path = copy_str(str_f(mem, "%.*s/revoked", STR(data_dir)));
    for (int i = 0; i < COUNTER_MAX; i++)
        seen[i] = counter_read((enum counter)i);
    uv_timer_init(sidecar.loop, &timer);
    uv_timer_start(&timer, look, LOOK_MS, LOOK_MS);
    watching = true;
    arena_free(mem);
}

void nodes_caches_up(void)
{
    for (int i = 0; i < COUNTER_MAX; i++)
        drop_cache(i);
    nodes_caches_tell();
}

void nodes_caches_stop(void)
{
    if (watching)
        uv_close((uv_handle_t *)&timer, NULL);
    watching = false;
}
