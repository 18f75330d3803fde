#include "http/shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/alloc.h"

static struct http_shared *shared_for_test(uint32_t connections, uint32_t per_address)
{
    struct http_shared *shared = NULL;
    assert_int_equal(http_shared_create(&shared), STATUS_OK);
    http_shared_set_max(shared, connections, per_address);
    return shared;
}

static struct address at(const char *host)
{
    struct address address;
    assert_int_equal(address_parse(slice_from_text(host), 1234, &address), STATUS_OK);
    return address;
}

static void until_a_bound_is_set_all_are_let_in(void **state)
{
    (void)state;
    struct http_shared *shared = NULL;
    const struct address peer = at("192.0.2.1");
    assert_int_equal(http_shared_create(&shared), STATUS_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(http_shared_enter(shared, &peer), HTTP_ENTRY_OK);
    assert_int_equal(http_shared_count(shared), 1000);
    http_shared_destroy(&shared);
    assert_null(shared);
}

static void no_more_connections_than_may_be_are_let_in(void **state)
{
    (void)state;
    struct http_shared *shared = shared_for_test(2, 0);
    const struct address a = at("192.0.2.1"), b = at("2001:db8::1");
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_OK);
    assert_int_equal(http_shared_enter(shared, &b), HTTP_ENTRY_OK);
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_FULL);
    assert_int_equal(http_shared_enter(shared, &b), HTTP_ENTRY_FULL);
    assert_int_equal(http_shared_count(shared), 2);
    http_shared_leave(shared, &a);
    assert_int_equal(http_shared_enter(shared, &b), HTTP_ENTRY_OK);
    http_shared_destroy(&shared);
}

static void each_address_has_its_own_bound(void **state)
{
    (void)state;
    struct http_shared *shared = shared_for_test(100, 2);
    const struct address a = at("192.0.2.1"), b = at("192.0.2.2");
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_OK);
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_OK);
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_ADDRESS_FULL);
    assert_int_equal(http_shared_count(shared), 2); /* who is refused counts nowhere */
    assert_int_equal(http_shared_enter(shared, &b), HTTP_ENTRY_OK);
    http_shared_leave(shared, &a);
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_OK);
    http_shared_destroy(&shared);
}

static void another_port_is_the_same_address(void **state)
{
    (void)state;
    struct http_shared *shared = shared_for_test(100, 1);
    struct address a = at("192.0.2.1");
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_OK);
    a.socket.v4.sin_port = htons(4321);
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_ADDRESS_FULL);
    http_shared_destroy(&shared);
}

static void a_network_of_ipv6_is_one_client(void **state)
{
    (void)state;
    struct http_shared *shared = shared_for_test(100, 1);
    const struct address a = at("2001:db8:1:1::1"), b = at("2001:db8:1:1:ffff::2"),
                         c = at("2001:db8:1:2::1");
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_OK);
    assert_int_equal(http_shared_enter(shared, &b), HTTP_ENTRY_ADDRESS_FULL);
    assert_int_equal(http_shared_enter(shared, &c), HTTP_ENTRY_OK);
    http_shared_destroy(&shared);
}

static void who_is_in_already_counts_when_the_bound_comes(void **state)
{
    (void)state;
    struct http_shared *shared = shared_for_test(100, 0);
    const struct address a = at("192.0.2.1");
    for (int i = 0; i < 3; i++)
        assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_OK);
    http_shared_set_max(shared, 100, 2);
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_ADDRESS_FULL);
    http_shared_leave(shared, &a);
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_ADDRESS_FULL);
    http_shared_leave(shared, &a);
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_OK);
    http_shared_destroy(&shared);
}

