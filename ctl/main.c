/* main.c: webuictl, the operator's tool: finds the command and gives it settings. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/log.h"
#include "lib/base/shared.h"
#include "lib/db/migrate.h"

static const struct {
    const char *name, *usage, *about;
    int (*run)(struct ctl *ctl, int argc, char **argv);
} commands[] = {
    { "serve", "",
      "starts responders, sidecar and web server in the foreground (HOST, PORT, WEB_SERVER, DATA_DIR, DATABASE_URL)",
      ctl_serve },
    { "migrate", "[--check]", "makes the tables of an empty database, or says what an existing one is", ctl_migrate },
    { "user", "add|list|role|password …", "accounts: webuictl user shows how", ctl_user },
    { "import", "chatgpt|claude|openwebui FILE --user EMAIL",
      "takes chats over from an export: its conversations.json, or the archive with it", ctl_import },
    { "vectors", "import", "takes over what Open WebUI has embedded (Chroma), so that it need not be embedded again",
      ctl_vectors },
    { "frontend", "fetch|path", "downloads Open WebUI's frontend into the cache, or says where it lies", ctl_frontend },
    { "web-config", "lighttpd|apache|apache-fcgid", "prints a web server's configuration, filled in", ctl_web_config },
    { "doctor", "", "checks this installation and says what is wrong with it", ctl_doctor },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

int ctl_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("webuictl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return 1;
}

bool ctl_database(struct ctl *ctl)
{
    struct error err = { "" };
    const char *url = config_database_url(ctl->config);

    if (ctl->db)
        return true;
    if (db_open(url, &ctl->db, &err) != OK)
        return ctl_fail("DATABASE_URL: %s", err.text), false;
    if (db_connect(ctl->db, &err) != OK) {
        ctl_fail("the database does not answer: %s. Check DATABASE_URL, and that its server runs.", err.text);
        db_close(ctl->db);
        ctl->db = NULL;
        return false;
    }
    return true;
}

bool ctl_database_ready(struct ctl *ctl)
{
    struct schema schema;
    struct error err = { "" };

    if (!ctl_database(ctl))
        return false;
    if (migrate_up(ctl->db, ctl->mem, &schema, &err) != OK)
        return ctl_fail("%s", err.text), false;
    return true;
}

static const char *own_dir(struct ctl *ctl)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (n <= 0)
        return ".";
    path[n] = '\0';
    return str_c(ctl->mem, str_sub(str_of(path), 0, str_rfind_c(str_of(path), '/')));
}

const char *ctl_program(struct ctl *ctl, const char *name)
{
    const char *dir = getenv("WEBUI_PROGRAM_DIR");
    char *path = str_c(ctl->mem, str_f(ctl->mem, "%s/%s", dir && *dir ? dir : own_dir(ctl), name));

    if (access(path, X_OK) == 0)
        return path;
    ctl_fail("%s is not there: build it with `make`, or say in WEBUI_PROGRAM_DIR where it is", path);
    return NULL;
}

const char *ctl_share(struct ctl *ctl, const char *name)
{
    static const char *const places[] = { "..", "../share/webui-fcgi", "../../share/webui-fcgi" };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char *path = str_c(ctl->mem, str_f(ctl->mem, "%s/%s/%s", own_dir(ctl), places[i], name));

        if (access(path, R_OK) == 0)
            return path;
    }
    ctl_fail("the folder %s of webui-fcgi is missing: install it beside the programs (PREFIX/share/webui-fcgi)", name);
    return NULL;
}

static int help(FILE *to, int status)
{
    fputs("usage: webuictl COMMAND …\n\n", to);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(to, "  %s %s\n      %s\n", commands[i].name, commands[i].usage, commands[i].about);
    fputs("\nSettings come from the environment and the file .env; docs/settings.md lists them.\n", to);
    return status;
}

int main(int argc, char **argv)
{
    struct ctl ctl = { .mem = arena_new(16 * 1024) };
    struct error err = { "" };
    int status = 2, i = 0;

    if (argc < 2)
        return help(stderr, 2);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
        return help(stdout, 0);
    while (i < COMMANDS && strcmp(commands[i].name, argv[1]))
        i++;
    if (i == COMMANDS) {
        ctl_fail("there is no command \"%s\"; `webuictl help` lists them", argv[1]);
        return 2;
    }
    if (config_open(&ctl.config, &err) != OK)
        return ctl_fail("%s; settings come from the environment, and from the file .env here and in DATA_DIR",
                        err.text);
    log_init("webuictl", config_str(ctl.config, CFG_GLOBAL_LOG_LEVEL));
    if (access(config_run_dir(ctl.config), W_OK) == 0)
        shared_open(config_run_dir(ctl.config), NULL); /* what we change is seen by a running server at once */
    status = commands[i].run(&ctl, argc - 1, argv + 1);
    if (ctl.db)
        db_close(ctl.db);
    config_close(ctl.config);
    arena_free(ctl.mem);
    return status;
}
