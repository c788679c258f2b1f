/* doctor.c: webuictl doctor: checks this installation and says what is wrong with it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/db/migrate.h"
#include "lib/llm/providers.h"
#include "lib/net/control.h"
#include "lib/storage/storage.h"
#include "lib/net/http.h"

static int problems;

static void __attribute__((format(printf, 2, 3))) say(bool is_fine, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs(is_fine ? "ok       " : "PROBLEM  ", stdout);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    problems += !is_fine;
}

/* A secret file or folder: only its owner may read it. */
static void check_mode(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return;
    if (st.st_mode & 077)
        say(false, "%s can be read by others (mode %04o): chmod %s %s", path, (unsigned)(st.st_mode & 07777),
            S_ISDIR(st.st_mode) ? "700" : "600", path);
    else
        say(true, "%s is closed to others", path);
}

static void check_files(struct ctl *ctl)
{
    const char *data = config_data_dir(ctl->config);
    struct statvfs fs;

    if (access(data, W_OK | X_OK) != 0) {
        say(false, "DATA_DIR %s is not there or cannot be written", data);
        return;
    }
    check_mode(data);
    check_mode(str_c(ctl->mem, str_f(ctl->mem, "%s/webui.db", data)));
    check_mode(str_c(ctl->mem, str_f(ctl->mem, "%s/.webui_secret_key", data)));
    check_mode(str_c(ctl->mem, str_f(ctl->mem, "%s/.env", data)));
    check_mode(".env");
    if (statvfs(data, &fs) == 0)
        say((double)fs.f_bavail * (double)fs.f_frsize > 100e6, "%.0f MB are free in DATA_DIR",
            (double)fs.f_bavail * (double)fs.f_frsize / 1e6);
}

static void check_key(struct ctl *ctl)
{
    struct error err = { "" };
    struct str key = S("");

    if (config_secret_key(ctl->config, false, &key, &err) != OK)
        say(false, "no WEBUI_SECRET_KEY, and none kept in DATA_DIR: `webuictl serve` makes one");
    else
        say(key.n >= 16 && !str_is(key, "t0p-s3cr3t"),
            "WEBUI_SECRET_KEY has %zu characters (it should be random, 16 or more)", key.n);
}

static void check_database(struct ctl *ctl)
{
    struct error err = { "" };
    struct schema s;

    if (!ctl_database(ctl)) {
        problems++;
        return;
    }
    if (migrate_check(ctl->db, ctl->mem, &s, &err) != OK) {
        say(false, "%s", err.text);
        return;
    }
    if (s.state == SCHEMA_CURRENT)
        say(true, "the database is that of " SCHEMA_MADE_BY " (%s)", SCHEMA_REVISION);
    else
        say(false, "%.*s", STR(migrate_refusal(ctl->mem, &s)));
    if (s.state == SCHEMA_CURRENT && config_refresh(ctl->config, ctl->db, &err) != OK)
        say(false, "the stored settings cannot be read: %s", err.text);
}

static void check_programs(struct ctl *ctl)
{
    static const char *const programs[] = { "webui.fcgi", "webui-sidecar", "webui-extract" };
    struct error err = { "" };

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        const char *path = ctl_program(ctl, programs[i]);

        if (path)
            say(true, "%s", path);
        else
            problems++;
    }
    if (storage_ready(ctl->config, &err) != OK)
        say(false, "%s", err.text);
    if (access("/usr/bin/pdftotext", X_OK) != 0 && access("/usr/local/bin/pdftotext", X_OK) != 0)
        say(true, "PDF files cannot be read: pdftotext (package poppler-utils) is missing");
    say(frontend_is_there(ctl), "the frontend is %s%s",
        frontend_is_there(ctl) ? "in " : "missing: `webuictl frontend fetch` brings it to ", frontend_dir(ctl));
}

static void check_sidecar(struct ctl *ctl)
{
    json_object *stats = NULL;

    if (control_stats(ctl->mem, config_run_dir(ctl->config), &stats) == OK)
        say(true, "the sidecar answers: %.*s", STR(json_text(ctl->mem, stats)));
    else
        say(true, "no sidecar runs on %s (nothing is wrong with that while the server is stopped)",
            config_run_dir(ctl->config));
}

static void check_providers(struct ctl *ctl, enum provider_kind kind, const char *path)
{
    struct providers all = providers_of(ctl->mem, ctl->config, kind);
    struct http_call *calls = arena_new_array(ctl->mem, struct http_call, all.n + 1);

    for (size_t i = 0; i < all.n; i++) {
        struct http_header *h = arena_new_one(ctl->mem, struct http_header);

        h->name = S("Authorization");
        h->value = str_f(ctl->mem, "Bearer %.*s", STR(all.v[i].key));
        calls[i] = (struct http_call){ .url = str_f(ctl->mem, "%.*s%s", STR(all.v[i].url), path),
                                       .headers = h,
                                       .headers_n = all.v[i].key.n > 0,
                                       .timeout_ms = 5000 };
    }
    http_run(ctl->mem, calls, all.n);
    for (size_t i = 0; i < all.n; i++) {
        if (!all.v[i].is_enabled)
            say(true, "provider %.*s is switched off", STR(all.v[i].url));
        else if (calls[i].result != OK)
            say(false, "provider %.*s does not answer: %s", STR(all.v[i].url), calls[i].err.text);
        else
            say(calls[i].status == 200, "provider %.*s answers with status %d", STR(all.v[i].url), calls[i].status);
    }
}

int ctl_doctor(struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    if (argc != 1)
        return ctl_fail("usage: webuictl doctor"), 2;
    check_programs(ctl);
    check_files(ctl);
    check_key(ctl);
    check_database(ctl);
    check_sidecar(ctl);
    check_providers(ctl, PROVIDER_OPENAI, "/models");
    check_providers(ctl, PROVIDER_OLLAMA, "/api/version");
    printf(problems ? "%d problems\n" : "no problems\n", problems);
    return problems ? 1 : 0;
}
