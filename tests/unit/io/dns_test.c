#include "io/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "support/dns_peer.h"
#include "support/loop_fixture.h"
#include "support/time_warp.h"

struct fixture {
    struct loop *loop;
    struct dns_peer peer;
    struct dns *dns;
};

static void fixture_open(struct fixture *fixture, const struct dns_peer_record *records,
                         size_t count)
{
    fixture->loop = loop_fixture_create();
    dns_peer_open(&fixture->peer);
    fixture->peer.records = records;
    fixture->peer.record_count = count;
    assert_int_equal(dns_create(fixture->loop, &fixture->dns, NULL), STATUS_OK);
}

static void fixture_close(struct fixture *fixture)
{
    dns_destroy(&fixture->dns);
    assert_null(fixture->dns);
    dns_peer_close(&fixture->peer);
    loop_fixture_destroy(&fixture->loop);
}

/* --- Asking --- */

struct question {
    struct fixture *fixture;
    struct slice host;
    uint16_t port;
    uint64_t deadline_ms;
    struct task *task;
    enum status status;
    struct dns_answer answer;
    struct reason reason;
    bool is_over;
};

static void ask(void *argument)
{
    struct question *question = argument;
    question->task = task_current(question->fixture->loop);
    question->status = dns_resolve(question->fixture->dns, question->host, question->port,
                                   question->deadline_ms, &question->answer, &question->reason);
    question->is_over = true;
}

static void begin(struct question *question, struct fixture *fixture, struct slice host)
{
    *question = (struct question){
        .fixture = fixture, .host = host, .port = 443, .deadline_ms = TIMER_NEVER};
    loop_fixture_run(fixture->loop, ask, question);
}

static bool serve_until_over(void *argument)
{
    struct question *question = argument;
    dns_peer_serve(&question->fixture->peer);
    return question->is_over;
}

static void finish(struct question *question)
{
    loop_fixture_until(question->fixture->loop, serve_until_over, question);
}

static void resolve(struct question *question, struct fixture *fixture, const char *host)
{
    begin(question, fixture, slice_from_text(host));
    finish(question);
}

static bool serve_and_hurry(void *argument)
{
    time_warp_forward(200);
    return serve_until_over(argument);
}

/* While nobody answers, time passes quickly. */
static void finish_hurrying(struct question *question)
{
    loop_fixture_until(question->fixture->loop, serve_and_hurry, question);
}

static void pass(struct fixture *fixture, uint64_t ms)
{
    time_warp_forward(ms);
    loop_fixture_settle(fixture->loop);
}

static bool has(const struct question *question, const char *host)
{
    for (unsigned i = 0; i < question->answer.count; i++) {
        char text[ADDRESS_TEXT_BYTES];
        const struct address *address = &question->answer.addresses[i];
        const bool is_v4 = address->socket.any.sa_family == AF_INET;
        address_format(address, text);
        assert_int_equal(is_v4 ? address->socket.v4.sin_port : address->socket.v6.sin6_port,
                         htons(question->port));
        if (strcmp(text, host) == 0)
            return true;
    }
    return false;
}

static void assert_answer(const struct question *question, unsigned count, const char *host)
{
    assert_int_equal(question->status, STATUS_OK);
    assert_int_equal(question->answer.count, count);
    assert_true(has(question, host));
}

/* --- What needs no server --- */

static void numeric_hosts_are_answered_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question;
    fixture_open(&fixture, NULL, 0);
    begin(&question, &fixture, SLICE("192.0.2.7"));
    assert_true(question.is_over);
    assert_answer(&question, 1, "192.0.2.7");
    begin(&question, &fixture, SLICE("2001:db8::7"));
    assert_true(question.is_over);
    assert_answer(&question, 1, "2001:db8::7");
    dns_peer_serve(&fixture.peer);
    assert_int_equal(fixture.peer.question_count, 0);
    fixture_close(&fixture);
}

static void localhost_is_the_loopback_without_asking(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question;
    fixture_open(&fixture, NULL, 0);
    begin(&question, &fixture, SLICE("LocalHost"));
    assert_true(question.is_over);
    assert_answer(&question, 2, "127.0.0.1");
    assert_true(has(&question, "::1"));
    dns_peer_serve(&fixture.peer);
    assert_int_equal(fixture.peer.question_count, 0);
    fixture_close(&fixture);
}

