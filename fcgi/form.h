/* form.h: a request's arguments, query and body against its route. */
#ifndef FCGI_FORM_H
#define FCGI_FORM_H

#include "fcgi/route.h"

/* 0: valid; r->form, r->parts are set. Else the status of the answer that was put into out: 422 as FastAPI words it, or 400. */
int form_validate(struct request *r, struct response *out);

#endif
