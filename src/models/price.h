/* What a model costs, whole: every component, service class, prompt length and hour.
 *
 * Each rate is an integer of nano-dollars per million: of tokens, pictures, seconds, characters,
 * queries, calls or requests alike. So 0.0625 USD per million tokens is 62,500,000, and 0.013 USD
 * for one picture is 13,000,000,000,000. PRICE_UNKNOWN is not 0: nobody said what it costs.
 *
 * Thread: any; a price is a value without pointers, to be copied. */
#ifndef MODELS_PRICE_H
#define MODELS_PRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"
#include "models/price_offpeak.h"

#define PRICE_UNKNOWN   UINT64_MAX
#define PRICE_TIERS_MAX 16
/* Of the longest id with its final zero: "config/" a provider's name (64) "/" a model's (256) "@"
 * and a time, or a catalogue's with its region and variant. */
#define PRICE_ID_BYTES 400

/* What is counted: first tokens, then pieces. */
enum price_part {
    PRICE_INPUT, /* tokens of the prompt that are none of those below */
    PRICE_OUTPUT,
    PRICE_CACHE_READ,
    PRICE_CACHE_WRITE, /* for the shortest lifetime that the provider has: 5 minutes */
    PRICE_CACHE_WRITE_1H,
    PRICE_CACHE_WRITE_12H,
    PRICE_REASONING, /* not stated: as output */
    PRICE_AUDIO_INPUT,
    PRICE_AUDIO_OUTPUT,
    PRICE_AUDIO_CACHE_READ,
    PRICE_IMAGE_INPUT, /* not stated: as input */
    PRICE_IMAGE_OUTPUT,
    PRICE_IMAGE_CACHE_READ, /* not stated: as cache reads */
    PRICE_REQUEST,          /* not stated: nothing */
    PRICE_IMAGE,            /* one that the model made */
    PRICE_IMAGE_READ,       /* one that it was given */
    PRICE_SECOND,
    PRICE_CHARACTER,
    PRICE_QUERY,
    PRICE_WEB_SEARCH,     /* with a medium context */
    PRICE_WEB_SEARCH_LOW, /* not stated, both: as medium */
    PRICE_WEB_SEARCH_HIGH,
    PRICE_PARTS,
};

/* So many of them, the first ones, have prices of their own in each service class and tier. */
#define PRICE_TIER_PARTS (PRICE_REASONING + 1)
/* So many, the first ones, are tokens. */
#define PRICE_TOKEN_PARTS (PRICE_IMAGE_CACHE_READ + 1)

enum price_class {
    PRICE_STANDARD,
    PRICE_BATCH,
    PRICE_FLEX,
    PRICE_PRIORITY,
    PRICE_BALANCED,
    PRICE_ULTRAFAST,
    PRICE_CLASSES,
};

/* Factors on all prices of a request. */
enum price_factor {
    PRICE_FACTOR_US,   /* processing is pinned to the United States; not stated: 1 */
    PRICE_FACTOR_EU,   /* to the European Union; not stated: 1 */
    PRICE_FACTOR_FAST, /* the fast mode; not stated: unknown */
    PRICE_FACTORS,
};

/* A factor is an exact rational: so many ten-thousandths. */
#define PRICE_FACTOR_ONE 10000U

/* Rates that hold for the whole request when its prompt has more tokens than this. Nothing is
 * inherited: what a tier does not state is unknown. */
struct price_tier {
    enum price_class service_class;
    uint64_t above_tokens; /* above 0 for PRICE_STANDARD, whose other rates are the price's own */
    uint64_t rates[PRICE_TIER_PARTS];
};

struct price {
    uint64_t rates[PRICE_PARTS]; /* of the standard class, below the first tier */
    struct price_tier tiers[PRICE_TIERS_MAX];
    size_t tier_count;
    struct price_offpeak offpeak; /* when these hold, in the standard class below the first tier: */
    uint64_t offpeak_rates[PRICE_TIER_PARTS]; /* not stated: the ordinary ones */
    uint32_t factors[PRICE_FACTORS];          /* in ten-thousandths; 0: not stated */
    bool is_free;                             /* everything costs 0, whatever the rates say */
    uint64_t from_us;                         /* the moment from which it holds, since 1970 */
    uint64_t until_us; /* another one holds from then on, so look again; UINT64_MAX: never */
    /* Names the price for good, such as "catalogue/openai/gpt-4o@2026-11-12"; ends in a zero. */
    char id[PRICE_ID_BYTES];
};

/* The rates that hold for one request, with what stands in for a part that is not stated. */
struct price_rates {
    uint64_t of[PRICE_PARTS];
    uint64_t above_tokens; /* the threshold that the prompt exceeded, or 0 */
    bool is_offpeak;
};

struct price_situation {
    enum price_class service_class;
    uint64_t prompt_tokens; /* cached ones included */
    uint64_t time_us;       /* since 1970 */
};

/* Nothing is known, everything is for nothing; both for all times, with an empty id. */
void price_init_unknown(struct price *price);
void price_init_free(struct price *price);

/* A class that is not known, or not at this prompt length while the standard one has a tier for it,
 * has no known rate of a token. */
void price_rates_at(const struct price *price, const struct price_situation *situation,
                    struct price_rates *rates_out);

/* The tier with exactly these two, or NULL. */
const struct price_tier *price_tier_find(const struct price *price, enum price_class service_class,
                                         uint64_t above_tokens);
/* The same, added with all rates unknown if it is not there; NULL: there are PRICE_TIERS_MAX. */
struct price_tier *price_tier_add(struct price *price, enum price_class service_class,
                                  uint64_t above_tokens);

static inline struct slice price_id(const struct price *price)
{
    return slice_from_text(price->id);
}

/* "input", "cache_write_1h", "per_image"; "standard", "batch". Static storage. */
const char *price_part_name(enum price_part part);
const char *price_class_name(enum price_class service_class);

/* The class of that name, and of the other names that providers' APIs use for the standard one
 * ("default", "auto", "on_demand", "standard_only"). STATUS_NOT_FOUND: no such class. */
MUST_CHECK enum status price_class_find(struct slice name, enum price_class *class_out);

#endif