static void what_can_be_no_name_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question;
    char longest[254];
    memset(longest, 'a', sizeof(longest));
    for (size_t i = 50; i < sizeof(longest); i += 50)
        longest[i] = '.';
    fixture_open(&fixture, NULL, 0);
    begin(&question, &fixture, (struct slice){0});
    assert_true(question.is_over);
    assert_int_equal(question.status, STATUS_INVALID);
    begin(&question, &fixture, slice_of(longest, sizeof(longest)));
    assert_true(question.is_over);
    assert_int_equal(question.status, STATUS_INVALID);
    assert_true(question.reason.text[0] != '\0');
    begin(&question, &fixture, slice_of(longest, sizeof(longest) - 1));
    finish(&question); /* as long as a name may be */
    assert_int_equal(question.status, STATUS_NOT_FOUND);
    fixture_close(&fixture);
}

static void odd_names_are_not_found_and_said(void **state)
{
    (void)state;
    static const char *const hosts[] = {
        "a..b",
        ".a",
        "..",
        "exa mple.test",
        "127.0.0.256",
        "[::1]",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test"};
    struct fixture fixture;
    fixture_open(&fixture, NULL, 0);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct question question;
        begin(&question, &fixture, slice_from_text(hosts[i]));
        finish_hurrying(&question);
        assert_true(question.status == STATUS_NOT_FOUND || question.status == STATUS_INVALID);
        assert_non_null(strstr(question.reason.text, hosts[i]));
    }
    fixture_close(&fixture);
}

/* --- Answers --- */

static const struct dns_peer_record records[] = {
    {"one.test", "192.0.2.1", 10},    {"two.test", "192.0.2.2", 10},
    {"two.test", "2001:db8::2", 10},  {"six.test", "2001:db8::6", 10},
    {"zero.test", "192.0.2.10", 0},   {"long.test", "192.0.2.11", 1000000},
    {"short.test", "192.0.2.12", 60}, {"short.test", "192.0.2.13", 5},
    {"alias.test", "one.test", 3},
};

#define RECORD_COUNT (sizeof(records) / sizeof(records[0]))

static void both_families_are_asked_for(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question;
    fixture_open(&fixture, records, RECORD_COUNT);
    resolve(&question, &fixture, "two.test");
    assert_answer(&question, 2, "192.0.2.2");
    assert_true(has(&question, "2001:db8::2"));
    resolve(&question, &fixture, "one.test");
    assert_answer(&question, 1, "192.0.2.1");
    resolve(&question, &fixture, "six.test");
    assert_answer(&question, 1, "2001:db8::6");
    resolve(&question, &fixture, "alias.test");
    assert_answer(&question, 1, "192.0.2.1");
    fixture_close(&fixture);
}

static void a_known_name_is_not_asked_for_again_whatever_its_case_and_port(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question;
    fixture_open(&fixture, records, RECORD_COUNT);
    resolve(&question, &fixture, "one.test");
    const unsigned before = fixture.peer.question_count;
    question = (struct question){
        .fixture = &fixture, .host = SLICE("ONE.test"), .port = 80, .deadline_ms = TIMER_NEVER};
    loop_fixture_run(fixture.loop, ask, &question);
    assert_true(question.is_over);
    assert_answer(&question, 1, "192.0.2.1");
    dns_peer_serve(&fixture.peer);
    assert_int_equal(fixture.peer.question_count, before);
    fixture_close(&fixture);
}

/* Answers what is asked in the background. */
static void serve_turns(struct fixture *fixture)
{
    for (int i = 0; i < 20; i++) {
        dns_peer_serve(&fixture->peer);
        loop_turn(fixture->loop, 1);
    }
}

/* Whether resolving again after `ms` asks the server. */
static bool asks_after(struct fixture *fixture, const char *host, uint64_t ms)
{
    struct question question;
    pass(fixture, ms);
    const unsigned before = fixture->peer.question_count;
    resolve(&question, fixture, host);
    serve_turns(fixture);
    assert_int_equal(question.status, STATUS_OK);
    return fixture->peer.question_count > before;
}

static void a_name_is_asked_for_again_when_its_time_is_over(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        uint64_t known_ms;
    } cases[] = {
        {"one.test", 10000},
        {"short.test", 5000},          /* the shortest of its records */
        {"zero.test", DNS_TTL_MIN_MS}, /* not at once, whatever the server says */
        {"long.test", DNS_TTL_MAX_MS},
    };
    struct fixture fixture;
    fixture_open(&fixture, records, RECORD_COUNT);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(asks_after(&fixture, cases[i].host, 0));
        assert_false(asks_after(&fixture, cases[i].host, cases[i].known_ms - 500));
        assert_true(asks_after(&fixture, cases[i].host, 600));
    }
    fixture_close(&fixture);
}

