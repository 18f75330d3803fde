#include "gateway/limits.h"

#include "io/loop.h"

#define MEMBERS_MAX 1024

static void pause_for_others(void *context)
{
    task_yield(context);
}

struct json_limits limits_for_json(struct worker *worker)
{
    return (struct json_limits){
        .depth_max = worker->calling->snapshot->config->transport.json_depth,
        .members_max = MEMBERS_MAX,
        .pause = pause_for_others,
        .pause_context = worker->loop,
    };
}
