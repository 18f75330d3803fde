#include "store/sqlite/rules_row.h"

void rules_bind(struct query *query, int parameter, const struct store_rules *rules)
{
    query_bind_text_or_null(query, parameter, rules->models);
    query_bind_text_or_null(query, parameter + 1, rules->routes);
    query_bind_text_or_null(query, parameter + 2, rules->networks);
    query_bind_text_or_null(query, parameter + 3, rules->tags);
    query_bind_text_or_null(query, parameter + 4, rules->limits);
    query_bind_u64(query, parameter + 5, rules->warn_only);
}

struct store_rules rules_read(struct query *query, int column)
{
    return (struct store_rules){
        .models = query_read_text(query, column),
        .routes = query_read_text(query, column + 1),
        .networks = query_read_text(query, column + 2),
        .tags = query_read_text(query, column + 3),
        .limits = query_read_text(query, column + 4),
        .warn_only = query_read_u64(query, column + 5) != 0,
    };
}

bool text_keep(struct slice *text, struct arena *arena)
{
    if (text->data == NULL)
        return true;
    *text = arena_copy(arena, *text);
    return text->data != NULL;
}

bool rules_keep(struct store_rules *rules, struct arena *arena)
{
    return text_keep(&rules->models, arena) && text_keep(&rules->routes, arena) &&
           text_keep(&rules->networks, arena) && text_keep(&rules->tags, arena) &&
           text_keep(&rules->limits, arena);
}
