/* directory.h: a connection to an LDAP server, plain or TLS, that ends by itself. The bytes go through libcurl: its TLS is OpenSSL, whose names of ciphers
 * the Python backend's settings hold (Debian's libldap has GnuTLS, which knows others), and it resolves and connects with a time-out. */
#ifndef LIB_AUTH_DIRECTORY_H
#define LIB_AUTH_DIRECTORY_H

#include "lib/base/error.h"

struct directory_address {
    struct str host; /* a name or an address, IPv6 without brackets */
    int port;
    bool tls;
};

/* The address that the settings name. host may say more than they: "ldap://host", "ldaps://host:port"; tls and port are what it leaves open, port 0 the usual one.
 * false: no host, or one that cannot be. */
bool directory_address(struct arena *mem, struct str host, int64_t port, bool tls, struct directory_address *out);

struct directory;

struct directory_options {
    struct directory_address address;
    bool verify;         /* the certificate: its chain, and that it is the host's */
    const char *ca_file; /* NULL: the certificates that the system trusts */
    const char *ciphers; /* as OpenSSL writes them (TLS up to 1.2); NULL: its default */
};

enum { DIRECTORY_CONNECT_MS = 5000, DIRECTORY_TOTAL_MS = 10000 };

/* Connects, within DIRECTORY_CONNECT_MS with the TLS handshake. UNAVAILABLE, TIMED_OUT; FAILED: TLS, or a setting of it, is at fault. */
enum status directory_open(struct arena *mem, const struct directory_options *o, struct directory **out,
                           struct error *err);
void directory_close(struct directory *d); /* NULL is fine */

/* The name and password are proved to the server; both may be empty: anonymous. Only directory_bind_as() refuses an empty password.
 * NOT_FOUND: the server refuses them. UNAVAILABLE, TIMED_OUT: no answer. */
enum status directory_bind(struct directory *d, struct str dn, struct str password, struct error *err);
/* The same for a person: no name or no password is NOT_FOUND before the server hears of it, as it would answer an "unauthenticated bind" (RFC 4513, 5.1.2) with success. */
enum status directory_bind_as(struct directory *d, struct str dn, struct str password, struct error *err);

/* Searches the subtree; attributes end with NULL. OK: the first entry found is what the functions below read, until the next search. NOT_FOUND: no entry, or no
 * such base. */
enum status directory_search(struct directory *d, const char *base, const char *filter, char **attributes,
                             struct error *err);
/* All values of an attribute of the entry, copied; their number. */
size_t directory_values(struct arena *mem, struct directory *d, const char *attribute, struct str **out);
/* The entry's name, copied; absent: the server sent none that can be read. */
struct str directory_dn(struct arena *mem, struct directory *d);

#endif
