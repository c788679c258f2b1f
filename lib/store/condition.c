/* condition.c: comparisons as SQL. */
#include "lib/store/condition.h"

#include <time.h>

struct making {
    struct arena *mem;
    struct db *db;
    struct condition_sql *out;
    struct error *err;
};

static const char yes[] = "1 = 1", no[] = "1 = 0";

static const struct condition_column *column_named(const struct condition_column *columns, struct str prefix,
                                                   struct str attribute)
{
    for (; columns && columns->attribute; columns++) {
        struct str name = str_of(columns->attribute);

        if (prefix.n == 0
                ? str_eq(name, attribute)
                : name.n == prefix.n + 1 + attribute.n && name.p[prefix.n] == '.' &&
                      str_eq(str_sub(name, 0, prefix.n), prefix) && str_eq(str_from(name, prefix.n + 1), attribute))
            return columns;
    }
    return NULL;
}

static const char *expression(struct db *db, const struct condition_column *column)
{
    return column->postgres ? DB_SQL(db, column->sqlite, column->postgres) : column->sqlite;
}

static enum status no_sense(struct making *m, const struct condition *c)
{
    return error_set(m->err, INVALID, "attribute %.*s cannot be compared like that", STR(c->attribute));
}

/* The number of the placeholder for the value; 0: there are too many. */
static int bind(struct making *m, struct arg value)
{
    if (m->out->n >= CONDITION_MAX_VALUES) {
        error_set(m->err, INVALID, "more than %d comparisons", CONDITION_MAX_VALUES);
        return 0;
    }
    m->out->args[m->out->n++] = value;
    return m->out->n;
}

/* ---- texts */

static struct str pattern(struct arena *mem, const char *before, struct str text, const char *after)
{
    struct buf b = BUF(mem, 2 * text.n + 16);

    buf_add_c(&b, before);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '%' || text.p[i] == '_' || text.p[i] == '\\')
            buf_add_char(&b, '\\');
        buf_add_char(&b, text.p[i]);
    }
    buf_add_c(&b, after);
    return buf_str(&b);
}

static enum status add_like(struct making *m, const char *sql, const char *before, struct str text, const char *after)
{
    int k = bind(m, arg_str(pattern(m->mem, before, text, after)));

    buf_addf(&m->out->sql, "lower(%s) LIKE lower($%d) ESCAPE '\\'", sql, k);
    return k ? OK : INVALID;
}

static enum status add_order(struct making *m, const char *sql, const char *sign, struct str text, bool exact)
{
    int k = bind(m, arg_str(text));

    buf_addf(&m->out->sql, exact ? "%s %s $%d" : "lower(%s) %s lower($%d)", sql, sign, k);
    return k ? OK : INVALID;
}

static enum status add_text(struct making *m, const struct condition *c, const struct condition_column *column)
{
    const char *sql = expression(m->db, column);
    bool exact = column->type == COLUMN_EXACT;

    if (c->op == OP_PRESENT || c->value_type == VALUE_NULL) {
        if (c->op != OP_PRESENT && c->op != OP_EQUAL && c->op != OP_NOT_EQUAL)
            return no_sense(m, c);
        buf_addf(&m->out->sql, "%s %s ''", sql, c->op == OP_EQUAL ? "=" : "<>");
        return OK;
    }
    if (c->value_type != VALUE_TEXT)
        return no_sense(m, c);
    switch (c->op) {
    case OP_EQUAL: return add_order(m, sql, "=", c->text, exact);
    case OP_NOT_EQUAL: return add_order(m, sql, "<>", c->text, exact);
    case OP_CONTAINS: return add_like(m, sql, "%", c->text, "%");
    case OP_STARTS: return add_like(m, sql, "", c->text, "%");
    case OP_ENDS: return add_like(m, sql, "%", c->text, "");
    case OP_GREATER: return add_order(m, sql, ">", c->text, false);
    case OP_GREATER_EQUAL: return add_order(m, sql, ">=", c->text, false);
    case OP_LESS: return add_order(m, sql, "<", c->text, false);
    default: return add_order(m, sql, "<=", c->text, false);
    }
}

/* ---- times, truths, fixed texts */

static bool digits(struct str *s, size_t n, int *out)
{
    int v = 0;

    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = 10 * v + (s->p[i] - '0');
    }
    *s = str_from(*s, n);
    *out = v;
    return true;
}

