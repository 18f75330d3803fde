#include "base/promptness.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

struct found {
    void (*become)(void);
    int policy, nice;
};

/* Both are the thread's own in Linux. */
static void *look(void *argument)
{
    struct found *found = argument;
    found->become();
    found->policy = sched_getscheduler(0);
    found->nice = getpriority(PRIO_PROCESS, 0);
    return NULL;
}

static struct found in_a_thread(void (*become)(void))
{
    struct found found = {.become = become};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, look, &found), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return found;
}

static void a_thread_that_nobody_waits_for_stands_back(void **state)
{
    (void)state;
    const int before = getpriority(PRIO_PROCESS, 0);
    const struct found found = in_a_thread(promptness_low);
    assert_int_equal(found.policy, SCHED_BATCH);
    assert_true(found.nice > before || before == PRIO_MAX - 1);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

static void a_thread_that_others_wait_for_keeps_its_share(void **state)
{
    (void)state;
    const struct found found = in_a_thread(promptness_high);
    assert_int_equal(found.policy, SCHED_OTHER);
    assert_int_equal(found.nice, getpriority(PRIO_PROCESS, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_that_nobody_waits_for_stands_back),
        cmocka_unit_test(a_thread_that_others_wait_for_keeps_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
