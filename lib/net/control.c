/* control.c: a small HTTP client for RUN/control.sock: one request a connection, the answer ends with it. */
#include "lib/net/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

enum { TIMEOUT_MS = 2000, ANSWER_BYTES = 16 * 1024 * 1024 };

static int open_socket(const char *run_dir)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd, n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/control.sock", run_dir);

    if (n < 0 || (size_t)n >= sizeof(a.sun_path))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool wait_for(int fd, short events, int64_t until_ms)
{
    struct pollfd p = { .fd = fd, .events = events };
    int n;

    do {
        int64_t left = until_ms - mono_ms();

        n = left <= 0 ? 0 : poll(&p, 1, (int)left);
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

static bool send_all(int fd, struct str bytes, int64_t until_ms)
{
    while (bytes.n) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

        if (n > 0)
            bytes = str_from(bytes, (size_t)n);
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n == 0 || errno != EAGAIN || !wait_for(fd, POLLOUT, until_ms))
            return false;
    }
    return true;
}

static bool read_all(int fd, struct buf *answer, int64_t until_ms)
{
    for (;;) {
        char *p = buf_reserve(answer, 16 * 1024);
        ssize_t n = p ? recv(fd, p, 16 * 1024, 0) : 0;

        if (!p)
            return false;
        if (n > 0)
            buf_used(answer, (size_t)n);
        else if (n == 0)
            return true;
        else if (errno != EINTR && (errno != EAGAIN || !wait_for(fd, POLLIN, until_ms)))
            return false;
    }
}

/* Connection: close, so the answer is whole when the other side closes, and Content-Length says whether it is. */
static enum status call(struct arena *mem, const char *run_dir, const char *method, struct str target, json_object *in,
                        json_object **out)
{
    struct str body = in ? json_text(mem, in) : STR_NONE, all;
    struct buf request = BUF(mem, ANSWER_BYTES + 4096), answer = BUF(mem, ANSWER_BYTES);
    int64_t until_ms = mono_ms() + TIMEOUT_MS;
    int fd AUTO_CLOSE = open_socket(run_dir);
    size_t head;
    json_object *o = NULL;

    buf_addf(&request,
             "%s %.*s HTTP/1.1\r\nHost: control\r\nConnection: close\r\nContent-Type: "
             "application/json\r\nContent-Length: %zu\r\n\r\n",
             method, STR(target), body.n);
    buf_add_str(&request, body);
    if (fd < 0 || buf_failed(&request) || !send_all(fd, buf_str(&request), until_ms) ||
        !read_all(fd, &answer, until_ms))
        return UNAVAILABLE;
    all = buf_str(&answer);
    head = str_find(all, S("\r\n\r\n"));
    if (head == STR_NPOS || !str_starts(all, "HTTP/1.1 200 ") ||
        json_parse(mem, str_from(all, head + 4), &o, NULL) != OK)
        return FAILED;
    if (out)
        *out = o;
    return OK;
}

static void add_parameter(struct buf *target, const char *name, struct str value)
{
    if (!value.p)
        return;
    buf_add_char(target, memchr(target->p, '?', target->n) ? '&' : '?');
    buf_add_c(target, name);
    buf_add_char(target, '=');
    buf_add_urlencoded(target, value);
}

static enum status emit(struct arena *mem, const char *run_dir, const char *to, struct str id, const char *event,
                        json_object *data, struct str except)
{
    json_object *in = json_new_object(mem);

    json_set_str(in, to, id);
    json_set_c(in, "event", event);
    json_set(in, "data", data);
    if (except.n)
        json_set_str(in, "except", except);
    return call(mem, run_dir, "POST", S("/emit"), in, NULL);
}

enum status control_emit_user(struct arena *mem, const char *run_dir, struct str user_id, const char *event,
                              json_object *data)
{
    return emit(mem, run_dir, "user_id", user_id, event, data, STR_NONE);
}

enum status control_emit_room(struct arena *mem, const char *run_dir, struct str room, const char *event,
                              json_object *data, struct str except_session)
{
    return emit(mem, run_dir, "room", room, event, data, except_session);
}

