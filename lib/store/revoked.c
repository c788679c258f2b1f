/* revoked.c: the list of revoked tokens, in a file that all processes share. */
#include "lib/store/revoked.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/base/shared.h"

enum { REWRITE_EVERY = 256 * 1024, MAX_BYTES = 256 * 1024 * 1024, HEAD = 24 };

/* A file that was written anew begins with a line "f 0 NAME", a name of its own: an inode's number may come back. Lines: "t EXPIRES KEY" and "u AT_MS USER EXCEPT", where USER is a hash of the id and EXCEPT a key or "-". */

struct user_mark {
    uint64_t user, except; /* user 0: free slot; except 0: none */
    int64_t at_ms;
};

static struct {
    uint64_t *tokens; /* open addressing, 0: free; tokens_size is a power of two */
    size_t tokens_n, tokens_size;
    struct user_mark *users;
    size_t users_n, users_size;
    dev_t device;
    ino_t inode;
    char head[HEAD]; /* the file's first bytes: its name */
    off_t read_to;
    bool known; /* was read at counter */
    uint64_t counter;
} list;

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

/* ---- the sets */

static uint64_t key_number(struct str key)
{
    uint64_t n = 0;
    struct str tail = str_from(key, key.n > 16 ? key.n - 16 : 0);

    for (size_t i = 0; i < tail.n; i++)
        n = n << 4 | (uint64_t)((tail.p[i] <= '9' ? tail.p[i] - '0' : tail.p[i] - 'a' + 10) & 15);
    return n ? n : 1;
}

static void tokens_add(uint64_t key)
{
    size_t at;

    if (list.tokens_n * 2 >= list.tokens_size) {
        uint64_t *old = list.tokens;
        size_t old_size = list.tokens_size;

        list.tokens_size = old_size ? old_size * 2 : 256;
        list.tokens = must(calloc(list.tokens_size, sizeof(*list.tokens)));
        list.tokens_n = 0;
        for (size_t i = 0; i < old_size; i++) {
            if (old[i])
                tokens_add(old[i]);
        }
        free(old);
    }
    for (at = key & (list.tokens_size - 1); list.tokens[at] && list.tokens[at] != key;
         at = (at + 1) & (list.tokens_size - 1))
        ;
    if (!list.tokens[at])
        list.tokens_n++;
    list.tokens[at] = key;
}

static bool tokens_have(uint64_t key)
{
    if (!list.tokens_size)
        return false;
    for (size_t at = key & (list.tokens_size - 1); list.tokens[at]; at = (at + 1) & (list.tokens_size - 1)) {
        if (list.tokens[at] == key)
            return true;
    }
    return false;
}

static struct user_mark *users_slot(uint64_t user)
{
    size_t at;

    for (at = user & (list.users_size - 1); list.users[at].user && list.users[at].user != user;
         at = (at + 1) & (list.users_size - 1))
        ;
    return &list.users[at];
}

static void users_add(struct user_mark mark)
{
    struct user_mark *slot;

    if (list.users_n * 2 >= list.users_size) {
        struct user_mark *old = list.users;
        size_t old_size = list.users_size;

        list.users_size = old_size ? old_size * 2 : 64;
        list.users = must(calloc(list.users_size, sizeof(*list.users)));
        list.users_n = 0;
        for (size_t i = 0; i < old_size; i++) {
            if (old[i].user)
                users_add(old[i]);
        }
        free(old);
    }
    slot = users_slot(mark.user);
    if (!slot->user)
        list.users_n++;
    if (!slot->user || mark.at_ms >= slot->at_ms)
        *slot = mark;
}

static void forget(void)
{
    free(list.tokens);
    free(list.users);
    memset(&list, 0, sizeof(list));
}

/* ---- the file */

static uint64_t user_number(struct arena *mem, struct str user_id)
{
    return key_number(sha256_hex(mem, user_id));
}

static bool next_word(struct str *line, struct str *word)
{
    return str_split(line, ' ', word) && word->n > 0;
}

