/* oauth_account.c: claims, roles, groups; the rules are those of the settings' section OAuth. */
#include "lib/auth/oauth_account.h"

#include <regex.h>

#include "lib/auth/oauth_flow.h"
#include "lib/auth/token.h"
#include "lib/base/log.h"
#include "lib/store/groups.h"
#include "lib/store/users.h"

enum { MAX_GROUPS = 1000, MAX_NAME = 255 };

/* ---- claims */

json_object *oauth_claim(struct arena *mem, json_object *claims, struct str path)
{
    json_object *whole = path.n ? json_get(claims, str_c(mem, path)) : NULL, *at = claims;
    struct str name;

    if (whole) /* names such as "https://example.org/roles" hold dots themselves */
        return whole;
    while (at && str_split(&path, '.', &name))
        at = json_get(at, str_c(mem, name));
    return at == claims ? NULL : at;
}

static struct str claim_text(struct arena *mem, json_object *claims, struct str name)
{
    json_object *v = oauth_claim(mem, claims, name);

    if (json_is(v, json_type_int))
        return str_f(mem, "%lld", (long long)json_object_get_int64(v));
    return json_str_value(v);
}

static bool is_true(json_object *v)
{
    if (json_is(v, json_type_string))
        return str_ieq(json_str_value(v), "true") || str_is(json_str_value(v), "1");
    return json_is(v, json_type_boolean) ? json_object_get_boolean(v)
                                         : json_is(v, json_type_int) && json_object_get_int64(v) == 1;
}

/* ---- who it is */

/* GitHub shows an address only to whom its owner wants, and says which are verified in a list of its own: the primary one counts. */
static enum status github_email(struct arena *mem, const struct oauth_provider *p, struct str access_token,
                                struct oauth_person *out, struct error *err)
{
    struct oauth_request q = { .url = str_cat(mem, p->userinfo_url, S("/emails")),
                               .bearer = access_token,
                               .timeout_ms = p->timeout_ms };
    json_object *list = NULL;
    int http_status = 0;
    enum status st = oauth_call(mem, &q, &list, &http_status, err);

    if (st != OK)
        return st;
    if (http_status != 200)
        return error_set(err, INVALID, "%.*s does not show the addresses: %d", STR(p->name), http_status);
    JSON_EACH (list, i, one) {
        struct str email = json_str(one, "email");

        if (!email.n || !(out->email.n ? str_eq(str_lower(mem, email), out->email) : json_flag(one, "primary", false)))
            continue;
        out->email = str_lower(mem, email);
        out->email_verified = json_flag(one, "verified", false);
    }
    return OK;
}

static enum status claims_of(struct arena *mem, struct config *c, const struct oauth_provider *p, json_object *token,
                             json_object **out, struct error *err)
{
    json_object *id = json_get(token, "userinfo"), *more = NULL;
    enum status st;

    if (id && oauth_claim(mem, id, config_str(c, CFG_OAUTH_EMAIL_CLAIM)) &&
        oauth_claim(mem, id, config_str(c, CFG_OAUTH_USERNAME_CLAIM))) {
        *out = id;
        return OK;
    }
    st = oauth_userinfo(mem, p, json_str(token, "access_token"), id, &more, err);
    if (st != OK && !(st == NOT_FOUND && id))
        return st;
    *out = json_new_object(mem);
    if (id)
        json_merge(*out, id);
    if (st == OK)
        json_merge(*out, more);
    return OK;
}

enum status oauth_person_of(struct arena *mem, struct config *c, const struct oauth_provider *p, json_object *token,
                            struct oauth_person *out, struct error *err)
{
    struct oauth_person person = { .sub = STR_NONE };
    struct str picture_claim = config_str(c, CFG_OAUTH_PICTURE_CLAIM), sub;
    enum status st = claims_of(mem, c, p, token, &person.claims, err);

