#include "telemetry/histogram.h"

#define US(n) ((n) * UINT64_C(1000))
#define MS(n) ((n) * UINT64_C(1000000))
#define S(n)  ((n) * UINT64_C(1000000000))

const struct histogram_scale histogram_requests = {
    .count = 18,
    .bounds_ns = {MS(1), US(2500), MS(5), MS(10), MS(25), MS(50), MS(100), MS(250), MS(500), S(1),
                  MS(2500), S(5), S(10), S(30), S(60), S(120), S(300), S(600)},
};

const struct histogram_scale histogram_turns = {
    .count = 16,
    .bounds_ns = {US(10), US(25), US(50), US(100), US(250), US(500), MS(1), US(2500), MS(5), MS(10),
                  MS(25), MS(50), MS(100), MS(250), MS(500), S(1)},
};