static void take_line(struct str line)
{
    struct str kind, a, b, c;
    int64_t when;

    if (!next_word(&line, &kind) || !next_word(&line, &a) || !str_to_i64(a, &when) || !next_word(&line, &b))
        return;
    if (str_is(kind, "t"))
        tokens_add(key_number(b));
    else if (str_is(kind, "u") && next_word(&line, &c))
        users_add((struct user_mark){ key_number(b), str_is(c, "-") ? 0 : key_number(c), when });
}

/* Reads what was added since; all of it when the file is another one. */
static enum status read_on(const char *path, struct error *err)
{
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat now;
    struct str rest, line;
    char head[HEAD] = "", *text;
    size_t want, got = 0;

    if (fd < 0 && errno == ENOENT) {
        forget();
        return OK;
    }
    if (fd < 0 || fstat(fd, &now) != 0)
        return error_set(err, UNAVAILABLE, "could not read %s: %s", path, strerror(errno));
    if (pread(fd, head, HEAD, 0) < 0)
        return error_set(err, UNAVAILABLE, "could not read %s: %s", path, strerror(errno));
    if (now.st_ino != list.inode || now.st_dev != list.device || now.st_size < list.read_to ||
        (list.read_to >= HEAD && memcmp(head, list.head, HEAD)))
        forget();
    memcpy(list.head, head, HEAD);
    if (now.st_size - list.read_to > MAX_BYTES)
        return error_set(err, UNAVAILABLE, "%s is too long", path);
    list.inode = now.st_ino;
    list.device = now.st_dev;
    want = (size_t)(now.st_size - list.read_to);
    if (!want)
        return OK;
    text = must(malloc(want));
    while (got < want) {
        ssize_t n = pread(fd, text + got, want - got, list.read_to + (off_t)got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    /* The last line may be in the making. */
    while (got && text[got - 1] != '\n')
        got--;
    for (rest = str_n(text, got); str_split(&rest, '\n', &line);)
        take_line(line);
    list.read_to += (off_t)got;
    free(text);
    return OK;
}

static enum status refresh(const char *path, struct error *err)
{
    uint64_t counter = counter_read(COUNTER_USERS);
    enum status st;

    if (list.known && list.counter == counter)
        return OK;
    st = read_on(path, err);
    list.known = st == OK;
    list.counter = counter;
    return st;
}

/* Opens and locks the file that bears the name now: another process may be putting a new one in its place. */
static int open_locked(const char *path)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        struct stat mine, named;

        if (fd < 0)
            return -1;
        while (flock(fd, LOCK_EX) != 0) {
            if (errno != EINTR) {
                close(fd);
                return -1;
            }
        }
        if (fstat(fd, &mine) == 0 && stat(path, &named) == 0 && mine.st_ino == named.st_ino &&
            mine.st_dev == named.st_dev)
            return fd;
        close(fd);
    }
}

/* Writes the file without what has no meaning any more. The lock on the old one is held. */
static void rewrite(struct arena *mem, const char *path)
{
    struct buf kept = BUF(NULL, MAX_BYTES);
    struct str text, rest, line, kind, when, user;
    int64_t now = now_s(), at;
    struct error err;

    if (read_on(path, NULL) != OK || file_read(mem, path, MAX_BYTES, &text, NULL) != OK)
        return;
    buf_addf(&kept, "f 0 %s\n", random_hex(mem, 12).p);
    for (rest = text; str_split(&rest, '\n', &line);) {
        struct str words = line;

        if (!next_word(&words, &kind) || !next_word(&words, &when) || !str_to_i64(when, &at) ||
            !next_word(&words, &user) || str_is(kind, "f"))
            continue;
        if (str_is(kind, "t") ? at && at + 120 < now : list.users_size && users_slot(key_number(user))->at_ms > at)
            continue;
        buf_add_str(&kept, line);
        buf_add_char(&kept, '\n');
    }
    if (!buf_failed(&kept) && kept.n < text.n && file_write(path, buf_str(&kept), 0600, &err) != OK)
        log_warning("could not shorten the list of revoked tokens: %s", err.text);
    buf_free(&kept);
}