    if (st != OK)
        return st;
    sub = claim_text(mem, person.claims, p->sub_claim);
    if (!sub.n || sub.n > MAX_NAME)
        return error_set(err, INVALID, "%.*s names nobody", STR(p->name));
    person.sub = str_f(mem, "%.*s@%.*s", STR(p->name), STR(sub));
    person.email = str_lower(mem, str_trim(claim_text(mem, person.claims, config_str(c, CFG_OAUTH_EMAIL_CLAIM))));
    person.email_verified = is_true(json_get(person.claims, "email_verified")) ||
                            (str_is(p->name, "microsoft") && is_true(json_get(person.claims, "xms_edov")));
    if (p->checks_emails)
        st = github_email(mem, p, json_str(token, "access_token"), &person, err);
    if (st != OK)
        return st;
    if (str_find_c(person.email, '@') == STR_NPOS || person.email.n > MAX_NAME)
        return error_set(err, INVALID, "%.*s gives no address", STR(p->name));
    person.name = claim_text(mem, person.claims, config_str(c, CFG_OAUTH_USERNAME_CLAIM));
    if (!person.name.n)
        person.name = person.email;
    person.picture = picture_claim.n ? claim_text(mem, person.claims, picture_claim) : STR_NONE;
    if (picture_claim.n && !person.picture.n)
        person.picture = p->picture_url;
    *out = person;
    return OK;
}

/* ---- role */

static bool claim_names(json_object *claim, struct str text)
{
    if (json_is(claim, json_type_string))
        return str_eq(json_str_value(claim), text);
    JSON_EACH (claim, i, one) {
        if (str_eq(json_str_value(one), text))
            return true;
    }
    return false;
}

static bool any_named(json_object *roles, json_object *claim)
{
    JSON_EACH (roles, i, role) {
        if (json_str_value(role).n && claim_names(claim, json_str_value(role)))
            return true;
    }
    return false;
}

struct str oauth_role(struct arena *mem, struct config *c, json_object *claims)
{
    json_object *claim = oauth_claim(mem, claims, config_str(c, CFG_OAUTH_ROLES_CLAIM));

    if (json_is(claim, json_type_int))
        claim = json_new_str(mem, str_f(mem, "%lld", (long long)json_object_get_int64(claim)));
    if (any_named(config_json(c, CFG_OAUTH_ADMIN_ROLES), claim))
        return S("admin");
    if (any_named(config_json(c, CFG_OAUTH_ALLOWED_ROLES), claim))
        return S("user");
    return config_str(c, CFG_DEFAULT_USER_ROLE);
}

/* ---- account */

static bool domain_allowed(struct config *c, struct str email)
{
    struct str domain = str_from(email, str_rfind_c(email, '@') + 1);

    JSON_EACH (config_json(c, CFG_OAUTH_ALLOWED_DOMAINS), i, one) {
        if (str_is(json_str_value(one), "*") ||
            (domain.n && json_str_value(one).n && str_ieq(domain, json_str_value(one).p)))
            return true;
    }
    return false;
}

/* An only user is the administrator, and the first one stays it. */
static enum db_status keep_role(struct arena *mem, struct db *db, struct config *c, const struct oauth_person *p,
                                struct user *u)
{
    struct str role = u->role;
    struct user first;
    int64_t count;
    enum db_status st = user_count(db, mem, &count);

    if (st != DB_ERROR)
        st = user_first(db, mem, &first);
    if (st == DB_ERROR)
        return st;
    if (count == 1)
        role = S("admin");
    else if (config_bool(c, CFG_ENABLE_OAUTH_ROLE_MANAGEMENT) && !(str_eq(first.id, u->id) && u->is_admin))
        role = oauth_role(mem, c, p->claims);
    if (!role.n || str_eq(role, u->role))
        return DB_ROW;
    st = user_set_role(db, u->id, role);
    u->role = role;
    u->is_admin = str_is(role, "admin");
    return st;
}

