/* condition.h: which rows a client means: a tree of comparisons, made into SQL. Attributes are names to which a table gives SQL text, values are bound:
 * nothing of the client's stands in the SQL. */
#ifndef LIB_STORE_CONDITION_H
#define LIB_STORE_CONDITION_H

#include "lib/base/error.h"
#include "lib/db/db.h"

enum condition_op {
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_CONTAINS,
    OP_STARTS,
    OP_ENDS,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_PRESENT
};

enum value_type { VALUE_NULL, VALUE_TEXT, VALUE_NUMBER, VALUE_TRUTH };

struct condition {
    enum condition_type { ALL_OF, ONE_OF, NOT, COMPARE, WITHIN } type;
    const struct condition *left, *right; /* ALL_OF, ONE_OF: both; NOT, WITHIN: left */
    struct str attribute; /* COMPARE, WITHIN: in small letters; inside WITHIN without what is before the bracket */
    enum condition_op op; /* COMPARE, and what it compares with: */
    enum value_type value_type;
    struct str text;
    double number;
    bool truth;
};

enum column_type {
    COLUMN_TEXT,  /* SQL of a text; case is ignored */
    COLUMN_EXACT, /* the same, but equal means equal */
    COLUMN_TIME,  /* SQL of Unix seconds; compared with "2026-01-31T12:00:00Z" */
    COLUMN_TRUTH, /* SQL of a condition */
    COLUMN_FIXED, /* the same text in every row: sqlite holds it */
    COLUMN_MANY /* several values: SQL up to where their condition stands, in brackets that are open; columns of theirs are in many */
};

struct condition_column {
    const char *attribute; /* NULL ends a table */
    enum column_type type;
    const char *sqlite, *postgres; /* postgres NULL: the same text */
    const struct condition_column *many;
};

enum { CONDITION_MAX_VALUES = 64 };

struct condition_sql {
    struct buf sql;
    struct arg args[CONDITION_MAX_VALUES + 4]; /* room for what the caller adds */
    int n;
};

/* Adds the condition (NULL: any row) in brackets. Attributes that the table does not have are without a value in every row. INVALID: more values than
 * CONDITION_MAX_VALUES, or a comparison that makes no sense for its column; err is fit for the client. */
enum status condition_sql(struct arena *mem, struct db *db, const struct condition *c,
                          const struct condition_column *columns, struct condition_sql *out, struct error *err);

/* The expression to order by; NULL: the table has no such attribute, or none that has an order. attribute in small letters. */
const char *condition_order(struct db *db, const struct condition_column *columns, struct str attribute);

#endif
