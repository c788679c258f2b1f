/* ldap.h: people who sign in with what an LDAP directory knows of them. The settings are those of the section LDAP. */
#ifndef LIB_AUTH_LDAP_H
#define LIB_AUTH_LDAP_H

#include "lib/config/config.h"

struct ldap_person {
    struct str email; /* in small letters */
    struct str name;
    struct str *groups; /* their common names; none unless ENABLE_LDAP_GROUP_MANAGEMENT */
    size_t groups_n;
};

/* The directory is searched by the application's account, and the password proved by binding as the one who was found. Takes 10 s at most.
 * OK: he is who he says. NOT_FOUND: nobody of that name, or another password (an empty one is refused before the directory is asked). INVALID: the file of certificates
 * is missing. FAILED, UNAVAILABLE, TIMED_OUT: the directory, its settings or its entry are at fault. */
enum status auth_by_ldap(struct arena *mem, struct config *c, struct str user, struct str password,
                         struct ldap_person *out, struct error *err);

/* The value as it stands in a filter (RFC 4515, section 3). */
struct str ldap_filter_value(struct arena *mem, struct str value);
/* "cn=Sales\, north,ou=groups,dc=x": "Sales, north" (RFC 4514). Absent: no distinguished name, or one without a common name. */
struct str ldap_common_name(struct arena *mem, struct str dn);

#endif