static enum oauth_verdict failed(struct db *db, struct error *err)
{
    error_set(err, UNAVAILABLE, "%s", db_error(db));
    return OAUTH_FAILED;
}

static enum oauth_verdict make(struct arena *mem, struct db *db, struct config *c, const struct oauth_person *p,
                               struct user *u, struct error *err)
{
    struct new_user n = { .name = p->name, .email = p->email, .oauth_sub = p->sub };
    enum user_made made;
    bool first;

    if (password_unknown(mem, &n.password_hash, err) != OK)
        return OAUTH_FAILED;
    n.role = config_bool(c, CFG_ENABLE_OAUTH_ROLE_MANAGEMENT) ? oauth_role(mem, c, p->claims)
                                                              : config_str(c, CFG_DEFAULT_USER_ROLE);
    if (user_create(db, mem, &n, u, &made, &first) == DB_ERROR)
        return failed(db, err);
    if (made == USER_MADE)
        return OAUTH_NEW;
    /* He signed in twice at once, and the other was quicker. */
    switch (user_by_oauth_sub(db, mem, p->sub, u)) {
    case DB_ROW: return OAUTH_KNOWN;
    case DB_ERROR: return failed(db, err);
    default: return OAUTH_EMAIL_TAKEN;
    }
}

enum oauth_verdict oauth_account(struct arena *mem, struct db *db, struct config *c, const struct oauth_person *p,
                                 struct user *u, struct error *err)
{
    enum db_status st;

    if (!domain_allowed(c, p->email))
        return OAUTH_NOT_ALLOWED;
    st = user_by_oauth_sub(db, mem, p->sub, u);
    if (st == DB_DONE) {
        st = user_by_email(db, mem, p->email, u);
        if (st == DB_ROW && !config_bool(c, CFG_OAUTH_MERGE_ACCOUNTS_BY_EMAIL))
            return config_bool(c, CFG_ENABLE_OAUTH_SIGNUP) ? OAUTH_EMAIL_TAKEN : OAUTH_NO_SIGNUP;
        if (st == DB_ROW && !p->email_verified) {
            log_warning("an account is not merged with a sign-in by OAuth: the provider has not verified its address");
            return OAUTH_EMAIL_TAKEN;
        }
        if (st == DB_ROW)
            st = user_set_oauth_sub(db, u->id, p->sub);
    }
    if (st == DB_ERROR)
        return failed(db, err);
    if (st == DB_DONE)
        return config_bool(c, CFG_ENABLE_OAUTH_SIGNUP) ? make(mem, db, c, p, u, err) : OAUTH_NO_SIGNUP;
    return keep_role(mem, db, c, p, u) == DB_ERROR ? failed(db, err) : OAUTH_KNOWN;
}

/* ---- groups */