static void no_more_addresses_than_fit_are_given(void **state)
{
    (void)state;
    static const struct dns_peer_record many[] = {
        {"many.test", "192.0.2.1", 9}, {"many.test", "192.0.2.2", 9},
        {"many.test", "192.0.2.3", 9}, {"many.test", "192.0.2.4", 9},
        {"many.test", "192.0.2.5", 9}, {"many.test", "192.0.2.6", 9},
        {"many.test", "192.0.2.7", 9}, {"many.test", "192.0.2.8", 9},
        {"many.test", "192.0.2.9", 9}, {"many.test", "2001:db8::1", 9},
    };
    struct fixture fixture;
    struct question question;
    fixture_open(&fixture, many, sizeof(many) / sizeof(many[0]));
    resolve(&question, &fixture, "many.test");
    assert_int_equal(question.status, STATUS_OK);
    assert_int_equal(question.answer.count, DNS_ADDRESSES_MAX);
    fixture_close(&fixture);
}

static void answers_to_other_questions_are_passed_over(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question;
    fixture_open(&fixture, records, RECORD_COUNT);
    fixture.peer.mode = DNS_PEER_TELLS_LIES;
    resolve(&question, &fixture, "two.test");
    assert_answer(&question, 2, "192.0.2.2");
    fixture_close(&fixture);
}

/* --- At the same time --- */

static void equal_questions_at_the_same_time_are_one(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question questions[20];
    fixture_open(&fixture, records, RECORD_COUNT);
    for (unsigned i = 0; i < 20; i++)
        begin(&questions[i], &fixture, i % 2 == 0 ? SLICE("one.test") : SLICE("One.Test"));
    for (unsigned i = 0; i < 20; i++) {
        finish(&questions[i]);
        assert_answer(&questions[i], 1, "192.0.2.1");
    }
    assert_int_equal(fixture.peer.question_count, 2); /* one for each family */
    fixture_close(&fixture);
}

static void who_gives_up_takes_nothing_from_the_others(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question patient, hurried = {.fixture = &fixture, .host = SLICE("one.test")}, cancelled;
    fixture_open(&fixture, records, RECORD_COUNT);
    begin(&patient, &fixture, SLICE("one.test"));
    hurried.deadline_ms = loop_deadline(fixture.loop, 20);
    loop_fixture_run(fixture.loop, ask, &hurried);
    begin(&cancelled, &fixture, SLICE("one.test"));
    task_cancel(cancelled.task);
    loop_fixture_settle(fixture.loop);
    assert_true(cancelled.is_over);
    assert_int_equal(cancelled.status, STATUS_CANCELLED);
    pass(&fixture, 50);
    assert_true(hurried.is_over);
    assert_int_equal(hurried.status, STATUS_TIMED_OUT);
    finish(&patient);
    assert_answer(&patient, 1, "192.0.2.1");
    fixture_close(&fixture);
}

static void an_answer_for_which_nobody_waits_any_more_is_kept(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question = {.fixture = &fixture, .host = SLICE("one.test")};
    fixture_open(&fixture, records, RECORD_COUNT);
    question.deadline_ms = loop_deadline(fixture.loop, 20);
    loop_fixture_run(fixture.loop, ask, &question);
    pass(&fixture, 50);
    assert_int_equal(question.status, STATUS_TIMED_OUT);
    serve_turns(&fixture);
    const unsigned before = fixture.peer.question_count;
    begin(&question, &fixture, SLICE("one.test"));
    assert_true(question.is_over);
    assert_answer(&question, 1, "192.0.2.1");
    assert_int_equal(fixture.peer.question_count, before);
    fixture_close(&fixture);
}

static void a_deadline_in_the_past_asks_and_does_not_wait(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question = {.fixture = &fixture, .host = SLICE("one.test")};
    fixture_open(&fixture, records, RECORD_COUNT);
    loop_fixture_run(fixture.loop, ask, &question);
    assert_true(question.is_over);
    assert_int_equal(question.status, STATUS_TIMED_OUT);
    fixture_close(&fixture); /* while the question is open */
}

/* --- What goes wrong --- */

