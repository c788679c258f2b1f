/* files.h: what the files of the files area share. */
#ifndef HANDLERS_FILES_H
#define HANDLERS_FILES_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "lib/store/files.h"

/* The file of {id}, if the caller may do that ("read", "write") with it; otherwise the answer is made (404 for what is not there and for what is not his): *status. */
bool file_find(struct request *r, struct response *out, const char *type, struct file *f, int *status);

/* Whether its text is read out of a file of that content type (absent: unknown) at all; pictures and films have none. */
bool file_has_text(struct request *r, struct str content_type);

/* Reads, splits and embeds a new file, and notes in its row how that went. The row gets "failed" with the reason, so there is nothing to answer; DB_ERROR. */
enum db_status file_process(struct request *r, const struct user *u, const struct file *f);
/* The same behind the request's back. false: nobody can do that now. */
bool file_process_later(struct request *r, const struct file *f);

/* data.content, or "". */
struct str file_content(struct arena *mem, const struct file *f);

#endif
