/* form_data.h: writes multipart/form-data bodies (RFC 7578). */
#ifndef LIB_NET_FORM_DATA_H
#define LIB_NET_FORM_DATA_H

#include "lib/base/str.h"

struct form_data {
    struct buf body; /* buf_failed(): larger than allowed */
    struct str boundary;
};

struct form_data form_data_start(struct arena *mem, size_t max_bytes);
void form_data_field(struct form_data *f, const char *name, struct str value);
/* Quotes and line breaks of the file name are percent-encoded, as browsers do it. */
void form_data_file(struct form_data *f, const char *name, struct str filename, struct str content_type,
                    struct str bytes);
struct str form_data_end(struct form_data *f);                     /* the body */
struct str form_data_type(struct arena *mem, struct form_data *f); /* the value of Content-Type */

#endif