static void a_unix_socket_is_always_let_in(void **state)
{
    (void)state;
    struct http_shared *shared = shared_for_test(0, 1);
    const struct address administrator = {0}, client = at("127.0.0.1");
    assert_int_equal(http_shared_enter(shared, &client), HTTP_ENTRY_FULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(http_shared_enter(shared, &administrator), HTTP_ENTRY_OK);
    http_shared_leave(shared, &administrator);
    assert_int_equal(http_shared_count(shared), 0);
    http_shared_destroy(&shared);
}

#define THREADS 4

static void *come_and_go(void *argument)
{
    struct http_shared *shared = argument;
    const struct address peer = at("192.0.2.1");
    for (int i = 0; i < 5000; i++) {
        if (http_shared_enter(shared, &peer) == HTTP_ENTRY_OK)
            http_shared_leave(shared, &peer);
    }
    return NULL;
}

static void threads_leave_nothing_behind(void **state)
{
    (void)state;
    struct http_shared *shared = shared_for_test(3, 2);
    pthread_t threads[THREADS];
    const struct address peer = at("192.0.2.1");
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, shared), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(http_shared_count(shared), 0);
    assert_int_equal(http_shared_enter(shared, &peer), HTTP_ENTRY_OK);
    assert_int_equal(http_shared_enter(shared, &peer), HTTP_ENTRY_OK);
    assert_int_equal(http_shared_enter(shared, &peer), HTTP_ENTRY_ADDRESS_FULL);
    http_shared_destroy(&shared);
}

static void all_who_ask_share_one_thread(void **state)
{
    (void)state;
    struct http_shared *shared = shared_for_test(1, 1);
    struct service *first = NULL, *second = NULL;
    assert_int_equal(http_shared_service(shared, &first), STATUS_OK);
    assert_int_equal(http_shared_service(shared, &second), STATUS_OK);
    assert_non_null(first);
    assert_ptr_equal(first, second);
    http_shared_destroy(&shared);
}

static void a_thread_that_could_not_start_is_tried_again(void **state)
{
    (void)state;
    struct http_shared *shared = shared_for_test(1, 1);
    struct service *service = NULL;
    alloc_fail_nth(0);
    assert_int_equal(http_shared_service(shared, &service), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(service);
    assert_int_equal(http_shared_service(shared, &service), STATUS_OK);
    assert_non_null(service);
    http_shared_destroy(&shared);
}

static void without_memory_it_is_not_made(void **state)
{
    (void)state;
    struct http_shared *shared = NULL;
    alloc_fail_nth(0);
    assert_int_equal(http_shared_create(&shared), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(shared);
    http_shared_destroy(&shared);
}

static void a_proxys_connection_counts_for_the_address_that_it_names(void **state)
{
    (void)state;
    struct http_shared *shared = shared_for_test(3, 1);
    const struct address a = at("192.0.2.1"), b = at("192.0.2.2");
    for (int i = 0; i < 3; i++)
        assert_int_equal(http_shared_enter_proxy(shared), HTTP_ENTRY_OK);
    assert_int_equal(http_shared_enter_proxy(shared), HTTP_ENTRY_FULL);
    assert_int_equal(http_shared_count(shared), 3);
    assert_true(http_shared_enter_address(shared, &a));
    assert_false(http_shared_enter_address(shared, &a));
    assert_true(http_shared_enter_address(shared, &b));
    assert_int_equal(http_shared_count(shared), 3);
    http_shared_leave_proxy(shared); /* which named nobody */
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_ADDRESS_FULL);
    http_shared_leave(shared, &a);
    assert_int_equal(http_shared_enter(shared, &a), HTTP_ENTRY_OK);
    http_shared_leave(shared, &a);
    http_shared_leave(shared, &b);
    assert_int_equal(http_shared_count(shared), 0);
    http_shared_destroy(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(until_a_bound_is_set_all_are_let_in),
        cmocka_unit_test(no_more_connections_than_may_be_are_let_in),
        cmocka_unit_test(each_address_has_its_own_bound),
        cmocka_unit_test(another_port_is_the_same_address),
        cmocka_unit_test(a_network_of_ipv6_is_one_client),
        cmocka_unit_test(who_is_in_already_counts_when_the_bound_comes),
        cmocka_unit_test(a_unix_socket_is_always_let_in),
        cmocka_unit_test(threads_leave_nothing_behind),
        cmocka_unit_test(all_who_ask_share_one_thread),
        cmocka_unit_test(a_thread_that_could_not_start_is_tried_again),
        cmocka_unit_test(without_memory_it_is_not_made),
        cmocka_unit_test(a_proxys_connection_counts_for_the_address_that_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