static bool skip(struct str *s, const char *any_of)
{
    if (s->n == 0 || !strchr(any_of, s->p[0]) || !s->p[0])
        return false;
    *s = str_from(*s, 1);
    return true;
}

/* xsd:dateTime: a fraction is dropped, a missing zone is UTC. */
static bool time_read(struct str s, int64_t *out)
{
    struct tm tm = { 0 };
    int hours = 0, minutes = 0, sign = 0;

    if (!digits(&s, 4, &tm.tm_year) || !skip(&s, "-") || !digits(&s, 2, &tm.tm_mon) || !skip(&s, "-") ||
        !digits(&s, 2, &tm.tm_mday) || !skip(&s, "Tt ") || !digits(&s, 2, &tm.tm_hour) || !skip(&s, ":") ||
        !digits(&s, 2, &tm.tm_min) || !skip(&s, ":") || !digits(&s, 2, &tm.tm_sec))
        return false;
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 24 || tm.tm_min > 59 ||
        tm.tm_sec > 60)
        return false;
    if (skip(&s, "."))
        while (skip(&s, "0123456789"))
            ;
    if (s.n && (s.p[0] == '+' || s.p[0] == '-')) {
        sign = s.p[0] == '-' ? -1 : 1;
        s = str_from(s, 1);
        if (!digits(&s, 2, &hours) || !skip(&s, ":") || !digits(&s, 2, &minutes))
            return false;
    } else {
        skip(&s, "Zz");
    }
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *out = (int64_t)timegm(&tm) - sign * (hours * 3600 + minutes * 60);
    return s.n == 0;
}

static enum status add_time(struct making *m, const struct condition *c, const struct condition_column *column)
{
    static const char *const signs[] = {
        [OP_EQUAL] = "=",          [OP_NOT_EQUAL] = "<>",  [OP_GREATER] = ">", [OP_LESS] = "<",
        [OP_GREATER_EQUAL] = ">=", [OP_LESS_EQUAL] = "<=", [OP_PRESENT] = NULL
    };
    int64_t at;
    int k;

    if (c->op == OP_PRESENT) {
        buf_add_c(&m->out->sql, yes);
        return OK;
    }
    if (!signs[c->op] || c->value_type != VALUE_TEXT)
        return no_sense(m, c);
    if (!time_read(c->text, &at))
        return error_set(m->err, INVALID, "\"%.*s\" is no time", STR(str_sub(c->text, 0, 60)));
    k = bind(m, arg_i64(at));
    buf_addf(&m->out->sql, "%s %s $%d", expression(m->db, column), signs[c->op], k);
    return k ? OK : INVALID;
}

/* Some clients send truths as texts. */
static bool truth_read(const struct condition *c, bool *out)
{
    *out = c->value_type == VALUE_TRUTH ? c->truth : str_ieq(c->text, "true");
    return c->value_type == VALUE_TRUTH || (c->value_type == VALUE_TEXT && (*out || str_ieq(c->text, "false")));
}

static enum status add_truth(struct making *m, const struct condition *c, const struct condition_column *column)
{
    bool truth;

    if (c->op == OP_PRESENT) {
        buf_add_c(&m->out->sql, yes);
        return OK;
    }
    if ((c->op != OP_EQUAL && c->op != OP_NOT_EQUAL) || !truth_read(c, &truth))
        return no_sense(m, c);
    buf_addf(&m->out->sql, "%s(%s)", truth == (c->op == OP_EQUAL) ? "" : "NOT ", expression(m->db, column));
    return OK;
}

static bool fixed_is(const struct condition *c, struct str value)
{
    switch (c->op) {
    case OP_EQUAL: return str_ieq(c->text, value.p);
    case OP_NOT_EQUAL: return !str_ieq(c->text, value.p);
    case OP_CONTAINS: return str_has(value, c->text.p ? c->text.p : "");
    case OP_STARTS: return str_starts(value, c->text.p ? c->text.p : "");
    case OP_ENDS: return str_ends(value, c->text.p ? c->text.p : "");
    case OP_GREATER: return str_cmp(value, c->text) > 0;
    case OP_GREATER_EQUAL: return str_cmp(value, c->text) >= 0;
    case OP_LESS: return str_cmp(value, c->text) < 0;
    case OP_LESS_EQUAL: return str_cmp(value, c->text) <= 0;
    case OP_PRESENT: break;
    }
    return true;
}