static bool wild_matches(struct str pattern, struct str name)
{
    size_t p = 0, n = 0, star = STR_NPOS, from = 0;

    while (n < name.n) {
        if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == name.p[n]) && pattern.p[p] != '*') {
            p++, n++;
        } else if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            from = n;
        } else if (star != STR_NPOS) {
            p = star + 1;
            n = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

/* The administrator's own patterns: extended POSIX expressions here, where the Python backend has its own kind. */
static bool expression_matches(struct str pattern, struct str name)
{
    regex_t re;
    bool matches;

    if (regcomp(&re, pattern.p, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    matches = regexec(&re, name.p, 0, NULL, 0) == 0;
    regfree(&re);
    return matches;
}

bool oauth_group_blocked(json_object *patterns, struct str name)
{
    JSON_EACH (patterns, i, one) {
        struct str pattern = json_str_value(one);

        if (!pattern.n)
            continue;
        if (str_eq(pattern, name) || (strpbrk(pattern.p, "^$[](){}+\\|") && expression_matches(pattern, name)))
            return true;
        if (strpbrk(pattern.p, "*?") && wild_matches(pattern, name))
            return true;
    }
    return false;
}

static bool among(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(names[i], name))
            return true;
    }
    return false;
}

/* Those that the claim names and no pattern blocks; each once. */
static size_t wanted_groups(struct arena *mem, struct config *c, json_object *claims, json_object *blocked,
                            struct str *out)
{
    json_object *claim = oauth_claim(mem, claims, config_str(c, CFG_OAUTH_GROUPS_CLAIM));
    size_t n = 0;

    if (json_is(claim, json_type_string)) {
        json_object *list = json_new_array(mem);

        json_push(list, claim);
        claim = list;
    }
    JSON_EACH (claim, i, one) {
        struct str name = json_str_value(one);

        if (n < MAX_GROUPS && name.n && name.n <= MAX_NAME && str_find_c(name, '\0') == STR_NPOS &&
            !among(out, n, name) && !oauth_group_blocked(blocked, name))
            out[n++] = name;
    }
    return n;
}

static enum db_status make_missing(struct arena *mem, struct db *db, struct config *c, const struct user *u,
                                   const struct str *names, size_t n)
{
    struct group *groups, made;
    struct user owner = *u;
    size_t groups_n;

    if (group_list(db, mem, &groups, &groups_n) == DB_ERROR || user_first(db, mem, &owner) == DB_ERROR)
        return DB_ERROR;
    for (size_t i = 0; i < n; i++) {
        bool known = false;

        for (size_t k = 0; k < groups_n && !known; k++)
            known = str_eq(groups[k].name, names[i]);
        if (!known && group_create(db, mem, owner.id, names[i], S("Made at a sign-in by OAuth"),
                                   json_text(mem, config_json(c, CFG_USER_PERMISSIONS)), &made) == DB_ERROR)
            return DB_ERROR;
    }
    return DB_ROW;
}

static enum db_status join_and_leave(struct arena *mem, struct db *db, const struct user *u, json_object *blocked,
                                     const struct str *names, size_t n)
{
    struct group *all, *own, now;
    size_t all_n, own_n;

    if (group_list(db, mem, &all, &all_n) == DB_ERROR || group_list_of(db, mem, u->id, &own, &own_n) == DB_ERROR)
        return DB_ERROR;
    for (size_t i = 0; i < all_n; i++) {
        bool is_in = false, wanted = among(names, n, all[i].name);
        enum db_status st = DB_ROW;

        for (size_t k = 0; k < own_n && !is_in; k++)
            is_in = str_eq(own[k].id, all[i].id);
        if (wanted && !is_in)
            st = group_add_users(db, mem, all[i].id, &u->id, 1, &now);
        else if (is_in && !wanted && !oauth_group_blocked(blocked, all[i].name))
            st = group_remove_users(db, mem, all[i].id, &u->id, 1, &now);
        if (st == DB_ERROR)
            return st;
    }
    return DB_ROW;
}

enum status oauth_groups_sync(struct arena *mem, struct db *db, struct config *c, const struct oauth_person *p,
                              const struct user *u, struct error *err)
{
    json_object *blocked = json_parse_or_null(mem, config_str(c, CFG_OAUTH_BLOCKED_GROUPS));
    struct str *names;
    size_t n;

    if (!config_bool(c, CFG_ENABLE_OAUTH_GROUP_MANAGEMENT) || u->is_admin)
        return OK;
    names = arena_new_array(mem, struct str, MAX_GROUPS);
    n = wanted_groups(mem, c, p->claims, blocked, names);
    if (n == 0) /* a claim that is empty, or not there, changes nothing: as the Python backend does */
        return OK;
    if (config_bool(c, CFG_ENABLE_OAUTH_GROUP_CREATION) && make_missing(mem, db, c, u, names, n) == DB_ERROR)
        return error_set(err, UNAVAILABLE, "%s", db_error(db));
    if (join_and_leave(mem, db, u, blocked, names, n) == DB_ERROR)
        return error_set(err, UNAVAILABLE, "%s", db_error(db));
    return OK;
}
