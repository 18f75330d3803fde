#include "gateway/unpriced.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_BYTES ((size_t)1 << 20)

struct fixture {
    struct unpriced unpriced;
    struct log *log;
    struct log_producer *producer;
    int fd;
    struct price unknown, partial;
    char *text;
};

static int set_up(void **state)
{
    struct fixture *f = alloc_zeroed(1, sizeof(*f));
    *state = f;
    if (f == NULL)
        return -1;
    f->fd = memfd_create("log", MFD_CLOEXEC);
    f->text = alloc_zeroed(1, TEXT_BYTES);
    const struct log_config config = {
        .fd = f->fd, .format = LOG_FORMAT_JSON, .level = LOG_LEVEL_INFO, .version = "1"};
    price_init_unknown(&f->unknown);
    price_init_unknown(&f->partial);
    (void)snprintf(f->partial.id, sizeof(f->partial.id), "config/p/m@1970-01-01");
    return f->text != NULL && log_create(&config, &f->log) == STATUS_OK &&
                   log_start(f->log) == STATUS_OK &&
                   log_producer_open(f->log, "test", &f->producer) == STATUS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    log_producer_close(&f->producer);
    log_destroy(&f->log);
    close(f->fd);
    alloc_free(f->text);
    alloc_free(f);
    return 0;
}

static void warn(struct fixture *f, const char *model, const struct price *price)
{
    unpriced_warn(&f->unpriced, f->producer, SLICE("p"), slice_from_text(model), price);
}

/* Ends the log and returns how many lines hold the text. */
static unsigned lines_with(struct fixture *f, const char *text)
{
    unsigned count = 0;
    log_producer_close(&f->producer);
    log_destroy(&f->log);
    const ssize_t size = pread(f->fd, f->text, TEXT_BYTES - 1, 0);
    assert_true(size >= 0);
    f->text[size] = '\0';
    for (const char *at = f->text; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static void each_target_is_warned_of_once_with_what_to_do(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 3; i++) {
        warn(f, "m", &f->unknown);
        warn(f, "n", &f->unknown);
    }
    assert_int_equal(lines_with(f, "\"log.logger\":\"prices\""), 2);
    assert_int_equal(lines_with(f, "no price is known for model 'm' of provider p,"), 1);
    assert_int_equal(lines_with(f, "no price is known for model 'n' of provider p,"), 1);
    assert_int_equal(lines_with(f, "in prices of the configuration, or say free: true"), 2);
    assert_int_equal(lines_with(f, "\"log.level\":\"warn\""), 2);
}

static void a_price_that_does_not_state_all_is_another_matter(void **state)
{
    struct fixture *f = *state;
    warn(f, "m", &f->unknown);
    warn(f, "m", &f->partial);
    warn(f, "m", &f->partial);
    assert_int_equal(lines_with(f, "\n"), 2);
    assert_int_equal(lines_with(f, "the price config/p/m@1970-01-01 does not state all"), 1);
}

static void providers_and_models_are_not_run_together(void **state)
{
    struct fixture *f = *state;
    unpriced_warn(&f->unpriced, f->producer, SLICE("a"), SLICE("bc"), &f->unknown);
    unpriced_warn(&f->unpriced, f->producer, SLICE("ab"), SLICE("c"), &f->unknown);
    unpriced_warn(&f->unpriced, f->producer, SLICE("abc"), SLICE(""), &f->unknown);
    assert_int_equal(lines_with(f, "\n"), 3);
}

static void many_models_end_in_one_line_that_there_are_more(void **state)
{
    struct fixture *f = *state;
    char model[16];
    for (unsigned i = 0; i < 10 * UNPRICED_SLOTS; i++) {
        (void)snprintf(model, sizeof(model), "m%u", i);
        warn(f, model, &f->unknown);
    }
    assert_int_equal(lines_with(f, "no price is known"), UNPRICED_MAX);
    assert_int_equal(lines_with(f, "no more of them are named"), 1);
    assert_int_equal(lines_with(f, "\n"), UNPRICED_MAX + 1);
}

static void a_name_can_neither_forge_a_line_nor_push_out_the_advice(void **state)
{
    struct fixture *f = *state;
    char model[5000];
    memset(model, 'x', sizeof(model));
    model[0] = '\n';
    model[sizeof(model) - 1] = '\0';
    warn(f, model, &f->unknown);
    assert_int_equal(lines_with(f, "\n"), 1);
    assert_int_equal(lines_with(f, "free: true of the provider\""), 1);
}

#define THREADS 4
#define MODELS  50

static void *warn_of_many(void *argument)
{
    struct fixture *f = argument;
    struct log_producer *producer;
    char model[16];
    if (log_producer_open(f->log, "thread", &producer) != STATUS_OK)
        return NULL;
    for (unsigned i = 0; i < 4 * MODELS; i++) {
        (void)snprintf(model, sizeof(model), "m%u", i % MODELS);
        unpriced_warn(&f->unpriced, producer, SLICE("p"), slice_from_text(model), &f->unknown);
    }
    log_producer_close(&producer);
    return f;
}

static void threads_warn_once_between_them(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, warn_of_many, f), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, f);
    }
    assert_int_equal(lines_with(f, "no price is known"), MODELS);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_target_is_warned_of_once_with_what_to_do),
        CASE(a_price_that_does_not_state_all_is_another_matter),
        CASE(providers_and_models_are_not_run_together),
        CASE(many_models_end_in_one_line_that_there_are_more),
        CASE(a_name_can_neither_forge_a_line_nor_push_out_the_advice),
        CASE(threads_warn_once_between_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