static enum status add_fixed(struct making *m, const struct condition *c, const struct condition_column *column)
{
    buf_add_c(&m->out->sql, fixed_is(c, str_of(column->sqlite)) ? yes : no);
    return OK;
}

/* ---- the tree */

static enum status add(struct making *m, const struct condition *c, const struct condition_column *columns,
                       struct str prefix);

/* EXISTS (… AND ( condition )): c NULL: any value at all. */
static enum status add_many(struct making *m, const struct condition_column *column, const struct condition *c)
{
    enum status st = OK;

    buf_add_c(&m->out->sql, expression(m->db, column));
    if (c)
        st = add(m, c, column->many, STR_NONE);
    else
        buf_add_c(&m->out->sql, yes);
    buf_add_c(&m->out->sql, "))");
    return st;
}

/* Nothing has the attribute: only "is not", and "equals null", are true of it. */
static enum status add_missing(struct making *m, const struct condition *c)
{
    bool is_null = c->op != OP_PRESENT && c->value_type == VALUE_NULL;

    buf_add_c(&m->out->sql, (c->op == OP_EQUAL && is_null) || (c->op == OP_NOT_EQUAL && !is_null) ? yes : no);
    return OK;
}

static enum status add_compare(struct making *m, const struct condition *c, const struct condition_column *columns,
                               struct str prefix)
{
    const struct condition_column *column = column_named(columns, prefix, c->attribute);
    size_t dot = str_find_c(c->attribute, '.');
    struct condition inner = *c;

    if (!column && prefix.n == 0 && dot != STR_NPOS) {
        column = column_named(columns, STR_NONE, str_sub(c->attribute, 0, dot));
        if (!column || column->type != COLUMN_MANY)
            return add_missing(m, c);
        inner.attribute = str_from(c->attribute, dot + 1);
        return add_many(m, column, &inner);
    }
    if (!column)
        return add_missing(m, c);
    switch (column->type) {
    case COLUMN_TEXT:
    case COLUMN_EXACT: return add_text(m, c, column);
    case COLUMN_TIME: return add_time(m, c, column);
    case COLUMN_TRUTH: return add_truth(m, c, column);
    case COLUMN_FIXED: return add_fixed(m, c, column);
    case COLUMN_MANY: break;
    }
    inner.attribute = S("value");
    return add_many(m, column, c->op == OP_PRESENT ? NULL : &inner);
}

static enum status add_within(struct making *m, const struct condition *c, const struct condition_column *columns)
{
    const struct condition_column *column = column_named(columns, STR_NONE, c->attribute);

    if (column && column->type == COLUMN_MANY)
        return add_many(m, column, c->left);
    if (column) /* it has one value, whose parts are columns "emails.type" … */
        return add(m, c->left, columns, c->attribute);
    buf_add_c(&m->out->sql, no);
    return OK;
}

static enum status add_two(struct making *m, const struct condition *c, const char *word,
                           const struct condition_column *columns, struct str prefix)
{
    enum status st = add(m, c->left, columns, prefix);

    if (st != OK)
        return st;
    buf_add_c(&m->out->sql, word);
    return add(m, c->right, columns, prefix);
}

static enum status add(struct making *m, const struct condition *c, const struct condition_column *columns,
                       struct str prefix)
{
    enum status st = OK;

    buf_add_char(&m->out->sql, '(');
    switch (c->type) {
    case ALL_OF: st = add_two(m, c, " AND ", columns, prefix); break;
    case ONE_OF: st = add_two(m, c, " OR ", columns, prefix); break;
    case NOT:
        buf_add_c(&m->out->sql, "NOT ");
        st = add(m, c->left, columns, prefix);
        break;
    case COMPARE: st = add_compare(m, c, columns, prefix); break;
    case WITHIN: st = add_within(m, c, columns); break;
    }
    buf_add_char(&m->out->sql, ')');
    return st;
}

enum status condition_sql(struct arena *mem, struct db *db, const struct condition *c,
                          const struct condition_column *columns, struct condition_sql *out, struct error *err)
{
    struct making m = { mem, db, out, err };

    if (!c) {
        buf_add_c(&out->sql, yes);
        return OK;
    }
    return add(&m, c, columns, STR_NONE);
}

const char *condition_order(struct db *db, const struct condition_column *columns, struct str attribute)
{
    const struct condition_column *column = column_named(columns, STR_NONE, attribute);

    if (!column || column->type == COLUMN_FIXED || column->type == COLUMN_MANY)
        return NULL;
    return expression(db, column);
}
