/* auths.h: what the files of /api/v1/auths share. */
#ifndef HANDLERS_AUTHS_H
#define HANDLERS_AUTHS_H

#include "fcgi/route.h"

extern const char auths_action_prohibited[], auths_access_prohibited[], auths_email_taken[], auths_email_invalid[],
    auths_invalid_cred[], auths_password_too_long[], auths_too_many_tries[];

/* signin.c */
int auths_signin(struct request *r, struct response *out);
int auths_signup(struct request *r, struct response *out);
int auths_signout(struct request *r, struct response *out);
/* A new session of the user, in the cookie and in the answer. */
int auths_start_session(struct request *r, struct response *out, const struct user *u);
/* WEBHOOK_URL hears of a new account. */
void auths_tell_webhook(struct request *r, const struct user *u);
/* 429: auth_may_try() said no. */
int auths_too_many(struct request *r, struct response *out);
/* The token goes into the cookie "token" too. expires_s: 0: a session cookie. */
void auths_set_cookie(struct request *r, struct response *out, struct str token, int64_t expires_s);
/* The answer to a sign-in; with_details: bio, gender and date of birth as well. */
int auths_reply_session(struct request *r, struct response *out, const struct user *u, struct str token,
                        int64_t expires_s, bool with_details);

/* signin_ldap.c */
int auths_ldap(struct request *r, struct response *out);

/* auths_admin.c */
int auths_add(struct request *r, struct response *out);
int auths_admin_details(struct request *r, struct response *out);
int auths_admin_config(struct request *r, struct response *out);
int auths_admin_config_set(struct request *r, struct response *out);
int auths_ldap_server(struct request *r, struct response *out);
int auths_ldap_server_set(struct request *r, struct response *out);
int auths_ldap_config(struct request *r, struct response *out);
int auths_ldap_config_set(struct request *r, struct response *out);

#endif