static enum status append(struct arena *mem, const char *data_dir, struct str line, struct error *err)
{
    struct str path = str_f(mem, "%s/revoked", data_dir);
    struct stat before;
    char last = '\n';
    int fd AUTO_CLOSE = open_locked(path.p);
    enum status st;

    if (fd < 0 || fstat(fd, &before) != 0)
        return error_set(err, FAILED, "could not open %s: %s", path.p, strerror(errno));
    /* A process that died while it wrote left half a line. */
    if (before.st_size > 0 && pread(fd, &last, 1, before.st_size - 1) == 1 && last != '\n')
        line = str_cat(mem, S("\n"), line);
    st = write_all(fd, line, err);
    if (st == OK && fdatasync(fd) != 0)
        st = error_set(err, FAILED, "could not write %s: %s", path.p, strerror(errno));
    if (st == OK && before.st_size / REWRITE_EVERY != (before.st_size + (off_t)line.n) / REWRITE_EVERY)
        rewrite(mem, path.p);
    counter_bump(COUNTER_USERS);
    return error_add(err, st, "could not revoke a token");
}

enum status revoked_add_token(struct arena *mem, const char *data_dir, struct str key, int64_t expires_s,
                              struct error *err)
{
    return append(mem, data_dir, str_f(mem, "t %lld %.*s\n", (long long)expires_s, STR(key)), err);
}

enum status revoked_add_user(struct arena *mem, const char *data_dir, struct str user_id, int64_t at_ms,
                             struct str except, struct error *err)
{
    return append(mem, data_dir,
                  str_f(mem, "u %lld %016" PRIx64 " %.*s\n", (long long)at_ms, user_number(mem, user_id),
                        STR(except.n ? except : S("-"))),
                  err);
}

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    }
    return s.n > 0 && s.n <= 128;
}

/* Is this a line that says what is not in the list? */
static bool is_news(struct str line)
{
    struct str kind, a, b, c;
    struct user_mark *mark;
    int64_t when;

    if (!next_word(&line, &kind) || !next_word(&line, &a) || !str_to_i64(a, &when) || !next_word(&line, &b) ||
        !is_hex(b))
        return false;
    if (str_is(kind, "t"))
        return !line.n && (!when || when + 120 >= now_s()) && !tokens_have(key_number(b));
    if (!str_is(kind, "u") || !next_word(&line, &c) || line.n || !(str_is(c, "-") || is_hex(c)))
        return false;
    mark = list.users_size ? users_slot(key_number(b)) : NULL;
    return !mark || !mark->user || mark->at_ms < when;
}

enum status revoked_merge(struct arena *mem, const char *data_dir, struct str lines, struct error *err)
{
    struct str path = str_f(mem, "%s/revoked", data_dir), line;
    struct buf news = BUF(mem, MAX_BYTES);
    enum status st = refresh(path.p, err);

    if (st != OK)
        return st;
    while (lines.n && str_split(&lines, '\n', &line)) {
        if (!is_news(line))
            continue;
        buf_add_str(&news, line);
        buf_add_char(&news, '\n');
    }
    if (!news.n)
        return OK;
    if (buf_failed(&news))
        return error_set(err, TOO_BIG, "too many revoked tokens");
    return append(mem, data_dir, buf_str(&news), err);
}

enum status revoked_check(struct arena *mem, const char *data_dir, struct str key, struct str user_id,
                          int64_t issued_ms, struct error *err)
{
    struct str path = str_f(mem, "%s/revoked", data_dir);
    enum status st = refresh(path.p, err);
    uint64_t number = key_number(key);
    struct user_mark *mark;

    if (st != OK)
        return st;
    if (tokens_have(number))
        return error_set(err, INVALID, "signed out");
    if (!list.users_size)
        return OK;
    mark = users_slot(user_number(mem, user_id));
    if (mark->user && (!issued_ms || issued_ms <= mark->at_ms) && mark->except != number)
        return error_set(err, INVALID, "older than the password");
    return OK;
}
