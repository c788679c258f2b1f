/* collections.h: which collection a name means, and whether a user may use it. The one place where that is decided.
 *
 *   file-{id}           of a file: whoever may read or write that (lib/auth/file_access.h)
 *   a knowledge base    its id: as its access_control says
 *   user-memory-{id}    that user's, nobody else's
 *   any other name      the caller's own collection of that name: what two users call alike are two collections */
#ifndef LIB_RAG_COLLECTIONS_H
#define LIB_RAG_COLLECTIONS_H

#include "lib/auth/user.h"
#include "lib/rag/vectors.h"

enum collection_use { COLLECTION_READ, COLLECTION_WRITE };

/* OK: *out. NOT_FOUND: it is not there, or not for this user: a client is told the same for both. UNAVAILABLE, FAILED: the database. */
enum status collection_for(struct db *db, struct arena *mem, const struct user *u, struct str name,
                           enum collection_use use, struct collection *out, struct error *err);

/* Of things whose access was checked already. */
struct collection collection_of_file(struct arena *mem, struct str file_id);
struct collection collection_of_knowledge(struct str knowledge_id);
struct collection collection_of_memories(struct arena *mem, struct str user_id);

#endif
