/* signin_ldap.c: signing in with the user name and password of an LDAP directory. */
#include "handlers/auths.h"

#include "lib/auth/auth.h"
#include "lib/auth/ldap.h"
#include "lib/auth/token.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/store/groups.h"
#include "lib/store/users.h"

/* One answer for all that can go wrong, as the Python backend has it: nobody learns which names the directory knows. */
static const char failed[] = "LDAP authentication failed.";

static int refuse(struct request *r, struct response *out, struct str account, enum status st, const struct error *err)
{
    if (st == NOT_FOUND) {
        auth_failed_try(r->mem, account, r->remote_addr);
        log_info("sign-in by LDAP refused: %s", err->text);
    } else {
        log_error("sign-in by LDAP is not possible: %s", err->text);
    }
    return fail(out, 400, "%s", st == INVALID ? "Failed to configure TLS for LDAP connection." : failed);
}

/* 0: *u is the account of that address, made if there was none. Else the answer is in out. */
static int account_of(struct request *r, struct response *out, const struct ldap_person *p, struct user *u)
{
    struct new_user n = { .name = p->name, .email = p->email, .role = config_str(r->config, CFG_DEFAULT_USER_ROLE) };
    struct error err = { "" };
    enum user_made made;
    bool first;
    enum db_status st = user_by_email(r->db, r->mem, p->email, u);

    if (st == DB_DONE) {
        if (password_hash(r->mem, random_uuid(r->mem), &n.password_hash, &err) != OK) {
            log_error("no account was made: %s", err.text);
            return fail(out, 500, "Internal error occurred during LDAP user creation.");
        }
        /* An address that is taken by now: he signed in twice at once. */
        st = user_create(r->db, r->mem, &n, u, &made, &first);
    }
    if (st != DB_ERROR)
        st = user_by_active_email(r->db, r->mem, p->email, u);
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    return st == DB_ROW ? 0 : fail(out, 400, "%s", failed);
}

static void sync_groups(struct request *r, const struct ldap_person *p, const struct user *u)
{
    bool create = config_bool(r->config, CFG_ENABLE_LDAP_GROUP_CREATION);

    if (u->is_admin || !p->groups_n)
        return;
    if (group_sync(r->db, r->mem, u->id, p->groups, p->groups_n, create) == DB_ERROR)
        log_error("could not keep the groups of a user as the directory names them: %s", db_error(r->db));
}

int auths_ldap(struct request *r, struct response *out)
{
    struct str user = form_str(r, "user"), account = str_cat(r->mem, S("ldap:"), user);
    struct ldap_person person;
    struct error err = { "" };
    struct user u;
    enum status st;
    int status;

    if (!config_bool(r->config, CFG_ENABLE_LDAP))
        return fail(out, 400, "LDAP authentication is not enabled");
    if (!auth_may_try(r->mem, account, r->remote_addr))
        return auths_too_many(r, out);
    st = auth_by_ldap(r->mem, r->config, user, form_str(r, "password"), &person, &err);
    if (st != OK)
        return refuse(r, out, account, st, &err);
    status = account_of(r, out, &person, &u);
    if (status)
        return status;
    sync_groups(r, &person, &u);
    return auths_start_session(r, out, &u);
}
