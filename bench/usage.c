/* usage.c: sums proportional memory and CPU time over process trees, from /proc. As a program: usage PART… prints the
 * sums. */
#include "bench/usage.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PROCESSES = 8192 };

struct process {
    int pid, parent;
    uint64_t ticks;
    bool chosen;
};

static size_t read_proc(int pid, const char *name, char *out, size_t room)
{
    char path[64];
    size_t n;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    f = fopen(path, "r");
    if (!f)
        return 0;
    n = fread(out, 1, room - 1, f);
    fclose(f);
    out[n] = '\0';
    return n;
}

static bool read_process(int pid, struct process *out)
{
    uint64_t user, sys, child_user, child_sys;
    char text[2048], *end;

    /* The name stands in parentheses and may hold anything. */
    if (read_proc(pid, "stat", text, sizeof text) == 0 || !(end = strrchr(text, ')')))
        return false;
    if (sscanf(end + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
               &out->parent, &user, &sys, &child_user, &child_sys) != 5)
        return false;
    out->pid = pid;
    out->ticks = user + sys + child_user + child_sys;
    out->chosen = false;
    return true;
}

static int read_processes(struct process *all)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;
    int n = 0;

    while (proc && n < MAX_PROCESSES && (e = readdir(proc)) != NULL) {
        if (isdigit((unsigned char)e->d_name[0]) && read_process((int)strtol(e->d_name, NULL, 10), &all[n]))
            n++;
    }
    if (proc)
        closedir(proc);
    return n;
}

static bool has_mark(int pid, const char *mark)
{
    static char text[262144];
    size_t n = read_proc(pid, "environ", text, sizeof text);

    for (const char *p = text; p < text + n; p += strlen(p) + 1) {
        if (strcmp(p, mark) == 0)
            return true;
    }
    return false;
}

static bool parent_chosen(const struct process *all, int n, int parent)
{
    for (int i = 0; i < n; i++) {
        if (all[i].pid == parent)
            return all[i].chosen;
    }
    return false;
}

static void choose(struct process *all, int n, char *const *parts, int count)
{
    bool grew = true;

    for (int p = 0; p < count; p++) {
        for (int i = 0; i < n; i++) {
            if (parts[p][0] == '@' ? has_mark(all[i].pid, parts[p] + 1) : all[i].pid == (int)strtol(parts[p], NULL, 10))
                all[i].chosen = true;
        }
    }
    while (grew) {
        grew = false;
        for (int i = 0; i < n; i++) {
            if (!all[i].chosen && parent_chosen(all, n, all[i].parent))
                all[i].chosen = grew = true;
        }
    }
}

static uint64_t field_kb(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void add_memory(int pid, struct usage *u)
{
    char text[4096];

    if (read_proc(pid, "smaps_rollup", text, sizeof text) == 0) {
        /* Gone since, or a zombie: nothing to count. */
        u->unreadable += read_proc(pid, "statm", text, sizeof text) > 0 && text[0] != '0';
        return;
    }
    u->pss_kb += field_kb(text, "\nPss:");
    u->rss_kb += field_kb(text, "\nRss:");
}

struct usage usage_of(char *const *parts, int n)
{
    static struct process all[MAX_PROCESSES];
    struct usage u = { 0 };
    uint64_t ticks = 0;
    int found = read_processes(all);

    choose(all, found, parts, n);
    for (int i = 0; i < found; i++) {
        if (!all[i].chosen)
            continue;
        u.processes++;
        ticks += all[i].ticks;
        add_memory(all[i].pid, &u);
    }
    u.cpu_ms = ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    return u;
}

void usage_print(FILE *out, const struct usage *u)
{
    fprintf(out,
            "{\"pss_kb\": %" PRIu64 ", \"rss_kb\": %" PRIu64 ", \"cpu_ms\": %" PRIu64
            ", \"processes\": %d, \"unreadable\": %d}",
            u->pss_kb, u->rss_kb, u->cpu_ms, u->processes, u->unreadable);
}

#ifdef USAGE_MAIN
int main(int argc, char **argv)
{
    struct usage u = usage_of(argv + 1, argc - 1);

    usage_print(stdout, &u);
    putchar('\n');
    return u.processes == 0;
}
#endif
