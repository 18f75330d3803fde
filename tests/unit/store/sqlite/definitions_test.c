#include "store/store_overlay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "unit/store/sqlite/database.h"

static const enum store_section sections[] = {STORE_SECTION_PROVIDERS, STORE_SECTION_MODELS};

static struct store_definition definition_of(unsigned number, const char *name)
{
    return (struct store_definition){
        .id = database_id(number),
        .name = slice_from_text(name),
        .definition = SLICE("{\"a\":1}"),
        .created_at_us = 1000,
        .updated_at_us = 2000,
    };
}

static enum status note(void *context, const struct store_definition *definition)
{
    return buffer_printf(context, "%.*s=%.*s ", SLICE_ARGS(definition->name),
                         SLICE_ARGS(definition->definition));
}

static void expect(struct store *store, enum store_section section, const char *listed)
{
    struct buffer names;
    buffer_init(&names, 256);
    assert_int_equal(store_definitions_list(store, section, note, &names, NULL), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&names), slice_from_text(listed)));
    buffer_fini(&names);
}

static void each_section_keeps_its_own_in_the_order_of_their_making(void **state)
{
    (void)state;
    struct store *store = database_open();
    for (size_t i = 0; i < 2; i++) {
        const struct store_definition z = definition_of(1, "z"), a = definition_of(2, "a");
        const struct store_definition again = definition_of(3, "z");
        assert_int_equal(store_definition_create(store, sections[i], &z, NULL), STATUS_OK);
        assert_int_equal(store_definition_create(store, sections[i], &a, NULL), STATUS_OK);
        assert_int_equal(store_definition_create(store, sections[i], &again, NULL), STATUS_EXISTS);
        expect(store, sections[i], "z={\"a\":1} a={\"a\":1} ");
    }
    assert_int_equal(store_definition_delete(store, STORE_SECTION_MODELS, SLICE("z"), NULL),
                     STATUS_OK);
    expect(store, STORE_SECTION_MODELS, "a={\"a\":1} ");
    expect(store, STORE_SECTION_PROVIDERS, "z={\"a\":1} a={\"a\":1} ");
    store_close(&store);
}

static void one_is_found_changed_and_deleted_by_its_name(void **state)
{
    (void)state;
    struct store *store = database_open();
    struct store_definition definition = definition_of(1, "main"), found;
    struct reason reason = {""};
    struct arena arena;
    arena_init(&arena, NULL, 0, 4096);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(store_definition_update(store, sections[i], &definition, NULL),
                         STATUS_NOT_FOUND);
        assert_int_equal(store_definition_create(store, sections[i], &definition, NULL), STATUS_OK);
        definition.definition = SLICE("{}");
        definition.updated_at_us = 3000;
        assert_int_equal(store_definition_update(store, sections[i], &definition, NULL), STATUS_OK);
        assert_int_equal(
            store_definition_find(store, sections[i], SLICE("main"), &arena, &found, NULL),
            STATUS_OK);
        assert_memory_equal(&found.id, &definition.id, sizeof(found.id));
        assert_true(slice_equal(found.definition, SLICE("{}")));
        assert_int_equal(found.created_at_us, 1000);
        assert_int_equal(found.updated_at_us, 3000);
        assert_int_equal(store_definition_delete(store, sections[i], SLICE("main"), NULL),
                         STATUS_OK);
        assert_int_equal(store_definition_delete(store, sections[i], SLICE("main"), NULL),
                         STATUS_NOT_FOUND);
        assert_int_equal(
            store_definition_find(store, sections[i], SLICE("main"), &arena, &found, &reason),
            STATUS_NOT_FOUND);
    }
    assert_string_equal(reason.text, "there is no model main that the API has added");
    arena_fini(&arena);
    store_close(&store);
}

static void finding_without_memory_is_said(void **state)
{
    (void)state;
    struct store *store = database_open();
    const struct store_definition definition = definition_of(1, "main");
    struct store_definition found;
    struct arena arena;
    arena_init(&arena, NULL, 0, 1);
    assert_int_equal(store_definition_create(store, sections[0], &definition, NULL), STATUS_OK);
    assert_int_equal(store_definition_find(store, sections[0], SLICE("main"), &arena, &found, NULL),
                     STATUS_NO_MEMORY);
    arena_fini(&arena);
    store_close(&store);
}

#define IN_FOLDER(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, database_make_folder, database_remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(each_section_keeps_its_own_in_the_order_of_their_making),
        IN_FOLDER(one_is_found_changed_and_deleted_by_its_name),
        IN_FOLDER(finding_without_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
