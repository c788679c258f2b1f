/* bus.h: one channel of Redis, on which the sidecars of several machines talk. It connects by itself, and again after it was cut off. */
#ifndef SIDECAR_BUS_H
#define SIDECAR_BUS_H

#include "lib/json/json.h"

struct bus_ops {
    void (*up)(void);                 /* messages come and go from now on */
    void (*down)(void);               /* they do not, until up() again */
    void (*message)(struct str text); /* also our own */
};

/* settings: {"url", "sentinels": ["host:port", …], "channel"}; copied. false: they cannot be used, which is logged. */
bool bus_start(json_object *settings, const struct bus_ops *ops);
bool bus_is_up(void);
/* head and body are one message. Nothing while it is down. */
void bus_publish(struct str head, struct str body);
void bus_broken(const char *why); /* it does not work, whatever Redis says: connects anew */
void bus_stop(void);

#endif
