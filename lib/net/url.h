/* url.h: where URLs lead. */
#ifndef LIB_NET_URL_H
#define LIB_NET_URL_H

#include "lib/base/str.h"

/* Scheme, host and port are the same. False when either is no http or https URL. */
bool url_same_origin(struct str a, struct str b);

#endif
