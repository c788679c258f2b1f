/* frontend.c: Open WebUI's frontend: taken unchanged out of the published wheel, checked, and laid where the web server finds it. */
#include <errno.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/base/random.h"

#define VERSION "0.6.32"
#define WHEEL "open_webui-" VERSION "-py3-none-any.whl"
#define WHEEL_SHA256 "ecc93cad4e6a06d81f8e040d725699ef960cdd140db8bb5224c9dd8b67ed5d8a"

static const char *cache_dir(struct ctl *ctl)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (geteuid() == 0)
        return "/var/cache/webui-fcgi"; /* root's own home is closed to the web server */
    if (cache && *cache == '/')
        return str_c(ctl->mem, str_f(ctl->mem, "%s/webui-fcgi", cache));
    if (home && *home == '/')
        return str_c(ctl->mem, str_f(ctl->mem, "%s/.cache/webui-fcgi", home));
    return str_c(ctl->mem, str_f(ctl->mem, "%s/frontend", config_data_dir(ctl->config)));
}

const char *frontend_dir(struct ctl *ctl)
{
    struct str set = config_str(ctl->config, CFG_WEBUI_FRONTEND_DIR);

    return set.n ? str_c(ctl->mem, set)
                 : str_c(ctl->mem, str_f(ctl->mem, "%s/open-webui-" VERSION "/frontend", cache_dir(ctl)));
}

bool frontend_is_there(struct ctl *ctl)
{
    return access(str_c(ctl->mem, str_f(ctl->mem, "%s/index.html", frontend_dir(ctl))), R_OK) == 0;
}

/* Runs a program; its output goes to ours. true: it ended with status 0. */
static bool run(char *const argv[])
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool file_sha256(struct ctl *ctl, const char *path, struct str *hex)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char block[65536];
    size_t got;
    FILE *f = fopen(path, "re");
    bool ok = f && md && EVP_DigestInit_ex(md, EVP_sha256(), NULL);

    while (ok && (got = fread(block, 1, sizeof(block), f)) > 0)
        ok = EVP_DigestUpdate(md, block, got);
    ok = ok && !ferror(f) && EVP_DigestFinal_ex(md, digest, &n);
    if (ok)
        *hex = hex_encode(ctl->mem, str_n((char *)digest, n));
    if (f)
        fclose(f);
    EVP_MD_CTX_free(md);
    return ok;
}

static bool download(struct ctl *ctl, const char *into)
{
    char *argv[] = { "python3",
                     "-m",
                     "pip",
                     "download",
                     "--quiet",
                     "--disable-pip-version-check",
                     "--no-deps",
                     "--only-binary=:all:",
                     "--python-version",
                     "3.11",
                     "--dest",
                     (char *)into,
                     "open-webui==" VERSION,
                     NULL };
    struct str hex = S("");
    char *wheel = str_c(ctl->mem, str_f(ctl->mem, "%s/" WHEEL, into));

    fprintf(stderr, "Downloading the frontend of Open WebUI " VERSION " (134 MB, once)\n");
    if (!run(argv))
        return ctl_fail("pip could not download open-webui==" VERSION
                        ": it needs python3 with pip, and the package index; or name a folder that has the "
                        "frontend in WEBUI_FRONTEND_DIR"),
               false;
    if (!file_sha256(ctl, wheel, &hex) || !str_is(hex, WHEEL_SHA256))
        return ctl_fail("%s is not the wheel that was published (SHA-256 %.*s): not unpacked", wheel, STR(hex)), false;
    return true;
}

/* Only the frontend, its licence and its list of changes; -j would flatten, so the folders stay. */
static bool unpack(struct ctl *ctl, const char *dir)
{
    char *wheel = str_c(ctl->mem, str_f(ctl->mem, "%s/" WHEEL, dir));
    char *argv[] = { "unzip",
                     "-q",
                     "-o",
                     wheel,
                     "open_webui/frontend/*",
                     "open_webui/CHANGELOG.md",
                     "open_webui-" VERSION ".dist-info/licenses/*",
                     "-d",
                     (char *)dir,
                     NULL };

    if (!run(argv))
        return ctl_fail("unzip could not unpack %s: is unzip installed, and is there room on the disk?", wheel), false;
    return true;
}

static bool move(struct ctl *ctl, const char *dir, const char *from, const char *to_dir, const char *to)
{
    char *a = str_c(ctl->mem, str_f(ctl->mem, "%s/%s", dir, from)),
         *b = str_c(ctl->mem, str_f(ctl->mem, "%s/%s", to_dir, to));

    if (rename(a, b) != 0)
        return ctl_fail("could not move %s to %s: %s", a, b, strerror(errno)), false;
    return true;
}

bool frontend_fetch(struct ctl *ctl)
{
    struct str target = str_of(frontend_dir(ctl)), parent = str_sub(target, 0, str_rfind_c(target, '/'));
    char *place = str_c(ctl->mem, parent),
         *work = str_c(ctl->mem, str_f(ctl->mem, "%s/.fetch-%s", place, random_hex(ctl->mem, 4).p));
    char *clean[] = { "rm", "-rf", work, NULL };
    struct error err = { "" };
    mode_t was = umask(022);
    bool ok;

    ok = dir_make(work, 0755, &err) == OK;
    if (!ok)
        ctl_fail("%s; WEBUI_FRONTEND_DIR names another place", err.text);
    ok = ok && download(ctl, work) && unpack(ctl, work) &&
         move(ctl, work, "open_webui/CHANGELOG.md", place, "CHANGELOG.md") &&
         move(ctl, work, "open_webui-" VERSION ".dist-info/licenses/LICENSE", place, "LICENSE") &&
         (frontend_is_there(ctl) ||
          move(ctl, work, "open_webui/frontend", place, str_c(ctl->mem, str_from(target, parent.n + 1))));
    run(clean);
    umask(was);
    return ok;
}

int ctl_frontend(struct ctl *ctl, int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "path")) {
        puts(frontend_dir(ctl));
        return frontend_is_there(ctl) ? 0 : 1;
    }
    if (argc != 2 || strcmp(argv[1], "fetch"))
        return ctl_fail("usage: webuictl frontend fetch|path"), 2;
    if (!frontend_is_there(ctl) && !frontend_fetch(ctl))
        return 1;
    puts(frontend_dir(ctl));
    return 0;
}
