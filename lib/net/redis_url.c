/* redis_url.c: URLs of Redis, as redis-py reads them. */
#include "lib/net/redis_url.h"

#include "lib/base/encode.h"

static bool number(struct str s, int max, int *out)
{
    int64_t v;

    if (!str_to_i64(s, &v) || v < 0 || v > max)
        return false;
    *out = (int)v;
    return true;
}

/* "user:password@" is cut off the front of *rest. */
static bool take_credentials(struct arena *mem, struct str *rest, struct redis_url *out)
{
    size_t slash = str_find_c(*rest, '/'), at = str_rfind_c(str_sub(*rest, 0, slash), '@'), colon;
    struct str both = str_sub(*rest, 0, at), user, password;

    if (at == STR_NPOS)
        return true;
    *rest = str_from(*rest, at + 1);
    colon = str_find_c(both, ':');
    user = str_sub(both, 0, colon);
    password = colon == STR_NPOS ? STR_NONE : str_from(both, colon + 1);
    if (user.n && !url_decode(mem, user, false, &out->user))
        return false;
    return !password.n || url_decode(mem, password, false, &out->password);
}

static bool take_host(struct arena *mem, struct str s, struct redis_url *out)
{
    size_t end = s.n && s.p[0] == '[' ? str_find_c(s, ']') : 0, colon = str_rfind_c(s, ':');

    if (end == STR_NPOS)
        return false;
    if (colon != STR_NPOS && colon >= end) {
        if (colon + 1 < s.n && !number(str_from(s, colon + 1), 65535, &out->port))
            return false;
        s = str_sub(s, 0, colon);
    }
    if (end)
        s = str_sub(s, 1, end - 1);
    out->host = str_copy(mem, s.n ? s : S("localhost"));
    return str_find_c(out->host, '\0') == STR_NPOS;
}

static bool take_unix(struct arena *mem, struct str s, struct redis_url *out)
{
    size_t mark = str_find_c(s, '?');
    struct str query = mark == STR_NPOS ? STR_NONE : str_from(s, mark + 1), piece;

    while (query.p && str_split(&query, '&', &piece)) {
        if (str_starts(piece, "db=") && !number(str_from(piece, 3), 1 << 20, &out->db))
            return false;
    }
    return url_decode(mem, str_sub(s, 0, mark), false, &out->path) && out->path.n;
}

enum status redis_url_parse(struct arena *mem, struct str url, struct redis_url *out, struct error *err)
{
    struct redis_url u = { .port = 6379 };
    bool is_unix = str_starts(url, "unix://"), good;
    size_t slash, mark;
    struct str rest;

    if (str_starts(url, "rediss://"))
        return error_set(err, INVALID, "Redis over TLS is not supported");
    if (!is_unix && !str_starts(url, "redis://"))
        return error_set(err, INVALID, "the address of Redis begins with redis:// or unix://");
    rest = str_from(url, is_unix ? 7 : 8);
    good = take_credentials(mem, &rest, &u);
    if (good && is_unix) {
        good = take_unix(mem, rest, &u);
    } else if (good) {
        mark = str_find_c(rest, '?');
        rest = str_sub(rest, 0, mark);
        slash = str_find_c(rest, '/');
        good = take_host(mem, str_sub(rest, 0, slash), &u) &&
               (slash == STR_NPOS || slash + 1 == rest.n || number(str_from(rest, slash + 1), 1 << 20, &u.db));
    }
    if (!good)
        return error_set(err, INVALID, "the address of Redis cannot be read");
    *out = u;
    return OK;
}
