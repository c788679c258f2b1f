/* usage.h: memory and CPU time of a server, which is a set of process trees. */
#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

#include <stdint.h>
#include <stdio.h>

struct usage {
    uint64_t pss_kb, rss_kb;
    uint64_t cpu_ms; /* user and system, with what ended children used if somebody in the set waited for them */
    int processes;
    int unreadable; /* processes whose memory we may not see: then the sums are too small */
};

/* A part is a process id (its descendants belong to it), or "@NAME=VALUE": every process that was started with this in
 * its environment, which finds those that have detached themselves. */
struct usage usage_of(char *const *parts, int n);

/* {"pss_kb": …, "rss_kb": …, "cpu_ms": …, "processes": …, "unreadable": …} */
void usage_print(FILE *out, const struct usage *u);

#endif
