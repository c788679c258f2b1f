/* identify.c: from a credential to a living user, with what was found kept in the process.
 *
 * An entry is a verified token (or an API key) with its user's row. It is believed as long as COUNTER_USERS stands still; after that the
 * row and the list of revoked tokens are asked again, the signature is not. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/auth/auth.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/shared.h"
#include "lib/store/revoked.h"
#include "lib/store/users.h"

enum { MAX_ENTRIES = 1024, MAX_BYTES = 8 * 1024 * 1024, BUCKETS = 2048, ACTIVE_EVERY_S = 60, LEAVE_MS = 400 };

#define NO_SUCH_USER "Your session has expired or the token is invalid. Please sign in again."
#define UNAUTHORIZED "401 Unauthorized"
#define KEYS_ARE_OFF "Use of API key is not enabled in the environment."

struct entry {
    struct entry *next;          /* in its bucket */
    struct entry *newer, *older; /* by last use */
    uint64_t hash, counter;
    struct arena *mem; /* of everything below */
    size_t bytes;
    struct str credential;
    bool by_api_key;
    struct token_claims claims;
    struct user user;
    int64_t touch_next_ms;
};

static struct {
    struct entry *buckets[BUCKETS];
    struct entry *newest, *oldest;
    size_t n, bytes;
} cache;

/* ---- the table */

static uint64_t hash_of(struct str s)
{
    uint64_t h = 0xcbf29ce484222325ULL;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3ULL;
    return h;
}

static void unlink_use(struct entry *e)
{
    *(e->newer ? &e->newer->older : &cache.newest) = e->older;
    *(e->older ? &e->older->newer : &cache.oldest) = e->newer;
}

static void link_newest(struct entry *e)
{
    e->newer = NULL;
    e->older = cache.newest;
    *(cache.newest ? &cache.newest->newer : &cache.oldest) = e;
    cache.newest = e;
}

static void drop(struct entry *e)
{
    struct entry **at = &cache.buckets[e->hash % BUCKETS];

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    unlink_use(e);
    cache.n--;
    cache.bytes -= e->bytes;
    arena_free(e->mem);
    free(e);
}

static struct entry *find(struct str credential, uint64_t hash)
{
    struct entry *e = cache.buckets[hash % BUCKETS];

    while (e && !(e->hash == hash && str_equal_secret(e->credential, credential)))
        e = e->next;
    if (e && e != cache.newest) {
        unlink_use(e);
        link_newest(e);
    }
    return e;
}

/* The newest entry is never dropped: the request in hand holds its user. */
static void make_room(void)
{
    while (cache.oldest != cache.newest && (cache.n > MAX_ENTRIES || cache.bytes > MAX_BYTES))
        drop(cache.oldest);
}

static void copy_user(struct arena *mem, struct user *to, const struct user *from)
{
    struct str *const strings[] = {
        &to->id,     &to->name,          &to->email, &to->role,     &to->profile_image_url, &to->username, &to->bio,
        &to->gender, &to->date_of_birth, &to->info,  &to->settings, &to->api_key,           &to->oauth_sub
    };

    *to = *from;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        if (strings[i]->p)
            *strings[i] = str_copy(mem, *strings[i]);
    }
}

static void fill(struct entry *e, const struct user *u, uint64_t counter)
{
    struct str credential = e->credential, id = e->claims.id, key = e->claims.key;
    struct arena *old = e->mem;

    e->mem = arena_new(2048);
    e->credential = str_copy(e->mem, credential);
    e->claims.id = str_copy(e->mem, id);
    e->claims.key = str_copy(e->mem, key);
    e->claims.jti = STR_NONE;
    copy_user(e->mem, &e->user, u);
    arena_free(old);
    cache.bytes -= e->bytes;
    e->bytes = sizeof(*e) + arena_bytes(e->mem);
    cache.bytes += e->bytes;
    e->counter = counter;
}

static struct entry *keep(struct str credential, uint64_t hash, bool by_api_key, const struct token_claims *claims,
                          const struct user *u, uint64_t counter)
{
    struct entry *e = calloc(1, sizeof(*e));

    if (!e)
        abort();
    e->hash = hash;
    e->credential = credential;
    e->by_api_key = by_api_key;
    e->claims = *claims;
    fill(e, u, counter);
    e->next = cache.buckets[hash % BUCKETS];
    cache.buckets[hash % BUCKETS] = e;
    link_newest(e);
    cache.n++;
    make_room();
    return e;
}

/* ---- asking */

/* A write at most once a minute and user, by one of the processes. A failure costs nothing but the time shown. */
static void touch(struct arena *mem, struct db *db, struct entry *e)
{
    int64_t now = mono_ms();

    if (now < e->touch_next_ms)
        return;
    e->touch_next_ms = now + ACTIVE_EVERY_S * 1000;
    if (shared_window(str_cat(mem, S("active:"), e->user.id), ACTIVE_EVERY_S, 1) > 1)
        return;
    e->user.last_active_at = now_s();
    if (user_touch(db, e->user.id, e->user.last_active_at) == DB_ERROR)
        log_debug("last_active_at of %.*s was not written: %s", STR(e->user.id), db_error(db));
}

/* The page that signs out drops its token only when the answer is there, and the chat it shows may just then ask for something: refused at once, that
 * would show as an error. It leaves within milliseconds, so a token that was signed out a moment ago is refused a little later; three times at most. */
static void let_page_leave(struct arena *mem, struct str key)
{
    if (shared_window(str_cat(mem, S(SIGNED_OUT), key), SIGNED_OUT_S, 0) == 0 ||
        shared_window(str_cat(mem, S("late:"), key), SIGNED_OUT_S, 1) > 3)
        return;
    usleep(LEAVE_MS * 1000);
}

