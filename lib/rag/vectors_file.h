/* vectors_file.h: the SQLite file behind vectors.h: opened at first use, statements kept, transactions. Only for lib/rag/vectors*.c. */
#ifndef LIB_RAG_VECTORS_FILE_H
#define LIB_RAG_VECTORS_FILE_H

#include <sqlite3.h>

#include "lib/rag/vectors.h"

/* The items of collection c have the row numbers c << 32 and up, so that they lie together in the file, in the order in which they came. */
enum { ITEMS_SHIFT = 32 };
#define ITEMS_FIRST(collection_id) ((collection_id) << ITEMS_SHIFT)
#define ITEMS_LAST(collection_id) ((((collection_id) + 1) << ITEMS_SHIFT) - 1)

/* The process's connection; NULL: err says why (UNAVAILABLE or FAILED in *st). make false: a file that is not there is NOT_FOUND. */
sqlite3 *vectors_open(struct config *c, bool make, enum status *st, struct error *err);

/* Gives the pages of the file back that a long reading has mapped; the system may keep them, but they no longer count as ours. */
void vectors_unmap(sqlite3 *db);

/* A prepared statement, kept by the address of its text; NULL: err. Reset it with vectors_done(). */
sqlite3_stmt *vectors_statement(sqlite3 *db, const char *sql, struct error *err);
void vectors_bind_str(sqlite3_stmt *s, int n, struct str text); /* the text must live until vectors_done() */
/* Runs a statement that gives no rows, and resets it. */
enum status vectors_step(sqlite3 *db, sqlite3_stmt *s, struct error *err);
void vectors_done(sqlite3_stmt *s);
enum status vectors_fault(sqlite3 *db, struct error *err); /* the status and words of the last failure */

enum status vectors_begin(sqlite3 *db, bool to_write, struct error *err);
enum status vectors_end(sqlite3 *db, enum status st, struct error *err); /* commits if st is OK, else rolls back */

/* A row of "id, text, metadata, number". */
struct vector_hit vectors_read_hit(struct arena *mem, sqlite3_stmt *s);

struct collection_row {
    int64_t id, next; /* next: number of the next item */
    size_t dim;
};
enum status vectors_find(sqlite3 *db, struct collection which, struct collection_row *out, struct error *err);

#endif
