/* encode.h: base64, hex, percent-encoding, SHA-256. */
#ifndef LIB_BASE_ENCODE_H
#define LIB_BASE_ENCODE_H

#include "lib/base/str.h"

struct str base64_encode(struct arena *mem, struct str bytes);    /* RFC 4648 with padding */
struct str base64url_encode(struct arena *mem, struct str bytes); /* section 5, without padding */
bool base64_decode(struct arena *mem, struct str text,
                   struct str *bytes); /* both alphabets; padding optional; white space refused */
struct str hex_encode(struct arena *mem, struct str bytes);
bool url_decode(struct arena *mem, struct str text, bool plus_is_space,
                struct str *out); /* false: broken %XX. NUL may come out */
struct str url_encode(struct arena *mem, struct str text);
struct str sha256_hex(struct arena *mem, struct str bytes);
bool sha256_fd_hex(struct arena *mem, int fd, struct str *hex); /* of a file from its start; false: it cannot be read */

#endif
