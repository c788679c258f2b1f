/* ldap.c: who somebody is, as an LDAP directory says: search by the application, bind as the one who was found. */
#include "lib/auth/ldap.h"

#include <ldap.h>
#include <unistd.h>

#include "lib/auth/directory.h"
#include "lib/base/log.h"

enum { MAX_USER = 256, MAX_PASSWORD = 1024, MAX_FILTER = 16 * 1024, MAX_GROUPS = 1000 };

struct attributes {
    const char *user, *mail, *groups; /* groups NULL: not asked for */
};

/* ---- names */

struct str ldap_filter_value(struct arena *mem, struct str value)
{
    struct buf b = BUF(mem, value.n * 3 + 1);

    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];

        if (c < ' ' || c == 0x7F || c == '*' || c == '(' || c == ')' || c == '\\')
            buf_addf(&b, "\\%02x", c);
        else
            buf_add_char(&b, (char)c);
    }
    return buf_str(&b);
}

struct str ldap_common_name(struct arena *mem, struct str dn)
{
    struct str out = STR_NONE;
    LDAPDN parsed = NULL;

    if (!dn.n || memchr(dn.p, 0, dn.n) || ldap_str2dn(str_c(mem, dn), &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
        return out;
    for (size_t i = 0; parsed && parsed[i] && !out.n; i++) {
        for (size_t k = 0; parsed[i][k] && !out.n; k++) {
            const LDAPAVA *part = parsed[i][k];

            if (!(part->la_flags & LDAP_AVA_BINARY) && str_ieq(str_n(part->la_attr.bv_val, part->la_attr.bv_len), "cn"))
                out = str_copy(mem, str_n(part->la_value.bv_val, part->la_value.bv_len));
        }
    }
    ldap_dnfree(parsed);
    return out;
}

static bool clean(struct str text)
{
    return text.n && !memchr(text.p, 0, text.n) && str_utf8_valid(text);
}

/* The name of an attribute goes into the filter as it is: letters, digits, hyphens, options, or an OID (RFC 4512, section 2.5). */
static const char *attribute_name(struct arena *mem, struct config *c, enum setting_id id)
{
    struct str s = config_str(c, id);

    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '.' || s.p[i] == ';' || s.p[i] == '_'))
            return NULL;
    return s.n ? str_c(mem, s) : NULL;
}

/* ---- the settings */

static enum status read_options(struct arena *mem, struct config *c, struct directory_options *o, struct error *err)
{
    struct str ca = config_str(c, CFG_LDAP_CA_CERT_FILE), ciphers = config_str(c, CFG_LDAP_CIPHERS);

    *o = (struct directory_options){ .verify = config_bool(c, CFG_LDAP_VALIDATE_CERT) };
    o->ca_file = ca.n ? str_c(mem, ca) : NULL;
    o->ciphers = str_c(mem, ciphers.n ? ciphers : S("ALL"));
    if (o->ca_file && access(o->ca_file, F_OK) != 0)
        return error_set(err, INVALID, "LDAP_CA_CERT_FILE is not there: %s", o->ca_file);
    if (!directory_address(mem, config_str(c, CFG_LDAP_SERVER_HOST), config_int(c, CFG_LDAP_SERVER_PORT),
                           config_bool(c, CFG_LDAP_USE_TLS), &o->address))
        return error_set(err, FAILED, "LDAP_SERVER_HOST and LDAP_SERVER_PORT are no address");
    return OK;
}

static enum status read_attributes(struct arena *mem, struct config *c, struct attributes *a, struct error *err)
{
    bool groups = config_bool(c, CFG_ENABLE_LDAP_GROUP_MANAGEMENT);

    a->user = attribute_name(mem, c, CFG_LDAP_ATTRIBUTE_FOR_USERNAME);
    a->mail = attribute_name(mem, c, CFG_LDAP_ATTRIBUTE_FOR_MAIL);
    a->groups = groups ? attribute_name(mem, c, CFG_LDAP_ATTRIBUTE_FOR_GROUPS) : NULL;
    return a->user && a->mail && (a->groups || !groups) ? OK
                                                        : error_set(err, FAILED, "LDAP_ATTRIBUTE_FOR_…: no attribute");
}

/* ---- the search */

