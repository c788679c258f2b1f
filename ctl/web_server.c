/* web_server.c: the web server that serve starts: its configuration from the template, its program, its modules. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/file.h"

static const struct {
    const char *name, *folder, *template, *package;
    const char *programs[3], *modules[3];
} kinds[] = {
    [LIGHTTPD] = { "lighttpd",
                   "lighttpd-conf",
                   "webui.conf.in",
                   "lighttpd lighttpd-mod-deflate",
                   { "/usr/sbin/lighttpd", "/usr/local/sbin/lighttpd" },
                   { "/usr/lib/lighttpd", "/usr/local/lib/lighttpd" } },
    [APACHE] = { "apache",
                 "apache-conf",
                 "proxy-fcgi.conf.in",
                 "apache2",
                 { "/usr/sbin/apache2", "/usr/sbin/httpd" },
                 { "/usr/lib/apache2/modules", "/usr/lib64/httpd/modules" } },
    [APACHE_FCGID] = { "apache-fcgid",
                       "apache-conf",
                       "fcgid.conf.in",
                       "apache2 libapache2-mod-fcgid",
                       { "/usr/sbin/apache2", "/usr/sbin/httpd" },
                       { "/usr/lib/apache2/modules", "/usr/lib64/httpd/modules" } },
};

bool web_kind(const char *name, enum web_server *out)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!strcmp(name, kinds[i].name)) {
            *out = (enum web_server)i;
            return true;
        }
    }
    return ctl_fail("WEB_SERVER is lighttpd, apache or apache-fcgid, not \"%s\"", name), false;
}

static const char *first_there(const char *const *paths, int access_mode)
{
    while (*paths && access(*paths, access_mode) != 0)
        paths++;
    return *paths;
}

/* The paths of the sidecar, as webui.fcgi knows them from its route tables. */
static bool sidecar_paths(struct ctl *ctl, struct str *out)
{
    const char *program = ctl_program(ctl, "webui.fcgi");
    char line[16384];
    int fds[2], status;
    size_t n = 0;
    ssize_t got;
    pid_t pid;

    if (!program || pipe(fds) != 0)
        return false;
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        execl(program, program, "--sidecar-paths", (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    while (n < sizeof(line) && (got = read(fds[0], line + n, sizeof(line) - n)) > 0)
        n += (size_t)got;
    close(fds[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 || n == 0)
        return ctl_fail("%s --sidecar-paths failed", program), false;
    *out = str_trim(str_copy(ctl->mem, str_n(line, n)));
    return true;
}

struct name {
    const char *name;
    struct str value; /* empty: the line is left out */
};

/* A line with its names replaced; false: a name in it has no value. */
static bool add_line(struct buf *out, struct str line, const struct name *names, size_t n)
{
    size_t start = out->n;

    while (line.n) {
        size_t at = str_find_c(line, '@'), i = 0;
        struct str rest = at == STR_NPOS ? S("") : str_from(line, at + 1);
        size_t end = str_find_c(rest, '@');

        while (i < n && !(end != STR_NPOS && str_is(str_sub(rest, 0, end), names[i].name)))
            i++;
        if (at == STR_NPOS || i == n) {
            at = at == STR_NPOS ? line.n : at + 1;
            buf_add_str(out, str_sub(line, 0, at));
            line = str_from(line, at);
            continue;
        }
        if (names[i].value.n == 0) {
            out->n = start;
            return false;
        }
        buf_add_str(out, str_sub(line, 0, at));
        buf_add_str(out, names[i].value);
        line = str_from(line, at + end + 2);
    }
    return true;
}

static struct str max_descriptors(struct ctl *ctl)
{
    struct rlimit limit = { 1024, 1024 };

    getrlimit(RLIMIT_NOFILE, &limit);
    return str_f(ctl->mem, "%llu", (unsigned long long)(limit.rlim_max < 16384 ? limit.rlim_max : 16384));
}

/* The most responders of "MIN:MAX". */
static struct str most_responders(struct ctl *ctl)
{
    struct str v = config_str(ctl->config, CFG_WEBUI_RESPONDERS);
    size_t colon = str_find_c(v, ':');

    return colon == STR_NPOS ? v : str_from(v, colon + 1);
}

bool web_fill(struct ctl *ctl, enum web_server kind, const char *host, int port, const struct owner *o,
              const char *responder, struct str *out)
{
    const char *folder = ctl_share(ctl, kinds[kind].folder),
               *program = responder ? responder : ctl_program(ctl, "webui.fcgi");
    const char *modules = first_there(kinds[kind].modules, R_OK);
    struct str run = str_of(config_run_dir(ctl->config)), text, paths, line;
    struct buf b = BUF(ctl->mem, 1 << 20);
    struct error err = { "" };

    if (!folder || !program || !sidecar_paths(ctl, &paths))
        return false;
    if (file_read(ctl->mem, str_c(ctl->mem, str_f(ctl->mem, "%s/%s", folder, kinds[kind].template)), 1 << 20, &text,
                  &err) != OK)
        return ctl_fail("%s", err.text), false;
    const struct name names[] = {
        { "HOST", str_of(host) },
        { "PORT", str_f(ctl->mem, "%d", port) },
        { "RUN", run },
        { "FRONTEND", str_of(frontend_dir(ctl)) },
        { "DATA_DIR", str_of(config_data_dir(ctl->config)) },
        { "PROGRAM", str_of(program) },
        { "SIDECAR_PATHS", paths },
        { "USER", str_of(o->passes_closed_folders ? NULL : o->user) },
        { "GROUP", str_of(o->passes_closed_folders ? NULL : o->group) },
        { "MODULES", str_of(modules) },
        { "MAX_RESPONDERS", most_responders(ctl) },
        { "MAX_FDS", max_descriptors(ctl) },
        { "ERROR_LOG", str_f(ctl->mem, "%.*s/web.log", STR(run)) },
        { "PID_FILE", str_f(ctl->mem, "%.*s/web.pid", STR(run)) },
    };
    while (str_split(&text, '\n', &line)) {
        if (add_line(&b, line, names, sizeof(names) / sizeof(names[0])))
            buf_add_char(&b, '\n');
    }
    *out = buf_str(&b);
    return true;
}

static bool module_is_there(struct ctl *ctl, enum web_server kind, const char *folder, struct str name)
{
    const char *path = str_c(ctl->mem, str_f(ctl->mem, "%s/%.*s", folder, STR(name)));

    if (access(path, R_OK) == 0)
        return true;
    return ctl_fail("the module %s of the web server is missing: apt-get install %s", path, kinds[kind].package), false;
}

/* Those that an Apache configuration loads: `LoadModule NAME "PATH"`. */
static bool loaded_modules_are_there(struct ctl *ctl, enum web_server kind, struct str text)
{
    struct str line, piece;

    while (str_split(&text, '\n', &line)) {
        if (!str_starts(line, "LoadModule ") || !str_split(&line, '"', &piece) || !str_split(&line, '"', &piece))
            continue;
        if (!module_is_there(ctl, kind, str_c(ctl->mem, str_sub(piece, 0, str_rfind_c(piece, '/'))),
                             str_from(piece, str_rfind_c(piece, '/') + 1)))
            return false;
    }
    return true;
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] == '_' || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= 'a' && s.p[i] <= 'z') ||
              (i && s.p[i] >= '0' && s.p[i] <= '9')))
            return false;
    return s.n > 0;
}

