/* fuzz_oauth.c: what an identity provider sends: key sets and signed tokens; and sealed texts. The first line is the token, the rest the key set. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/auth/fernet.h"
#include "lib/auth/oauth_clients.h"
#include "lib/auth/oauth_jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(4096);
    struct str text = str_n((const char *)data, size), token = STR_NONE, rest = text, opened, urls[4];
    json_object *keys, *claims = NULL;
    struct error err = { "" };

    str_split(&rest, '\n', &token);
    keys = json_parse_or_null(mem, rest);
    if (oauth_jwt_verify(mem, keys, token, &claims, &err) == OK) {
        if (!json_is(claims, json_type_object))
            abort();
        oauth_id_token_check(mem, claims, S("joe"), S("client"), STR_NONE, 1300819380, &err);
    }
    if (json_parse(mem, text, &claims, NULL) == OK)
        oauth_id_token_check(mem, claims, S("joe"), S("client"), S("nonce"), 1300819380, &err);
    fernet_open(mem, S("key"), token, 0, &opened, &err);
    if (oauth_metadata_urls(mem, token, urls) > 4)
        abort();
    arena_free(mem);
    return 0;
}