static enum status bind_application(struct directory *d, struct config *c, struct error *err)
{
    struct str dn = config_str(c, CFG_LDAP_APP_DN), password = config_str(c, CFG_LDAP_APP_PASSWORD);
    enum status st;

    st = dn.n ? directory_bind_as(d, dn, password, err) : directory_bind(d, S(""), S(""), err);
    if (st == NOT_FOUND)
        st = FAILED; /* not the fault of who signs in */
    return error_add(err, st, "the application's account (LDAP_APP_DN)");
}

static void read_groups(struct arena *mem, struct str *dns, size_t n, struct ldap_person *out)
{
    if (n > MAX_GROUPS)
        n = MAX_GROUPS;
    out->groups = arena_new_array(mem, struct str, n ? n : 1);
    out->groups_n = 0;
    for (size_t i = 0; i < n; i++) {
        struct str name = ldap_common_name(mem, dns[i]);

        if (clean(name))
            out->groups[out->groups_n++] = name;
        else
            log_warning("the directory names a group without a common name: %.*s", STR(dns[i]));
    }
}

/* Who is found must be the one who was asked for, whatever the further filter says. */
static enum status read_person(struct arena *mem, struct directory *d, const struct attributes *a, struct str user,
                               struct ldap_person *out, struct error *err)
{
    struct str *users, *mails, *names, *groups;
    size_t users_n = directory_values(mem, d, a->user, &users);
    size_t mails_n = directory_values(mem, d, a->mail, &mails);
    size_t names_n = directory_values(mem, d, "cn", &names), groups_n;

    if (users_n != 1 || !str_eq(str_lower(mem, users[0]), user))
        return error_set(err, NOT_FOUND, "the entry has another \"%s\"", a->user);
    if (!mails_n || !clean(mails[0]) || mails[0].n > 255)
        return error_set(err, FAILED, "the entry has no address in \"%s\"", a->mail);
    out->email = str_lower(mem, mails[0]);
    out->name = names_n && clean(names[0]) ? names[0] : user;
    out->groups_n = 0;
    if (a->groups) {
        groups_n = directory_values(mem, d, a->groups, &groups);
        read_groups(mem, groups, groups_n, out);
    }
    return OK;
}

static enum status find(struct arena *mem, struct directory *d, struct config *c, struct str user,
                        struct ldap_person *out, struct str *dn, struct error *err)
{
    struct str base = config_str(c, CFG_LDAP_SEARCH_BASE), further = config_str(c, CFG_LDAP_SEARCH_FILTER);
    struct buf filter = BUF(mem, MAX_FILTER);
    struct attributes a;
    enum status st = read_attributes(mem, c, &a, err);

    if (st != OK)
        return st;
    buf_addf(&filter, "(&(%s=%.*s)%.*s)", a.user, STR(ldap_filter_value(mem, user)), STR(further));
    if (buf_failed(&filter))
        return error_set(err, FAILED, "LDAP_SEARCH_FILTER is too long");
    st = directory_search(d, str_c(mem, base), filter.p,
                          (char *[]){ (char *)a.user, (char *)a.mail, "cn", (char *)a.groups, NULL }, err);
    if (st != OK)
        return st;
    *dn = directory_dn(mem, d);
    return read_person(mem, d, &a, user, out, err);
}

enum status auth_by_ldap(struct arena *mem, struct config *c, struct str user, struct str password,
                         struct ldap_person *out, struct error *err)
{
    struct directory_options o;
    struct directory *d = NULL;
    struct ldap_person person;
    struct str dn = STR_NONE;
    enum status st = read_options(mem, c, &o, err);

    if (st != OK)
        return st;
    /* With a NUL some servers would see an empty password. */
    if (!user.n || user.n > MAX_USER || !password.n || password.n > MAX_PASSWORD || memchr(password.p, 0, password.n))
        return error_set(err, NOT_FOUND, "no user name, or no password");
    user = str_lower(mem, user);
    st = directory_open(mem, &o, &d, err);
    if (st == OK)
        st = bind_application(d, c, err);
    if (st == OK)
        st = find(mem, d, c, user, &person, &dn, err);
    if (st == OK)
        st = directory_bind_as(d, dn, password, err);
    if (st == OK)
        *out = person;
    directory_close(d);
    return st;
}
