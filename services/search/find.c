/* Owns the method Search: parses the query and runs the search of each type. */
#include "services/search/find.h"

#include "base/buf.h"
#include "base/clock.h"
#include "services/search/asked.h"
#include "services/search/history.h"
#include "services/search/lexemes.h"

enum { OF_EACH_TYPE = 3, ITEMS_MAX = 110 };

static void append_plain(struct buf *out, struct arena *arena, const struct query *query)
{
        if (query->kind >= QUERY_WORD && query->kind <= QUERY_PHRASE) {
                if (out->len > 0) {
                        buf_append_char(out, ' ');
                }
                buf_append_c(out, lexeme_fold(arena, query->text));
        }
        for (size_t i = 0; i < query->n && query->kind != QUERY_NOT; i++) {
                append_plain(out, arena, query->children[i]);
        }
}

const char *search_plain_text(struct arena *arena, const struct query *query)
{
        struct buf out;

        buf_init(&out, 16384);
        append_plain(&out, arena, query);
        char *text = arena_strndup(arena, out.data != NULL ? out.data : "", out.len);
        buf_free(&out);
        return text;
}

Search__Found *find_append(struct rpc_call *c, Search__SearchPage *out, Search__FoundType type)
{
        Search__Found *found = ARENA_NEW(c->arena, Search__Found);

        search__found__init(found);
        found->type = type;
        out->items[out->n_items++] = found;
        return found;
}

void find_explain(struct rpc_call *c, Search__Found *found, const char *name, const char *detail, int64_t value)
{
        enum { PARTS_MAX = 20 };
        Search__ScorePart *part = ARENA_NEW(c->arena, Search__ScorePart);

        if (found->explanation == NULL) {
                found->explanation = ARENA_ARRAY(c->arena, Search__ScorePart *, PARTS_MAX);
        }
        search__score_part__init(part);
        part->name = (char *)name;
        part->detail = (char *)detail;
        part->value = value;
        found->explanation[found->n_explanation++] = part;
}

static sn_status read_query(struct rpc_call *c, struct search *search)
{
        struct query *query;

        TRY(terms_read(c, search->in->query, &query));
        search->query = query;
        search->text = query_print(c->arena, search->query);
        search->filter = arena_printf(c->arena, "%d %d %s", (int)search->in->type, (int)search->in->sort, search->text);
        return SN_OK;
}

/* Types other than notes return their best matches on a single page. */
static sn_status find_others(struct rpc_call *c, const struct search *search, Search__SearchPage *out)
{
        size_t limit = page_limit(search->in->limit);
        bool first = search->in->cursor[0] == '\0';

        switch (search->in->type) {
        case SEARCH__SEARCH_TYPE__SEARCH_TYPE_USERS:
                return find_members(c, search, limit, out);
        case SEARCH__SEARCH_TYPE__SEARCH_TYPE_HASHTAGS:
                return find_hashtags(c, search, limit, out);
        case SEARCH__SEARCH_TYPE__SEARCH_TYPE_NOTES:
                return SN_OK;
        default:
                TRY(first ? find_members(c, search, OF_EACH_TYPE, out) : SN_OK);
                return first ? find_hashtags(c, search, OF_EACH_TYPE, out) : SN_OK;
        }
}

static bool wants_notes(const Search__SearchRequest *in)
{
        return in->type != SEARCH__SEARCH_TYPE__SEARCH_TYPE_USERS &&
               in->type != SEARCH__SEARCH_TYPE__SEARCH_TYPE_HASHTAGS;
}

sn_status search_handle_search(struct rpc_call *c, const Search__SearchRequest *in, Search__SearchPage *out)
{
        struct search search = {.in = in};
        int64_t began_us = clock_monotonic_us();

        TRY(read_query(c, &search));
        TRY(terms_make(c, search.query, false, &search.terms));
        out->items = ARENA_ARRAY(c->arena, Search__Found *, ITEMS_MAX);
        out->query = (char *)search.text;
        TRY(find_others(c, &search, out));
        if (wants_notes(in)) {
                TRY(find_notes(c, &search, out));
        }
        out->partial = search.partial;
        if (in->cursor[0] != '\0') {
                return SN_OK;
        }
        return asked_record(c, &search, began_us, out);
}