/* mod_fcgid starts its programs with an empty environment: a script between them has ours, for its owner's eyes alone. NULL: said so. */
static const char *wrapped_responder(struct ctl *ctl)
{
    const char *program = ctl_program(ctl, "webui.fcgi");
    char *path = str_c(
        ctl->mem,
        str_f(ctl->mem, "%s/webui.fcgi",
              config_run_dir(ctl->config))); /* Apache runs what ends in .fcgi, and would show what does not */
    struct buf b = BUF(ctl->mem, 4 << 20);
    struct error err = { "" };

    if (!program)
        return NULL;
    buf_add_c(&b, "#!/bin/sh\n");
    for (char **e = environ; *e; e++) {
        struct str v = str_of(*e), name = str_sub(v, 0, str_find_c(v, '='));

        if (name.n == v.n || !is_name(name) || str_is(name, "_"))
            continue;
        buf_addf(&b, "export %.*s='%s'\n", STR(name),
                 str_c(ctl->mem, str_replace(ctl->mem, str_from(v, name.n + 1), S("'"), S("'\\''"))));
    }
    buf_addf(&b, "exec '%s'\n", str_c(ctl->mem, str_replace(ctl->mem, str_of(program), S("'"), S("'\\''"))));
    if (buf_failed(&b) || file_write(path, buf_str(&b), 0700, &err) != OK)
        return ctl_fail("could not write %s: %s", path, err.text), NULL;
    return path;
}

bool web_prepare(struct ctl *ctl, const struct owner *o, struct web *w)
{
    const char *program = first_there(kinds[w->kind].programs, X_OK),
               *modules = first_there(kinds[w->kind].modules, R_OK);
    const char *run = config_run_dir(ctl->config), *responder = NULL;
    struct error err = { "" };
    struct str text;

    if (!program || !modules)
        return ctl_fail("%s is not installed: apt-get install %s", kinds[w->kind].name, kinds[w->kind].package), false;
    if (w->kind == LIGHTTPD && (!module_is_there(ctl, w->kind, modules, S("mod_deflate.so")) ||
                                !module_is_there(ctl, w->kind, modules, S("mod_proxy.so"))))
        return false;
    if (w->kind == APACHE_FCGID && !(responder = wrapped_responder(ctl)))
        return false;
    if (!web_fill(ctl, w->kind, w->host, w->port, o, responder, &text))
        return false;
    if (w->kind != LIGHTTPD && !loaded_modules_are_there(ctl, w->kind, text))
        return false;
    w->config_path = str_c(ctl->mem, str_f(ctl->mem, "%s/web.conf", run));
    if (file_write(w->config_path, text, 0600, &err) != OK)
        return ctl_fail("%s", err.text), false;
    if (w->kind == LIGHTTPD) {
        char *argv[] = { (char *)program, "-D", "-f", (char *)w->config_path, "-m", (char *)modules, NULL };

        memcpy(w->argv, argv, sizeof(argv));
    } else {
        char *argv[] = { (char *)program, "-D", "FOREGROUND", "-f", (char *)w->config_path, NULL };

        memcpy(w->argv, argv, sizeof(argv));
    }
    return true;
}

int ctl_web_config(struct ctl *ctl, int argc, char **argv)
{
    struct str host = config_str(ctl->config, CFG_HOST), text;
    enum web_server kind;
    struct owner o;

    if (argc != 2)
        return ctl_fail("usage: webuictl web-config lighttpd|apache|apache-fcgid"), 2;
    if (!web_kind(argv[1], &kind) || !owner_find(ctl, &o) ||
        !web_fill(ctl, kind, host.n ? str_c(ctl->mem, host) : "127.0.0.1", (int)config_int(ctl->config, CFG_PORT), &o,
                  NULL, &text))
        return 1;
    fwrite(text.p, 1, text.n, stdout);
    return 0;
}
