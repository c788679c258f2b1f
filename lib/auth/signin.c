/* signin.c: passwords tried and counted, tokens given out and taken back. */
#include <arpa/inet.h>

#include "lib/auth/auth.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/base/shared.h"
#include "lib/store/revoked.h"
#include "lib/store/users.h"

enum { MAX_PER_ACCOUNT = 10, MAX_PER_ADDRESS = 100 };

enum status auth_issue(struct arena *mem, struct config *c, struct str user_id, bool lasting, struct str *token,
                       int64_t *expires_s, struct error *err)
{
    int64_t ms = 0, at = 0;
    bool forever = true;

    if (!lasting && !duration_parse(config_str(c, CFG_JWT_EXPIRES_IN), &ms, &forever))
        return error_set(err, FAILED, "JWT_EXPIRES_IN is no duration: \"%.*s\"",
                         STR(config_str(c, CFG_JWT_EXPIRES_IN)));
    if (!lasting && !forever)
        at = now_s() + ms / 1000;
    if (!lasting && !forever && at <= 0)
        return error_set(err, FAILED, "JWT_EXPIRES_IN is out of range");
    *expires_s = at;
    return token_make(mem, c, user_id, at, token, err);
}

enum status auth_revoke_token(struct arena *mem, struct config *c, struct str token, struct error *err)
{
    struct token_claims claims;
    enum status st;

    if (!token.n || str_starts(token, "sk-"))
        return OK;
    st = token_read(mem, c, token, &claims, err);
    if (st == INVALID)
        return OK;
    /* Whoever sends an old token again and again does not make the list longer. */
    if (st == OK && revoked_check(mem, config_data_dir(c), claims.key, claims.id, claims.issued_ms, err) == INVALID)
        return OK;
    if (st == OK)
        shared_window(str_cat(mem, S(SIGNED_OUT), claims.key), SIGNED_OUT_S, 1);
    return st == OK ? revoked_add_token(mem, config_data_dir(c), claims.key, claims.exp_s, err) : st;
}

enum status auth_revoke_user(struct arena *mem, struct config *c, struct str user_id, struct str except_token,
                             struct error *err)
{
    struct token_claims claims;
    struct str except = STR_NONE;

    /* All legacy tokens of a user without an end are the same text: to spare one is to spare them all. */
    if (except_token.n && token_read(mem, c, except_token, &claims, NULL) == OK && claims.jti.n &&
        str_eq(claims.id, user_id))
        except = claims.key;
    return revoked_add_user(mem, config_data_dir(c), user_id, now_ms(), except, err);
}

/* ---- limits */

static struct str account_key(struct arena *mem, struct str account)
{
    return str_cat(mem, S("account:"), str_lower(mem, account));
}

static struct str address_key(struct arena *mem, struct str address)
{
    struct in6_addr a;

    if (inet_pton(AF_INET6, str_c(mem, address), &a) == 1 && !IN6_IS_ADDR_V4MAPPED(&a))
        return str_cat(mem, S("network:"), hex_encode(mem, str_n((const char *)a.s6_addr, 8)));
    return str_cat(mem, S("address:"), address);
}

bool auth_may_try(struct arena *mem, struct str account, struct str address)
{
    if (shared_window(account_key(mem, account), AUTH_TRY_WINDOW_S, 0) >= MAX_PER_ACCOUNT)
        return false;
    return !address.n || shared_window(address_key(mem, address), AUTH_TRY_WINDOW_S, 0) < MAX_PER_ADDRESS;
}

void auth_failed_try(struct arena *mem, struct str account, struct str address)
{
    unsigned n = shared_window(account_key(mem, account), AUTH_TRY_WINDOW_S, 1);

    if (n == MAX_PER_ACCOUNT)
        log_warning("sign-ins to an account are refused for some minutes after %u failures, the last from %.*s", n,
                    STR(address));
    if (address.n && shared_window(address_key(mem, address), AUTH_TRY_WINDOW_S, 1) == MAX_PER_ADDRESS)
        log_warning("sign-ins from %.*s are refused for some minutes", STR(address));
}

/* ---- passwords */

enum status auth_by_password(struct arena *mem, struct db *db, struct str email, struct str password, struct user *out,
                             struct error *err)
{
    struct user u;
    struct str hash = STR_NONE;
    enum db_status st = email.n && memchr(email.p, 0, email.n) ? DB_DONE : user_by_email(db, mem, email, &u);

    if (st == DB_ROW)
        st = user_password(db, mem, u.id, &hash);
    if (st == DB_ERROR)
        return error_set(err, UNAVAILABLE, "could not read the password: %s", db_error(db));
    if (!password_matches(mem, password, st == DB_ROW ? hash : STR_NONE))
        return error_set(err, NOT_FOUND, "no such account, or another password");
    *out = u;
    return OK;
}

bool auth_email_valid(struct str email)
{
    size_t at = str_find_c(email, '@'), dot;
    struct str host;

    if (email.n > 255 || (email.n && memchr(email.p, 0, email.n)))
        return false;
    if (str_ends(email, "@localhost"))
        return true;
    if (at == STR_NPOS || at == 0)
        return false;
    /* [^@]+@[^@]+\.[^@]+ at the start of the text: a second @ ends the match. */
    host = str_from(email, at + 1);
    host = str_sub(host, 0, str_find_c(host, '@'));
    dot = host.n > 2 ? str_find_c(str_sub(host, 1, host.n - 2), '.') : STR_NPOS;
    return dot != STR_NPOS;
}

/* ---- the account for trying out */

enum status auth_make_demo_account(struct db *db, struct config *c, struct error *err)
{
    struct str setting = config_str(c, CFG_DEMO_ACCOUNT), email = S("test@test.com"), password = S("test1234");
    struct new_user n = { .name = S("Demo"), .role = S("admin"), .only_as_first = true };
    size_t colon = str_find_c(setting, ':');
    struct arena *mem;
    struct user u;
    enum user_made made;
    bool any = true, first;
    enum status st = OK;

    if (!setting.n || str_ieq(setting, "false"))
        return OK;
    mem = arena_new(4096);
    if (colon != STR_NPOS) {
        email = str_lower(mem, str_sub(setting, 0, colon));
        password = str_from(setting, colon + 1);
    }
    if (!auth_email_valid(email))
        st = error_set(err, INVALID, "DEMO_ACCOUNT: not an address");
    else if (user_any(db, mem, &any) == DB_ERROR)
        st = error_set(err, UNAVAILABLE, "could not look for users: %s", db_error(db));
    else if (!any)
        st = password_hash(mem, password, &n.password_hash, err);
    n.email = email;
    if (st == OK && !any && user_create(db, mem, &n, &u, &made, &first) == DB_ERROR)
        st = error_set(err, UNAVAILABLE, "could not make the demo account: %s", db_error(db));
    if (st == OK && !any && made == USER_MADE)
        log_info("made the demo account %.*s, an administrator", STR(email));
    arena_free(mem);
    return st;
}
