/* spool.h: answers in the making on disk, so that the words that have come outlive the sidecar. One append-only file each in RUN/spool:
 * a line with what the finish step needs, then lines to be fed to a transcript. */
#ifndef SIDECAR_SPOOL_H
#define SIDECAR_SPOOL_H

#include "lib/json/json.h"

struct run;
struct spool;

/* before: the file of an earlier plan of the same run, which this one replaces; NULL. NULL: it could not be made, which is logged. */
struct spool *spool_open(struct run *r, json_object *options, struct spool *before);
void spool_add(struct spool *s, struct str lines);
void spool_drop(struct spool *s);  /* done: the file goes */
void spool_leave(struct spool *s); /* the file stays, for the next start */
void spool_recover(void);          /* at the start: all that was left */

#endif
