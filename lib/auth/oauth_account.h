/* oauth_account.h: from what a provider says of somebody to the account that he gets: which, in what role, in which groups. */
#ifndef LIB_AUTH_OAUTH_ACCOUNT_H
#define LIB_AUTH_OAUTH_ACCOUNT_H

#include "lib/auth/oauth_provider.h"
#include "lib/auth/user.h"

struct oauth_person {
    struct str sub;           /* "oidc@…": the provider's name and his name there */
    struct str email;         /* in small letters */
    bool email_verified;      /* the provider says so */
    struct str name, picture; /* picture: an address; absent: none */
    json_object *claims;
};

/* Who the tokens are of, out of the id token, the userinfo endpoint and, at GitHub, the list of addresses. INVALID: the provider does not say enough. */
enum status oauth_person_of(struct arena *mem, struct config *c, const struct oauth_provider *p, json_object *token,
                            struct oauth_person *out, struct error *err);

enum oauth_verdict {
    OAUTH_KNOWN,       /* *u is his account */
    OAUTH_NEW,         /* *u was made */
    OAUTH_NOT_ALLOWED, /* his domain is not let in */
    OAUTH_EMAIL_TAKEN, /* the address has an account that is not his, as far as the provider proves */
    OAUTH_NO_SIGNUP,   /* he has no account, and none is made */
    OAUTH_FAILED       /* err says why */
};
/* Finds his account by sub, or by address if OAUTH_MERGE_ACCOUNTS_BY_EMAIL and the provider has verified it, or makes one if ENABLE_OAUTH_SIGNUP; sets his role as the
 * settings say. picture: data URL for a new account; absent: none. The first administrator stays one. */
enum oauth_verdict oauth_account(struct arena *mem, struct db *db, struct config *c, const struct oauth_person *p,
                                 struct user *u, struct error *err);

/* His groups are those that the claim names (ENABLE_OAUTH_GROUP_MANAGEMENT); administrators and blocked groups are left alone. */
enum status oauth_groups_sync(struct arena *mem, struct db *db, struct config *c, const struct oauth_person *p,
                              const struct user *u, struct error *err);

/* "realm_access.roles": a member of a member. NULL: not there. */
json_object *oauth_claim(struct arena *mem, json_object *claims, struct str path);
/* The name is one of the patterns: itself, or with * and ?. */
bool oauth_group_blocked(json_object *patterns, struct str name);
/* user, admin … out of the roles claim. */
struct str oauth_role(struct arena *mem, struct config *c, json_object *claims);

#endif
