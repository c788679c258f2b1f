/* migrate.c: webuictl migrate: what a database is, and the tables of an empty one. */
#include <stdio.h>

#include "ctl/ctl.h"
#include "lib/db/migrate.h"

int ctl_migrate(struct ctl *ctl, int argc, char **argv)
{
    static const char *const states[] = { "empty", "current", "older", "newer", "unknown" };
    bool only_check = argc == 2 && !strcmp(argv[1], "--check");
    struct error err = { "" };
    struct schema s;

    if (argc > 2 || (argc == 2 && !only_check))
        return ctl_fail("usage: webuictl migrate [--check]"), 2;
    if (!ctl_database(ctl))
        return 1;
    if (only_check) {
        struct str refusal;

        if (migrate_check(ctl->db, ctl->mem, &s, &err) != OK)
            return ctl_fail("%s", err.text);
        printf("%s", states[s.state]);
        if (s.revision.n)
            printf(" %.*s", STR(s.revision));
        if (s.made_by.n)
            printf(" (%.*s)", STR(s.made_by));
        putchar('\n');
        refusal = s.state == SCHEMA_EMPTY ? S("") : migrate_refusal(ctl->mem, &s);
        return refusal.n ? ctl_fail("%.*s", STR(refusal)) : 0;
    }
    if (migrate_up(ctl->db, ctl->mem, &s, &err) != OK)
        return ctl_fail("%s", err.text);
    printf("%s %s, as of " SCHEMA_MADE_BY "\n", s.created ? "made:" : "in order:", SCHEMA_REVISION);
    if (s.note.n)
        printf("%.*s\n", STR(s.note));
    return 0;
}
