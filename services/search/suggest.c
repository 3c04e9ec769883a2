/* Owns completing what is being typed. Suggests only members and hashtags that a search would show the reader. */
#include "services/search/find.h"

#include <string.h>
#include "services/search/asked.h"
#include "services/search/lexemes.h"
#include "services/search/store_own.h"

enum { SUGGESTED_MAX = 10, OF_EACH_KIND = 3, ITEMS_MAX = 100 };

static bool has_query(struct arena *arena, const Search__Suggestions *out, const char *query)
{
        const char *key = asked_key(arena, query);

        for (size_t i = 0; i < out->n_items; i++) {
                if (strcmp(asked_key(arena, out->items[i]->query), key) == 0) {
                        return true;
                }
        }
        return false;
}

static Search__Suggestion *append_suggestion(struct rpc_call *c, Search__Suggestions *out, Search__SuggestionType type,
                                             const char *query)
{
        Search__Suggestion *item = ARENA_NEW(c->arena, Search__Suggestion);

        search__suggestion__init(item);
        item->type = type;
        item->query = (char *)query;
        out->items[out->n_items++] = item;
        return item;
}

static void append_queries(struct rpc_call *c, Search__Suggestions *out, Search__SuggestionType type, size_t most,
                           SearchRows__Query *const *rows, size_t n)
{
        size_t end = out->n_items + most;

        for (size_t i = 0; i < n && out->n_items < end; i++) {
                if (!has_query(c->arena, out, rows[i]->query)) {
                        append_suggestion(c, out, type, rows[i]->query);
                }
        }
}

/* Without a prefix only the member's latest searches. */
static sn_status suggest_queries(struct rpc_call *c, const char *start, size_t limit, Search__Suggestions *out)
{
        SearchRows__Query **own = NULL, **common = NULL;
        size_t n_own = 0, n_common = 0, most = start[0] == '\0' ? limit : OF_EACH_KIND;

        TRY(c->actor[0] == '\0' ? SN_OK : DB_READ(c, tx, store_own_queries(tx, c->actor, start, most, &n_own, &own)));
        append_queries(c, out, SEARCH__SUGGESTION_TYPE__SUGGESTION_TYPE_HISTORY, most, own, n_own);
        TRY(start[0] == '\0' ? SN_OK
                             : DB_READ(c, tx, store_common_queries(tx, start, 2 * OF_EACH_KIND, &n_common, &common)));
        append_queries(c, out, SEARCH__SUGGESTION_TYPE__SUGGESTION_TYPE_QUERY, OF_EACH_KIND, common, n_common);
        return SN_OK;
}

static void append_found(struct rpc_call *c, const Search__Found *found, Search__Suggestions *out)
{
        if (found->type == SEARCH__FOUND_TYPE__FOUND_TYPE_USER) {
                append_suggestion(c, out, SEARCH__SUGGESTION_TYPE__SUGGESTION_TYPE_USER,
                                  arena_printf(c->arena, "@%s", found->user->username))
                    ->user = found->user;
        } else {
                append_suggestion(c, out, SEARCH__SUGGESTION_TYPE__SUGGESTION_TYPE_HASHTAG,
                                  arena_printf(c->arena, "#%s", found->hashtag));
        }
}

/* "@a" completes only members, "#a" only hashtags. */
static sn_status suggest_found(struct rpc_call *c, const Search__SuggestRequest *in, Search__Suggestions *out)
{
        Search__SearchRequest asked = SEARCH__SEARCH_REQUEST__INIT;
        Search__SearchPage page = SEARCH__SEARCH_PAGE__INIT;
        struct query word = {.kind = QUERY_WORD, .text = in->query, .at = 1};
        struct search search = {.in = &asked, .query = &word};

        page.items = ARENA_ARRAY(c->arena, Search__Found *, 2 * OF_EACH_KIND);
        TRY(in->query[0] != '#' ? find_members(c, &search, OF_EACH_KIND, &page) : SN_OK);
        TRY(in->query[0] != '@' ? find_hashtags(c, &search, OF_EACH_KIND, &page) : SN_OK);
        for (size_t i = 0; i < page.n_items; i++) {
                append_found(c, page.items[i], out);
        }
        return SN_OK;
}

sn_status search_handle_suggest(struct rpc_call *c, const Search__SuggestRequest *in, Search__Suggestions *out)
{
        size_t limit = in->limit == 0 ? SUGGESTED_MAX : in->limit;
        const char *start = asked_key(c->arena, in->query);

        out->items = ARENA_ARRAY(c->arena, Search__Suggestion *, ITEMS_MAX + 4 * OF_EACH_KIND);
        TRY(suggest_queries(c, start, limit, out));
        TRY(start[0] != '\0' ? suggest_found(c, in, out) : SN_OK);
        out->n_items = out->n_items < limit ? out->n_items : limit;
        return SN_OK;
}
