/* password.c: bcrypt through libxcrypt. */
#include <crypt.h>

#include "lib/auth/token.h"
#include "lib/base/random.h"

enum { MAX_PASSWORD = 72, ROUNDS = 12, SALT_BYTES = 16 };

/* What an unknown account is compared with: a salt of nobody's. */
#define DUMMY "$2b$12$abcdefghijklmnopqrstuu"

static struct str bcrypt(struct arena *mem, const char *password, const char *setting)
{
    struct crypt_data *work = arena_zalloc(mem, sizeof(*work));
    const char *hash = crypt_r(password, setting, work);
    struct str out = hash && hash[0] != '*' ? str_copy(mem, str_of(hash)) : STR_NONE;

    explicit_bzero(work, sizeof(*work));
    return out;
}

enum status password_hash(struct arena *mem, struct str password, struct str *out, struct error *err)
{
    char salt[SALT_BYTES], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct str hash;

    if (password.n > MAX_PASSWORD)
        return error_set(err, TOO_BIG, "password of more than %d bytes", MAX_PASSWORD);
    if (password.n && memchr(password.p, 0, password.n))
        return error_set(err, INVALID, "NUL in a password");
    random_bytes(salt, sizeof(salt));
    if (!crypt_gensalt_rn("$2b$", ROUNDS, salt, sizeof(salt), setting, sizeof(setting)))
        return error_set(err, FAILED, "bcrypt is not there");
    hash = bcrypt(mem, str_c(mem, password), setting);
    if (!hash.p)
        return error_set(err, FAILED, "bcrypt failed");
    *out = hash;
    return OK;
}

enum status password_unknown(struct arena *mem, struct str *out, struct error *err)
{
    static char kept[CRYPT_OUTPUT_SIZE];
    struct str hash;
    enum status st;

    if (!kept[0]) {
        st = password_hash(mem, random_hex(mem, MAX_PASSWORD / 2), &hash, err);
        if (st != OK)
            return st;
        memcpy(kept, hash.p, hash.n < sizeof(kept) ? hash.n : sizeof(kept) - 1);
    }
    *out = str_of(kept);
    return OK;
}

bool password_matches(struct arena *mem, struct str password, struct str hash)
{
    bool possible = password.n <= MAX_PASSWORD && !(password.n && memchr(password.p, 0, password.n)) &&
                    str_starts(hash, "$2");
    struct str got = bcrypt(mem, possible ? str_c(mem, password) : "", possible ? str_c(mem, hash) : DUMMY);

    return possible && got.p && str_equal_secret(got, hash);
}
