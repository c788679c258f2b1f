/* ctl.h: what the commands of webuictl share. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <sys/types.h>

#include "lib/config/config.h"

struct ctl {
    struct arena *mem; /* of the whole run */
    struct config *config;
    struct db *db; /* opened by ctl_database() */
};

/* One line on stderr that says what is wrong and how to mend it; gives the exit status 1. */
int ctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Opens and reaches the database. false: said so already. */
bool ctl_database(struct ctl *ctl);
/* The same, brought to the schema of this program (an empty one is filled). */
bool ctl_database_ready(struct ctl *ctl);

/* A program of ours: beside this one, or in WEBUI_PROGRAM_DIR. NULL: not there, said so. */
const char *ctl_program(struct ctl *ctl, const char *name);
/* A folder of templates ("lighttpd-conf"): beside the sources, or in PREFIX/share/webui-fcgi. NULL: not there, said so. */
const char *ctl_share(struct ctl *ctl, const char *name);

/* The commands: argv[0] is the command's name. Exit status. */
int ctl_serve(struct ctl *ctl, int argc, char **argv);
int ctl_migrate(struct ctl *ctl, int argc, char **argv);
int ctl_user(struct ctl *ctl, int argc, char **argv);
int ctl_frontend(struct ctl *ctl, int argc, char **argv);
int ctl_doctor(struct ctl *ctl, int argc, char **argv);
int ctl_import(struct ctl *ctl, int argc, char **argv);
int ctl_vectors(struct ctl *ctl, int argc, char **argv);
int ctl_web_config(struct ctl *ctl, int argc, char **argv);

/* ---- import_source.c: a file that is read piece by piece, or the conversations inside a zip archive */
struct import_source;
/* NULL: said so. Of an archive all entries named conversations….json count; there is none: all that end in .json. */
struct import_source *source_open(struct ctl *ctl, const char *path);
int64_t source_bytes(const struct import_source *s); /* to be read in all */
/* The next file begins: true; there is none left: false. */
bool source_next_file(struct import_source *s, const char **name);
/* Bytes of the file: their number, 0 at its end, -1: said so. */
ssize_t source_read(struct import_source *s, char *out, size_t room);
void source_close(struct import_source *s);

/* ---- frontend.c */
/* Where the frontend lies or will lie: WEBUI_FRONTEND_DIR, or the cache. */
const char *frontend_dir(struct ctl *ctl);
bool frontend_is_there(struct ctl *ctl);
bool frontend_fetch(struct ctl *ctl); /* false: said so */

/* ---- owner.c: whom the programs run as when they are started by root */
struct owner {
    uid_t uid;
    gid_t gid;
    const char *user, *group;   /* NULL: this process stays who it is */
    bool passes_closed_folders; /* keeps root's right to pass them: DATA_DIR lies below one */
};
/* WEBUI_USER, else who owns DATA_DIR, else www-data; for anybody but root: nobody else. false: said so. */
bool owner_find(struct ctl *ctl, struct owner *o);
bool owner_give(const struct owner *o,
                const char *path);        /* the folder and what is in it, to the owner. false: said so */
bool owner_become(const struct owner *o); /* in a child, before exec */
bool owner_can_reach(const struct owner *o, const char *path, int access_mode);

/* ---- web_server.c */
enum web_server { LIGHTTPD, APACHE, APACHE_FCGID };
struct web {
    enum web_server kind;
    const char *host;
    int port;
    const char *config_path; /* RUN/web.conf */
    char *argv[8];           /* to start it in the foreground */
};
bool web_kind(const char *name, enum web_server *out);
/* The configuration of a web server, filled in. responder: the program that mod_fcgid starts; NULL: webui.fcgi itself. */
bool web_fill(struct ctl *ctl, enum web_server kind, const char *host, int port, const struct owner *o,
              const char *responder, struct str *out);
/* Fills the template in, writes it, finds the program and its modules. false: said so. */
bool web_prepare(struct ctl *ctl, const struct owner *o, struct web *out);

/* ---- process.c: children that end with us */
struct child {
    const char *name; /* for messages */
    char *const *argv;
    const struct owner *owner; /* NULL: stays root */
    bool holds_port;           /* what is left of its group when it dies is killed: else it could not start again */
    pid_t pid;                 /* 0: not running */
    int64_t started_ms, next_start_ms;
    int failures; /* ended soon after its start, in a row */
};
bool child_start(struct child *c);
void child_ended(struct child *c, int wait_status);           /* says so, and when it starts again */
void children_stop(struct child *v, size_t n, int within_ms); /* SIGTERM, then SIGKILL; nothing of theirs is left */
/* A process that ends the children should we be killed: a web server that gave up root by itself would not hear of it. v: in shared memory. */
bool guard_start(struct child *v, size_t n);
void guard_stop(void);

#endif
