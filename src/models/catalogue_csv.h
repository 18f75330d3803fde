/* Reading of the catalogue's two files where they lie: lines, fields, and the search for a key.
 *
 * A file is lines that end in '\n' (the last one may lack it); a line is fields separated by ',',
 * without quotes; its first five fields are its key, and the lines are sorted by it, field by
 * field, bytewise. Where that does not hold, a search may miss a line, and nothing worse.
 *
 * Thread: any. Memory: everything borrows the text. */
#ifndef MODELS_CATALOGUE_CSV_H
#define MODELS_CATALOGUE_CSV_H

#include <stddef.h>

#include "base/slice.h"
#include "base/status.h"

enum catalogue_key_field {
    CATALOGUE_KEY_PROVIDER,
    CATALOGUE_KEY_MODEL,
    CATALOGUE_KEY_REGION,
    CATALOGUE_KEY_VARIANT,
    CATALOGUE_KEY_FROM, /* "2026-01-31" */
    CATALOGUE_KEY_FIELDS,
};

struct catalogue_key {
    struct slice fields[CATALOGUE_KEY_FIELDS];
};

/* Takes the first line off *text, without its '\n'. False: there is none. */
bool catalogue_csv_next(struct slice *text, struct slice *line_out);

/* Sets the fields of a line of exactly `count`. STATUS_INVALID: it has more or fewer. */
MUST_CHECK enum status catalogue_csv_split(struct slice line, struct slice *fields_out,
                                           size_t count);

/* The first `count` fields of the key against the line's: below 0 where the line comes before the
 * key. A field that the line lacks is empty. */
int catalogue_csv_compare(struct slice line, const struct catalogue_key *key, size_t count);

/* The rest of the text from the first line on that does not come before the key, by its first
 * `count` fields. O(log n). */
struct slice catalogue_csv_seek(struct slice text, const struct catalogue_key *key, size_t count);

#endif