static enum status load_by_token(struct arena *mem, struct db *db, struct config *c, const struct token_claims *claims,
                                 struct user *u, struct error *err)
{
    enum status st = revoked_check(mem, config_data_dir(c), claims->key, claims->id, claims->issued_ms, err);

    if (st == INVALID) {
        let_page_leave(mem, claims->key);
        return error_set(err, INVALID, UNAUTHORIZED);
    }
    if (st != OK)
        return st;
    switch (user_by_id(db, mem, claims->id, u)) {
    case DB_ROW: return OK;
    case DB_DONE: return error_set(err, INVALID, NO_SUCH_USER);
    default: return error_set(err, UNAVAILABLE, "could not read the user: %s", db_error(db));
    }
}

static enum status load_by_key(struct arena *mem, struct db *db, struct str key, struct user *u, struct error *err)
{
    switch (user_by_api_key(db, mem, key, u)) {
    case DB_ROW: return OK;
    case DB_DONE: return error_set(err, INVALID, NO_SUCH_USER);
    default: return error_set(err, UNAVAILABLE, "could not read the user: %s", db_error(db));
    }
}

static enum status load_entry(struct arena *mem, struct db *db, struct config *c, struct str credential, uint64_t hash,
                              bool by_api_key, uint64_t counter, struct entry **out, struct error *err)
{
    struct token_claims claims = { 0 };
    struct user u;
    enum status st;

    if (by_api_key) {
        st = load_by_key(mem, db, credential, &u, err);
    } else {
        st = token_read(mem, c, credential, &claims, err);
        if (st == INVALID)
            return error_set(err, INVALID, UNAUTHORIZED);
        if (st == OK)
            st = load_by_token(mem, db, c, &claims, &u, err);
    }
    if (st == OK)
        *out = keep(credential, hash, by_api_key, &claims, &u, counter);
    return st;
}

static enum status reload_entry(struct arena *mem, struct db *db, struct config *c, struct entry *e, uint64_t counter,
                                struct error *err)
{
    struct user u;
    enum status st = e->by_api_key ? load_by_key(mem, db, e->credential, &u, err)
                                   : load_by_token(mem, db, c, &e->claims, &u, err);

    if (st == OK)
        fill(e, &u, counter);
    return st;
}

enum status auth_identify(struct arena *mem, struct db *db, struct config *c, struct str credential,
                          const struct user **out, bool *by_api_key, struct error *err)
{
    uint64_t hash = hash_of(credential), counter = counter_read(COUNTER_USERS);
    bool key = str_starts(credential, "sk-");
    struct entry *e;
    enum status st = OK;

    *by_api_key = key;
    if (!credential.n || memchr(credential.p, 0, credential.n))
        return error_set(err, INVALID, UNAUTHORIZED);
    if (key && !config_bool(c, CFG_ENABLE_API_KEY))
        return error_set(err, FAILED, KEYS_ARE_OFF);
    e = find(credential, hash);
    if (!e)
        st = load_entry(mem, db, c, credential, hash, key, counter, &e, err);
    else if (!key && token_expired(&e->claims, now_s()))
        st = error_set(err, INVALID, UNAUTHORIZED);
    else if (e->counter != counter)
        st = reload_entry(mem, db, c, e, counter, err);
    if (st != OK) {
        if (e && st == INVALID)
            drop(e);
        return st;
    }
    touch(mem, db, e);
    *out = &e->user;
    return OK;
}

int64_t auth_token_expires(struct arena *mem, struct config *c, struct str token)
{
    struct entry *e = find(token, hash_of(token));
    struct token_claims claims;

    if (e)
        return e->claims.exp_s;
    return token_read(mem, c, token, &claims, NULL) == OK ? claims.exp_s : 0;
}

/* ---- for a request */

static bool path_allowed(const struct config *c, struct str path)
{
    struct str rest = config_str(c, CFG_API_KEY_ALLOWED_ENDPOINTS), allowed;

    if (!config_bool(c, CFG_ENABLE_API_KEY_ENDPOINT_RESTRICTIONS))
        return true;
    if (!rest.p)
        rest = S("");
    while (str_split(&rest, ',', &allowed)) {
        allowed = str_trim(allowed);
        /* An empty one opens everything, as with the Python backend. */
        if (path.n >= allowed.n && memcmp(path.p, allowed.p ? allowed.p : "", allowed.n) == 0 &&
            (path.n == allowed.n || path.p[allowed.n] == '/'))
            return true;
    }
    return false;
}

int auth_admit(struct arena *mem, struct db *db, struct config *c, struct str credential, struct str path,
               struct str trusted_email, const struct user **out, bool *by_api_key, const char **detail)
{
    struct error err = { "" };
    const struct user *u;
    enum status st;

    *by_api_key = str_starts(credential, "sk-");
    if (!credential.p) {
        *detail = "Not authenticated";
        return 401;
    }
    if (*by_api_key && !path_allowed(c, path)) {
        *detail = KEYS_ARE_OFF;
        return 403;
    }
    st = auth_identify(mem, db, c, credential, &u, by_api_key, &err);
    if (st == UNAVAILABLE) {
        log_error("%s", err.text);
        *detail = "The database is not available, please try again.";
        return 503;
    }
    if (st != OK) {
        *detail = str_c(mem, str_of(st == INVALID || *by_api_key ? err.text : UNAUTHORIZED));
        return st == FAILED && *by_api_key ? 403 : 401;
    }
    if (trusted_email.n && !*by_api_key && !str_eq(str_lower(mem, trusted_email), u->email)) {
        *detail = "User mismatch. Please sign in again.";
        return 401;
    }
    *out = u;
    return 0;
}
