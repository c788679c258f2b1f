/* users.c: webuictl user: accounts from the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/store/revoked.h"
#include "lib/store/users.h"

/* The password: from standard input, a line; typed unseen at a terminal. */
static bool read_password(struct ctl *ctl, struct str *out)
{
    struct termios was, silent;
    bool is_terminal = tcgetattr(STDIN_FILENO, &was) == 0;
    char line[512];
    bool ok;

    if (is_terminal) {
        fputs("Password: ", stderr);
        silent = was;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &silent);
    }
    ok = fgets(line, sizeof(line), stdin) != NULL;
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &was);
        fputc('\n', stderr);
    }
    *out = ok ? str_copy(ctl->mem, str_trim_c(str_of(line), "\r\n")) : STR_NONE;
    memset(line, 0, sizeof(line));
    if (out->n == 0)
        return ctl_fail("the password comes on standard input, and must not be empty"), false;
    return true;
}

static bool hashed_password(struct ctl *ctl, struct str *hash)
{
    struct error err = { "" };
    struct str password;

    if (!read_password(ctl, &password))
        return false;
    if (password_hash(ctl->mem, password, hash, &err) != OK)
        return ctl_fail("%s", err.text), false;
    return true;
}

static bool role_is_known(const char *role)
{
    return !strcmp(role, "admin") || !strcmp(role, "user") || !strcmp(role, "pending");
}

static int add(struct ctl *ctl, int argc, char **argv)
{
    const char *role = argc > 4 ? argv[4] : "user", *name = argc > 3 ? argv[3] : argv[2];
    struct new_user n = { .email = str_lower(ctl->mem, str_of(argv[2])), .name = str_of(name), .role = str_of(role) };
    enum user_made made;
    struct user u;
    bool is_first;

    if (!role_is_known(role))
        return ctl_fail("a role is admin, user or pending, not \"%s\"", role);
    if (str_find_c(n.email, '@') == STR_NPOS)
        return ctl_fail("\"%s\" is no e-mail address", argv[2]);
    if (!hashed_password(ctl, &n.password_hash))
        return 1;
    if (user_create(ctl->db, ctl->mem, &n, &u, &made, &is_first) == DB_ERROR)
        return ctl_fail("could not add the account: %s", db_error(ctl->db));
    if (made == USER_EMAIL_TAKEN)
        return ctl_fail("%s has an account already", argv[2]);
    printf("%.*s %.*s %.*s\n", STR(u.id), STR(u.email), STR(u.role));
    return 0;
}

static int list(struct ctl *ctl, int argc, char **argv)
{
    struct user_query q = { .order_by = S("created_at"), .direction = S("asc"), .limit = -1 };
    struct user *v = NULL;
    size_t n = 0;

    (void)argc;
    (void)argv;
    if (user_list(ctl->db, ctl->mem, &q, &v, &n) == DB_ERROR)
        return ctl_fail("could not read the accounts: %s", db_error(ctl->db));
    for (size_t i = 0; i < n; i++)
        printf("%.*s\t%.*s\t%.*s\t%.*s\n", STR(v[i].id), STR(v[i].role), STR(v[i].email), STR(v[i].name));
    return 0;
}

static bool find(struct ctl *ctl, const char *email, struct user *u)
{
    enum db_status st = user_by_email(ctl->db, ctl->mem, str_lower(ctl->mem, str_of(email)), u);

    if (st == DB_ERROR)
        ctl_fail("could not read the account: %s", db_error(ctl->db));
    else if (st == DB_DONE)
        ctl_fail("nobody has the address %s; `webuictl user list` shows who there is", email);
    return st == DB_ROW;
}

static int role(struct ctl *ctl, int argc, char **argv)
{
    struct user u, first;

    (void)argc;
    if (!role_is_known(argv[3]))
        return ctl_fail("a role is admin, user or pending, not \"%s\"", argv[3]);
    if (!find(ctl, argv[2], &u))
        return 1;
    if (user_first(ctl->db, ctl->mem, &first) == DB_ROW && str_eq(first.id, u.id) && strcmp(argv[3], "admin"))
        return ctl_fail("%s is the first account, and stays admin", argv[2]);
    if (user_set_role(ctl->db, u.id, str_of(argv[3])) != DB_ROW)
        return ctl_fail("could not change the role: %s", db_error(ctl->db));
    return 0;
}

static int password(struct ctl *ctl, int argc, char **argv)
{
    struct str hash;
    struct error err = { "" };
    struct user u;

    (void)argc;
    if (!find(ctl, argv[2], &u) || !hashed_password(ctl, &hash))
        return 1;
    if (user_set_password(ctl->db, u.id, hash) != DB_ROW)
        return ctl_fail("could not change the password: %s", db_error(ctl->db));
    if (revoked_add_user(ctl->mem, config_data_dir(ctl->config), u.id, now_ms(), STR_NONE, &err) != OK)
        return ctl_fail("the password is changed, but his tokens stay valid: %s", err.text);
    return 0;
}

int ctl_user(struct ctl *ctl, int argc, char **argv)
{
    static const struct {
        const char *name, *usage;
        int least, most;
        int (*run)(struct ctl *ctl, int argc, char **argv);
    } verbs[] = {
        { "add", "EMAIL [NAME [admin|user|pending]]   (password on standard input)", 3, 5, add },
        { "list", "", 2, 2, list },
        { "role", "EMAIL admin|user|pending", 4, 4, role },
        { "password", "EMAIL   (password on standard input)", 3, 3, password },
    };

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (argc < 2 || strcmp(argv[1], verbs[i].name))
            continue;
        if (argc < verbs[i].least || argc > verbs[i].most)
            break;
        return ctl_database_ready(ctl) ? verbs[i].run(ctl, argc, argv) : 1;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        fprintf(stderr, "webuictl user %s %s\n", verbs[i].name, verbs[i].usage);
    return 2;
}
