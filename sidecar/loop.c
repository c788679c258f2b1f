/* loop.c: delays, and small things that every part needs. */
#include <stdlib.h>

#include "sidecar/sidecar.h"

struct sidecar sidecar;
struct stats stats;

struct delay {
    uv_timer_t timer;
    struct delay **owner;
    void (*fn)(void *arg);
    void *arg;
};

static void delay_closed(uv_handle_t *h)
{
    free(h->data);
}

static void delay_over(uv_timer_t *timer)
{
    struct delay *d = timer->data;
    void (*fn)(void *) = d->fn;
    void *arg = d->arg;

    delay_stop(d->owner);
    fn(arg);
}

void delay_start(struct delay **owner, int64_t ms, void (*fn)(void *arg), void *arg)
{
    struct delay *d;

    delay_stop(owner);
    d = calloc(1, sizeof(*d));
    if (!d)
        abort();
    d->owner = owner;
    d->fn = fn;
    d->arg = arg;
    uv_timer_init(sidecar.loop, &d->timer);
    d->timer.data = d;
    uv_timer_start(&d->timer, delay_over, ms > 0 ? (uint64_t)ms : 0, 0);
    *owner = d;
}

void delay_stop(struct delay **owner)
{
    struct delay *d = *owner;

    if (!d)
        return;
    *owner = NULL;
    uv_timer_stop(&d->timer);
    uv_close((uv_handle_t *)&d->timer, delay_closed);
}

char *copy_str(struct str s)
{
    char *c;

    if (!s.p)
        return NULL;
    c = malloc(s.n + 1);
    if (!c)
        abort();
    memcpy(c, s.p, s.n);
    c[s.n] = '\0';
    return c;
}

struct str path_in_run(struct arena *mem, const char *name)
{
    return str_f(mem, "%s/%s", sidecar.run_dir, name);
}