static void a_name_that_does_not_exist_is_said_and_asked_for_again_a_second_later(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question;
    fixture_open(&fixture, records, RECORD_COUNT);
    resolve(&question, &fixture, "none.test");
    assert_int_equal(question.status, STATUS_NOT_FOUND);
    assert_non_null(strstr(question.reason.text, "cannot resolve none.test: "));
    const unsigned before = fixture.peer.question_count;
    begin(&question, &fixture, SLICE("none.test"));
    assert_true(question.is_over);
    assert_int_equal(question.status, STATUS_NOT_FOUND);
    assert_non_null(strstr(question.reason.text, "cannot resolve none.test: "));
    serve_turns(&fixture);
    assert_int_equal(fixture.peer.question_count, before);
    pass(&fixture, DNS_RETRY_MS);
    resolve(&question, &fixture, "none.test");
    assert_int_equal(question.status, STATUS_NOT_FOUND);
    assert_true(fixture.peer.question_count > before);
    fixture_close(&fixture);
}

static void a_server_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question, other;
    fixture_open(&fixture, records, RECORD_COUNT);
    resolve(&other, &fixture, "none.test");
    fixture.peer.mode = DNS_PEER_SILENT;
    begin(&question, &fixture, SLICE("one.test"));
    finish_hurrying(&question);
    assert_int_equal(question.status, STATUS_NOT_FOUND);
    assert_string_not_equal(strchr(question.reason.text, ':'), strchr(other.reason.text, ':'));
    fixture.peer.mode = DNS_PEER_ANSWERS;
    pass(&fixture, DNS_RETRY_MS);
    resolve(&question, &fixture, "one.test");
    assert_answer(&question, 1, "192.0.2.1");
    fixture_close(&fixture);
}

/* Resolves a name that is known or stale: that waits for nobody. */
static void assert_at_once(struct fixture *fixture, const char *host, const char *address)
{
    struct question question;
    begin(&question, fixture, slice_from_text(host));
    assert_true(question.is_over);
    assert_answer(&question, 1, address);
}

static void what_was_known_last_serves_at_once_while_no_server_answers(void **state)
{
    (void)state;
    static const enum dns_peer_mode modes[] = {DNS_PEER_FAILS, DNS_PEER_SILENT};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct fixture fixture;
        struct question question;
        fixture_open(&fixture, records, RECORD_COUNT);
        resolve(&question, &fixture, "one.test");
        fixture.peer.mode = modes[i];
        pass(&fixture, 11000);
        assert_at_once(&fixture, "one.test", "192.0.2.1");
        pass(&fixture, DNS_STALE_MS - 30000);
        assert_at_once(&fixture, "one.test", "192.0.2.1");
        pass(&fixture, 60000);
        begin(&question, &fixture, SLICE("one.test"));
        finish_hurrying(&question);
        assert_int_equal(question.status, STATUS_NOT_FOUND);
        fixture_close(&fixture);
    }
}

static void a_stale_name_is_asked_for_once_and_its_new_address_holds(void **state)
{
    (void)state;
    static const struct dns_peer_record moved[] = {{"one.test", "192.0.2.99", 10}};
    struct fixture fixture;
    struct question question;
    fixture_open(&fixture, records, RECORD_COUNT);
    resolve(&question, &fixture, "one.test");
    const unsigned before = fixture.peer.question_count;
    fixture.peer.records = moved;
    fixture.peer.record_count = 1;
    pass(&fixture, 11000);
    for (int i = 0; i < 10; i++)
        assert_at_once(&fixture, "one.test", "192.0.2.1");
    serve_turns(&fixture);
    assert_int_equal(fixture.peer.question_count, before + 2); /* one for each family */
    assert_at_once(&fixture, "one.test", "192.0.2.99");
    fixture_close(&fixture);
}

static void an_outage_is_asked_about_once_a_second(void **state)
{
    (void)state;
    struct fixture fixture;
    struct question question;
    fixture_open(&fixture, records, RECORD_COUNT);
    resolve(&question, &fixture, "one.test");
    fixture.peer.mode = DNS_PEER_FAILS;
    pass(&fixture, 11000);
    assert_at_once(&fixture, "one.test", "192.0.2.1");
    serve_turns(&fixture);
    const unsigned failed = fixture.peer.question_count;
    for (int i = 0; i < 3; i++) {
        pass(&fixture, 100);
        assert_at_once(&fixture, "one.test", "192.0.2.1");
        serve_turns(&fixture);
    }
    assert_int_equal(fixture.peer.question_count, failed);
    pass(&fixture, DNS_RETRY_MS);
    assert_at_once(&fixture, "one.test", "192.0.2.1");
    serve_turns(&fixture);
    assert_true(fixture.peer.question_count > failed);
    fixture_close(&fixture);
}

/* --- Bounds --- */

static struct question many[DNS_CACHE_MAX + 1];
static char names[DNS_CACHE_MAX + 1][24];
static struct dns_peer_record many_records[DNS_CACHE_MAX + 1];

