/* places.c: where things are: DATA_DIR, the run directory, the database, the secret key. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/config/internal.h"

enum { KEY_BYTES = 32, KEY_MAX = 4096 };

/* As it is if it is absolute, else below the working directory; "." and ".." stay for the system to resolve. */
static enum status absolute(struct arena *mem, struct str path, const char **out, struct error *err)
{
    char here[PATH_MAX];

    while (str_starts(path, "./"))
        path = str_from(path, 2);
    if (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    if (path.n > 0 && path.p[0] == '/') {
        *out = str_c(mem, path);
        return OK;
    }
    if (!getcwd(here, sizeof here))
        return error_set(err, FAILED, "could not find the working directory: %s", strerror(errno));
    *out = str_c(mem, path.n ? str_f(mem, "%s/%.*s", here[1] ? here : "", STR(path)) : str_of(here));
    return OK;
}

enum status places_data_dir(struct config *c, struct error *err)
{
    enum setting_source source;
    struct str text = environ_get(c, "DATA_DIR", &source);

    return absolute(c->mem, text.n ? text : S("data"), &c->data_dir, err);
}

static struct str text_of(const struct config *c, enum setting_id id)
{
    return json_str_value(c->base[id].value);
}

static const char *database_url(struct config *c)
{
    struct str url = text_of(c, CFG_DATABASE_URL), type = text_of(c, CFG_DATABASE_TYPE),
               user = text_of(c, CFG_DATABASE_USER);
    struct str password = text_of(c, CFG_DATABASE_PASSWORD), host = text_of(c, CFG_DATABASE_HOST);
    struct str port = text_of(c, CFG_DATABASE_PORT), name = text_of(c, CFG_DATABASE_NAME);

    if (type.n && (user.n || password.n) && host.n && port.n && name.n)
        url = str_f(c->mem, "%.*s://%.*s%s%.*s@%.*s:%.*s/%.*s", STR(type), STR(user), password.n ? ":" : "",
                    STR(password), STR(host), STR(port), STR(name));
    else if (url.n == 0)
        url = str_f(c->mem, "%s:///%s/webui.db", str_is(type, "sqlite+sqlcipher") ? "sqlite+sqlcipher" : "sqlite",
                    c->data_dir);
    return str_c(c->mem, str_replace(c->mem, url, S("postgres://"), S("postgresql://")));
}

void places_find(struct config *c)
{
    struct str run = text_of(c, CFG_WEBUI_RUN_DIR);

    if (!run.n || absolute(c->mem, run, &c->run_dir, NULL) != OK)
        c->run_dir = str_c(c->mem, str_f(c->mem, "%s/run", c->data_dir));
    c->database_url = database_url(c);
}

const char *config_data_dir(const struct config *c)
{
    return c->data_dir;
}

const char *config_run_dir(const struct config *c)
{
    return c->run_dir;
}

const char *config_database_url(const struct config *c)
{
    return c->database_url;
}

/* Several processes may start at once: each writes a file of its own, the first link wins, and all read the same key afterwards. */
static enum status make_key(struct arena *mem, const char *path, struct error *err)
{
    const char *aside = str_c(mem, str_f(mem, "%s.%s", path, random_hex(mem, 8).p));
    char bytes[KEY_BYTES];
    int fd AUTO_CLOSE = -1;
    enum status st = OK;

    random_bytes(bytes, sizeof bytes);
    fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set(err, FAILED, "could not make %s: %s", aside, strerror(errno));
    st = write_all(fd, base64_encode(mem, str_n(bytes, sizeof bytes)), err);
    if (st == OK && fsync(fd) != 0)
        st = error_set(err, FAILED, "could not save %s: %s", aside, strerror(errno));
    if (st == OK && link(aside, path) != 0 && errno != EEXIST)
        st = error_set(err, FAILED, "could not make %s: %s", path, strerror(errno));
    unlink(aside);
    explicit_bzero(bytes, sizeof bytes);
    return st;
}

static void warn_if_readable(const char *path)
{
    struct stat s;

    if (stat(path, &s) == 0 && s.st_mode & (S_IRWXG | S_IRWXO))
        log_warning("%s can be read by others than its owner: chmod 600 it", path);
}

static enum status key_from_file(struct config *c, bool make, struct str *key, struct error *err)
{
    const char *path = str_c(c->mem, str_f(c->mem, "%s/.webui_secret_key", c->data_dir));
    enum status st = file_read(c->mem, path, KEY_MAX, key, err);

    if (st == NOT_FOUND && make) {
        st = dir_make(c->data_dir, 0700, err);
        if (st == OK)
            st = make_key(c->mem, path, err);
        if (st == OK)
            st = file_read(c->mem, path, KEY_MAX, key, err);
    }
    if (st != OK)
        return st;
    *key = str_trim_c(*key, "\r\n"); /* the container's start script writes a line, the Python one does not */
    if (key->n == 0)
        return error_set(err, FAILED, "%s is empty: delete it, and a new key is made", path);
    warn_if_readable(path);
    return OK;
}

enum status config_secret_key(struct config *c, bool make, struct str *key, struct error *err)
{
    struct str found = text_of(c, CFG_WEBUI_SECRET_KEY);
    enum status st = OK;

    if (!c->secret_key.n) {
        if (found.n == 0)
            st = key_from_file(c, make, &found, err);
        if (st != OK)
            return error_add(err, st, "could not get the secret key");
        c->secret_key = str_copy(c->mem, found);
    }
    *key = c->secret_key;
    return OK;
}
