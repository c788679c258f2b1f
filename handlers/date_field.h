/* date_field.h: a date in a form, as pydantic reads one. */
#ifndef HANDLERS_DATE_FIELD_H
#define HANDLERS_DATE_FIELD_H

#include "fcgi/route.h"

/* 0: *out is "YYYY-MM-DD", or absent for a member that is missing or null. Else 422 has been answered. */
int date_field(struct request *r, struct response *out, const char *name, struct str *date);

#endif
