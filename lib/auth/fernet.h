/* fernet.h: sealed texts as Python's cryptography.fernet makes them: AES-128-CBC and HMAC-SHA-256, with the time they were made. The Python backend keeps OAuth
 * tokens and registrations so. */
#ifndef LIB_AUTH_FERNET_H
#define LIB_AUTH_FERNET_H

#include "lib/base/error.h"

/* key: 44 characters are the key itself (base64 of 32 bytes), anything else is hashed to one. Never fails but out of memory or without AES: absent. */
struct str fernet_seal(struct arena *mem, struct str key, struct str text);
/* INVALID: not sealed with this key, changed, or older than max_age_s (0: any age). *text is untouched then. */
enum status fernet_open(struct arena *mem, struct str key, struct str sealed, int64_t max_age_s, struct str *text,
                        struct error *err);

#endif
