/* complaint.h: where a text stops being JSON, in the words of Python's json module, which clients of the reference see. */
#ifndef FCGI_COMPLAINT_H
#define FCGI_COMPLAINT_H

#include "lib/base/str.h"

struct complaint {
    const char *text; /* "Expecting value" */
    size_t position;  /* in code points */
};

/* text: valid UTF-8. True: it is not JSON, *out says why. False: Python would take it (NaN and Infinity are complained about here). */
bool json_complaint(struct str text, struct complaint *out);

#endif
