/* access.c: credentials of a request, and the access level of its route. The texts are those of the Python backend. */
#include "fcgi/access.h"

#include "lib/auth/auth.h"

static const char unauthorized[] = "401 Unauthorized";
static const char prohibited[] =
    "You do not have permission to access this resource. Please contact your administrator for assistance.";

/* The credentials of "Bearer …", absent for any other scheme. */
static struct str bearer(struct str header)
{
    size_t at = str_find_c(header, ' ');

    if (at == STR_NPOS || at + 1 == header.n || !str_ieq(str_sub(header, 0, at), "bearer"))
        return STR_NONE;
    return str_from(header, at + 1);
}

/* The header, then the cookie; never the query. */
static struct str credential(const struct request *r)
{
    struct str token = bearer(request_header(r, "Authorization"));

    return token.p ? token : request_cookie(r, "token");
}

static int refuse(struct response *out, int status, const char *detail)
{
    fail(out, status, "%s", detail);
    if (status == 503)
        response_header(out, "Retry-After", S("5"));
    return status;
}

static struct str trusted_email(const struct request *r)
{
    struct str header = config_str(r->config, CFG_WEBUI_AUTH_TRUSTED_EMAIL_HEADER);
    struct str value;

    if (header.n == 0)
        return STR_NONE;
    value = request_header(r, str_c(r->mem, header));
    return value.p ? str_lower(r->mem, value) : value;
}

static int identify(struct request *r, struct response *out)
{
    const char *detail = unauthorized;
    int status = auth_admit(r->mem, r->db, r->config, r->token, r->path, trusted_email(r), &r->user, &r->by_api_key,
                            &detail);

    return status ? refuse(out, status, detail) : 0;
}

static int admit_user(struct request *r, struct response *out)
{
    const struct route *route = r->route;
    int status;

    if (!r->token.p)
        return refuse(out, 401, "Not authenticated");
    status = identify(r, out);
    if (status)
        return status;
    if (route->access == CURRENT || r->user->is_admin)
        return 0;
    if (route->access == ADMIN || !str_is(r->user->role, "user"))
        return refuse(out, 401, prohibited);
    if (route->needs && !auth_permission(r->mem, r->db, r->config, r->user, route->needs))
        return refuse(out, 401, str_starts(str_of(route->needs), "chat.") ? prohibited : unauthorized);
    return 0;
}

static int admit_scim(struct request *r, struct response *out)
{
    struct str header = request_header(r, "Authorization"), rest = str_trim(header), scheme, token;
    struct str expected = config_str(r->config, CFG_SCIM_TOKEN);
    size_t at;

    if (header.n == 0) {
        refuse(out, 401, "Authorization header required");
        response_header(out, "WWW-Authenticate", S("Bearer"));
        return 401;
    }
    at = str_find_c(rest, ' ');
    scheme = str_sub(rest, 0, at);
    token = at == STR_NPOS ? STR_NONE : str_trim(str_from(rest, at));
    if (token.n == 0 || str_find_c(token, ' ') != STR_NPOS)
        return refuse(out, 401, "Invalid authorization format. Expected: Bearer <token>");
    if (!str_ieq(scheme, "bearer"))
        return refuse(out, 401, "Invalid authentication scheme");
    if (!config_bool(r->config, CFG_SCIM_ENABLED))
        return refuse(out, 403, "SCIM is not enabled");
    if (expected.n == 0 || !str_equal_secret(token, expected))
        return refuse(out, 401, "Invalid SCIM token");
    r->token = token;
    return 0;
}

int access_admit(struct request *r, struct response *out)
{
    r->token = credential(r);
    switch (r->route->access) {
    case PUBLIC:
        if (r->token.p && identify(r, out) != 0) {
            r->user = NULL; /* a stranger, like those who sent nothing; the handler sees r->token */
            response_clear(out);
        }
        return 0;
    case CURRENT:
    case VERIFIED:
    case ADMIN: return admit_user(r, out);
    case SCIM: return admit_scim(r, out);
    case INTERNAL: /* the sidecar says so by a parameter that no client can set */
        return r->in_worker && str_is(request_param(r, "WEBUI_INTERNAL"), "1") ? 0 : refuse(out, 404, "Not Found");
    case ACCESS_UNSET: break;
    }
    return refuse(out, 500, "Internal Server Error"); /* the router lets no such route in */
}
