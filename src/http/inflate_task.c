#include "http/inflate_task.h"

#include "http/shared.h"

/* What a byte read costs at most, in bytes written: input may expand to nothing, and be long about
 * it. */
#define READ_WEIGHT 8

struct step {
    struct inflate *inflate;
    struct slice *input;
    char *output;
    size_t output_size;
    size_t *written_out;
    enum status status;
};

static void run(void *argument)
{
    struct step *step = argument;
    step->status = inflate_step(step->inflate, step->input, step->output, step->output_size,
                                step->written_out);
}

static enum status run_aside(struct http_server *server, struct step *step)
{
    struct service *service;
    enum status status = http_shared_service(server->shared, &service);
    if (status == STATUS_OK)
        status = service_call(service, server->loop, run, step);
    return status == STATUS_OK ? step->status : STATUS_NO_MEMORY;
}

enum status inflate_task_step(struct http_server *server, struct inflate *inflate,
                              struct slice *input, char *output, size_t output_size,
                              size_t *written_out)
{
    struct step step = {.inflate = inflate,
                        .input = input,
                        .output = output,
                        .output_size = output_size,
                        .written_out = written_out};
    const size_t input_size = input->size;
    *written_out = 0;
    if (inflate_is_long(inflate, *input))
        return run_aside(server, &step);
    run(&step);
    task_charge(server->loop, (input_size - input->size) * READ_WEIGHT + *written_out);
    return step.status;
}
