/* What a request cost, to the nano-dollar.
 *
 * Everything is integers: counts × rates (models/price.h) are added up without loss in 128 bits,
 * multiplied by the factors, divided once and rounded once, half to even.
 *
 * Thread: any; nothing is kept or allocated. */
#ifndef MODELS_COST_H
#define MODELS_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "models/price.h"

/* Where the provider was told to process the request. */
enum cost_pin {
    COST_PIN_NONE,
    COST_PIN_US,
    COST_PIN_EU,
};

/* What one request used. Counts that the provider does not give are 0. */
struct usage {
    uint64_t input_tokens;           /* the whole prompt; the seven below are parts of it */
    uint64_t cached_tokens;          /* read from the provider's cache; audio and images too */
    uint64_t cached_audio_tokens;    /* a part of cached_tokens and of audio_input_tokens */
    uint64_t cached_image_tokens;    /* a part of cached_tokens and of image_input_tokens */
    uint64_t cache_write_tokens;     /* written for the shortest lifetime (Anthropic: 5 minutes) */
    uint64_t cache_write_1h_tokens;  /* for an hour */
    uint64_t cache_write_12h_tokens; /* for 12 hours or longer */
    uint64_t audio_input_tokens;
    uint64_t image_input_tokens;
    uint64_t output_tokens; /* the whole answer; the three below are parts of it */
    uint64_t reasoning_tokens;
    uint64_t audio_output_tokens;
    uint64_t image_output_tokens;
    uint64_t images_made, images_read;
    uint64_t audio_ms;     /* of sound that was transcribed or made */
    uint64_t characters;   /* to be spoken */
    uint64_t queries;      /* searches of a rerank request */
    uint64_t web_searches; /* with a medium context */
    uint64_t web_searches_low, web_searches_high;
    enum price_class service_class;
    enum cost_pin pin;
    bool is_fast;     /* the fast mode was on */
    uint64_t time_us; /* when the request was opened, since 1970 */
};

struct cost {
    int64_t nanousd;       /* 0 unless the status is STATUS_OK; INT64_MAX with STATUS_TOO_LARGE */
    uint64_t above_tokens; /* the threshold of the tier that priced it, or 0 */
    bool is_offpeak;
    /* The parts of the prompt or of the answer are more than the whole; nothing was billed for the
     * rest, which would be negative. */
    bool is_inconsistent;
    /* With STATUS_NOT_FOUND, what has no known price: a part, or PRICE_PARTS for the fast mode. */
    enum price_part missing;
};

/* STATUS_NOT_FOUND: something that was used has no known price, so neither has the request (which
 * is not: it was free); STATUS_TOO_LARGE: more than INT64_MAX. *cost_out is always set. */
MUST_CHECK enum status cost_compute(const struct price *price, const struct usage *usage,
                                    struct cost *cost_out);

#endif
