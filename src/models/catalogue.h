/* What is publicly known of models: prices with the day from which they hold, windows, abilities.
 *
 * The text of catalogue/models.csv and catalogue/models_tiers.csv is part of the program and is
 * searched where it lies: nothing is read at start, nothing is kept in memory. A row is found in
 * O(log n) and read when it is found.
 *
 * Thread: any. Memory: rows borrow the text. */
#ifndef MODELS_CATALOGUE_H
#define MODELS_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "models/catalogue_csv.h"
#include "models/price.h"

/* Two files without their first lines. */
struct catalogue {
    struct slice models;
    struct slice tiers;
};

/* A row of models.csv. */
struct catalogue_row {
    struct slice line;
    struct catalogue_key key;
    uint64_t from_us;  /* as its key says */
    uint64_t until_us; /* the day of the next row of the same name, or UINT64_MAX */
};

enum catalogue_mode {
    CATALOGUE_CHAT,
    CATALOGUE_COMPLETION,
    CATALOGUE_RESPONSES,
    CATALOGUE_EMBEDDING,
    CATALOGUE_RERANK,
    CATALOGUE_IMAGE_GENERATION,
    CATALOGUE_AUDIO_TRANSCRIPTION,
    CATALOGUE_AUDIO_SPEECH,
    CATALOGUE_MODERATION,
    CATALOGUE_MODES,
};

enum catalogue_ability {
    CATALOGUE_TOOLS,
    CATALOGUE_VISION,
    CATALOGUE_JSON_SCHEMA,
    CATALOGUE_REASONING,
    CATALOGUE_PROMPT_CACHING,
    CATALOGUE_AUDIO_IN,
    CATALOGUE_PDF,
    CATALOGUE_ABILITIES,
};

/* What a row says besides prices; 0 where it says nothing. */
struct catalogue_facts {
    enum catalogue_mode mode;
    uint64_t context_window_tokens; /* input and output together where the provider counts so */
    uint64_t max_input_tokens;
    uint64_t max_output_tokens;
    uint64_t embedding_dimensions;
    uint64_t prompt_cache_min_tokens;
    uint64_t deprecated_us;   /* the provider switches the model off on this day, since 1970 */
    uint32_t abilities;       /* bit 1 << enum catalogue_ability: the model has it */
    uint32_t abilities_known; /* whether it has it is known; where not, never refuse on it */
};

/* What to look for: a provider of the catalogue and the name that its API takes. */
struct catalogue_query {
    struct slice provider;
    struct slice model;
    struct slice region;  /* of Bedrock, or Azure's zone; else empty */
    struct slice variant; /* of pictures, quality and size such as "high/1024x1024"; else empty */
    uint64_t time_us;
};

/* The one in the program. */
void catalogue_embedded(struct catalogue *catalogue_out);

/* Takes the texts of two such files, whose columns must be the program's own; the rows are looked
 * at when they are found, or by catalogue_check(). STATUS_INVALID: other columns. */
MUST_CHECK enum status catalogue_open(struct slice models, struct slice tiers,
                                      struct catalogue *catalogue_out, struct reason *reason);

/* The row with the four names that holds at the time: the last one that begins by then, or the
 * first one, since prices were the same for an unknown time before they were first seen. The
 * fields are taken as they are. STATUS_NOT_FOUND: none; STATUS_INVALID: its day is none. */
MUST_CHECK enum status catalogue_find_exact(const struct catalogue *catalogue,
                                            const struct catalogue_query *query,
                                            struct catalogue_row *row_out);

/* The row for a model as it is called: the region and the variant, or else that without them. The
 * name itself goes first (but Gemini's without "models/", Vertex AI's without "google/"); then a
 * fine-tune as its base ("ft:gpt-4o:ours::id" as "ft:gpt-4o"); then without what makes it a
 * snapshot ("-2024-08-06", "-20251001", "@20251001"). What Azure does not have under the one name
 * is looked for under the other ("azure", "azure_ai"). Statuses of catalogue_find_exact(). */
MUST_CHECK enum status catalogue_find(const struct catalogue *catalogue,
                                      const struct catalogue_query *query,
                                      struct catalogue_row *row_out);

/* Reads the price of a row, with its tiers and an id "catalogue/PROVIDER[:REGION]/MODEL[#VARIANT]@
 * DAY". STATUS_INVALID: the row or a tier cannot be read, and so has no price. */
MUST_CHECK enum status catalogue_read_price(const struct catalogue *catalogue,
                                            const struct catalogue_row *row,
                                            struct price *price_out);

/* Reads the rest. STATUS_INVALID: it cannot be read. */
MUST_CHECK enum status catalogue_read_facts(const struct catalogue_row *row,
                                            struct catalogue_facts *facts_out);

/* Reads every line and its order. STATUS_INVALID: something is wrong; the reason says where. */
MUST_CHECK enum status catalogue_check(const struct catalogue *catalogue, struct reason *reason);

/* "chat", "audio_speech"; "tools", "json_schema". Static storage. */
const char *catalogue_mode_name(enum catalogue_mode mode);
const char *catalogue_ability_name(enum catalogue_ability ability);

#endif