static void make_many_names(void)
{
    for (unsigned i = 0; i <= DNS_CACHE_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "host-%u.test", i);
        many_records[i] = (struct dns_peer_record){names[i], "192.0.2.9", 200};
    }
}

static void the_name_asked_for_longest_ago_makes_room(void **state)
{
    (void)state;
    struct fixture fixture;
    make_many_names();
    fixture_open(&fixture, many_records, DNS_CACHE_MAX + 1);
    for (unsigned i = 0; i < DNS_CACHE_MAX; i++) {
        resolve(&many[0], &fixture, names[i]);
        assert_answer(&many[0], 1, "192.0.2.9");
    }
    assert_false(asks_after(&fixture, names[0], 0)); /* it is the latest now */
    assert_true(asks_after(&fixture, names[DNS_CACHE_MAX], 0));
    assert_false(asks_after(&fixture, names[0], 0));
    assert_true(asks_after(&fixture, names[1], 0));
    fixture_close(&fixture);
}

static void no_more_names_are_asked_for_at_a_time_than_are_kept(void **state)
{
    (void)state;
    struct fixture fixture;
    make_many_names();
    fixture_open(&fixture, many_records, DNS_CACHE_MAX + 1);
    for (unsigned i = 0; i <= DNS_CACHE_MAX; i++)
        begin(&many[i], &fixture, slice_from_text(names[i]));
    assert_true(many[DNS_CACHE_MAX].is_over);
    assert_int_equal(many[DNS_CACHE_MAX].status, STATUS_NO_MEMORY);
    for (unsigned i = 0; i < DNS_CACHE_MAX; i++) {
        finish_hurrying(&many[i]); /* of so many datagrams at once some are lost */
        assert_answer(&many[i], 1, "192.0.2.9");
    }
    fixture_close(&fixture);
}

static void every_failed_allocation_ends_the_question_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, records, RECORD_COUNT);
    for (int nth = 0; nth < 4; nth++) {
        struct question question;
        char host[24];
        (void)snprintf(host, sizeof(host), "none-%d.test", nth);
        alloc_fail_nth(nth);
        begin(&question, &fixture, slice_from_text(host));
        alloc_fail_nth(-1);
        finish_hurrying(&question);
        assert_int_equal(question.status, nth == 0 ? STATUS_NO_MEMORY : STATUS_NOT_FOUND);
        resolve(&question, &fixture, "one.test");
        assert_answer(&question, 1, "192.0.2.1");
        pass(&fixture, 11000);
    }
    fixture_close(&fixture);
}

static void without_memory_it_is_not_made(void **state)
{
    (void)state;
    struct loop *loop = loop_fixture_create();
    struct dns *dns = NULL;
    alloc_fail_nth(0);
    assert_int_equal(dns_create(loop, &dns, NULL), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(dns);
    dns_destroy(&dns);
    loop_fixture_destroy(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numeric_hosts_are_answered_at_once),
        cmocka_unit_test(localhost_is_the_loopback_without_asking),
        cmocka_unit_test(what_can_be_no_name_is_refused),
        cmocka_unit_test(odd_names_are_not_found_and_said),
        cmocka_unit_test(both_families_are_asked_for),
        cmocka_unit_test(a_known_name_is_not_asked_for_again_whatever_its_case_and_port),
        cmocka_unit_test(a_name_is_asked_for_again_when_its_time_is_over),
        cmocka_unit_test(no_more_addresses_than_fit_are_given),
        cmocka_unit_test(answers_to_other_questions_are_passed_over),
        cmocka_unit_test(equal_questions_at_the_same_time_are_one),
        cmocka_unit_test(who_gives_up_takes_nothing_from_the_others),
        cmocka_unit_test(an_answer_for_which_nobody_waits_any_more_is_kept),
        cmocka_unit_test(a_deadline_in_the_past_asks_and_does_not_wait),
        cmocka_unit_test(a_name_that_does_not_exist_is_said_and_asked_for_again_a_second_later),
        cmocka_unit_test(a_server_that_says_nothing_is_given_up),
        cmocka_unit_test(what_was_known_last_serves_at_once_while_no_server_answers),
        cmocka_unit_test(a_stale_name_is_asked_for_once_and_its_new_address_holds),
        cmocka_unit_test(an_outage_is_asked_about_once_a_second),
        cmocka_unit_test(the_name_asked_for_longest_ago_makes_room),
        cmocka_unit_test(no_more_names_are_asked_for_at_a_time_than_are_kept),
        cmocka_unit_test(every_failed_allocation_ends_the_question_alone),
        cmocka_unit_test(without_memory_it_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