enum status control_emit_session(struct arena *mem, const char *run_dir, struct str session_id, const char *event,
                                 json_object *data)
{
    return emit(mem, run_dir, "session_id", session_id, event, data, STR_NONE);
}

enum status control_rooms(struct arena *mem, const char *run_dir, struct str user_id, struct str join, struct str leave)
{
    json_object *in = json_new_object(mem);

    json_set_str(in, "user_id", user_id);
    if (join.n)
        json_push_str(json_set_array(in, "join"), join);
    if (leave.n)
        json_push_str(json_set_array(in, "leave"), leave);
    return call(mem, run_dir, "POST", S("/rooms"), in, NULL);
}

enum status control_fill_room(struct arena *mem, const char *run_dir, struct str room, json_object *user_ids)
{
    json_object *in = json_new_object(mem);

    json_set_str(in, "room", room);
    json_set(in, "users", user_ids);
    return call(mem, run_dir, "POST", S("/rooms/fill"), in, NULL);
}

enum status control_room_users(struct arena *mem, const char *run_dir, struct str room, json_object **user_ids)
{
    struct buf target = BUF(mem, 8192);
    json_object *out = NULL;
    enum status st;

    buf_add_c(&target, "/rooms");
    add_parameter(&target, "room", room);
    st = call(mem, run_dir, "GET", buf_str(&target), NULL, &out);
    if (st == OK)
        *user_ids = json_get(out, "users");
    return st;
}

enum status control_note_changed(struct arena *mem, const char *run_dir, struct str note_id, json_object *note)
{
    json_object *in = json_new_object(mem);

    json_set_str(in, "note_id", note_id);
    json_set(in, "note", note);
    return call(mem, run_dir, "POST", S("/notes/changed"), in, NULL);
}

enum status control_tasks(struct arena *mem, const char *run_dir, struct str chat_id, struct str user_id,
                          json_object **out)
{
    struct buf target = BUF(mem, 8192);

    buf_add_c(&target, "/tasks");
    add_parameter(&target, "chat_id", chat_id);
    add_parameter(&target, "user_id", user_id);
    return call(mem, run_dir, "GET", buf_str(&target), NULL, out);
}

enum status control_stop(struct arena *mem, const char *run_dir, struct str task_id, struct str user_id,
                         json_object **out)
{
    json_object *in = json_new_object(mem);

    json_set_str(in, "task_id", task_id);
    if (user_id.p)
        json_set_str(in, "user_id", user_id);
    return call(mem, run_dir, "POST", S("/tasks/stop"), in, out);
}

enum status control_job(struct arena *mem, const char *run_dir, const char *step, struct str key, json_object *state)
{
    json_object *in = json_new_object(mem), *out = NULL;
    enum status st;

    json_set_c(in, "step", step);
    json_set_str(in, "key", key);
    json_set(in, "state", state);
    st = call(mem, run_dir, "POST", S("/jobs"), in, &out);
    return st == OK && !json_flag(out, "status", false) ? FAILED : st;
}

enum status control_jobs(struct arena *mem, const char *run_dir, const char *step, json_object **out)
{
    struct buf target = BUF(mem, 8192);

    buf_add_c(&target, "/jobs");
    add_parameter(&target, "step", str_of(step));
    return call(mem, run_dir, "GET", buf_str(&target), NULL, out);
}

enum status control_sessions(struct arena *mem, const char *run_dir, struct str user_id, json_object **out)
{
    struct buf target = BUF(mem, 8192);

    buf_add_c(&target, "/sessions");
    add_parameter(&target, "user_id", user_id);
    return call(mem, run_dir, "GET", buf_str(&target), NULL, out);
}

enum status control_disconnect(struct arena *mem, const char *run_dir, struct str user_id)
{
    json_object *in = json_new_object(mem);

    json_set_str(in, "user_id", user_id);
    return call(mem, run_dir, "POST", S("/disconnect"), in, NULL);
}

enum status control_stats(struct arena *mem, const char *run_dir, json_object **out)
{
    return call(mem, run_dir, "GET", S("/stats"), NULL, out);
}
