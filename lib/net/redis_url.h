/* redis_url.h: where a Redis is. */
#ifndef LIB_NET_REDIS_URL_H
#define LIB_NET_REDIS_URL_H

#include "lib/base/error.h"

struct redis_url {             /* strings live in mem, NUL-terminated */
    struct str host;           /* of redis://; with Sentinels: the name of the service */
    struct str path;           /* of unix://; else absent */
    struct str user, password; /* decoded; absent: none */
    int port, db;
};

/* redis://[[user]:password@]host[:port][/db], unix://[[user]:password@]/path[?db=n]. INVALID: err says why, never the password. rediss:// is INVALID: hiredis
 * 0.14 has no TLS. */
enum status redis_url_parse(struct arena *mem, struct str url, struct redis_url *out, struct error *err);

#endif
