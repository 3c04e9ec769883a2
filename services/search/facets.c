/* Owns facets. Only notes that the reader may see are counted, so that facets reveal nothing about others: loads all
 * ranked notes as for a page, then counts the values of those that are left in the index. */
#include "services/search/facets.h"

#include <string.h>
#include "services/search/store.h"

enum { AT_ONCE = 100, VALUES_MAX = 20 };

static sn_status load_shown(struct rpc_call *c, const struct ranked *ranked, size_t n, char **shown, size_t *n_shown)
{
        struct arena_mark mark = arena_mark(c->arena);
        char *ids[AT_ONCE];

        for (size_t at = 0; at < n; at += AT_ONCE) {
                size_t n_ids = n - at < AT_ONCE ? n - at : AT_ONCE;
                Note__Notes notes = NOTE__NOTES__INIT;

                for (size_t i = 0; i < n_ids; i++) {
                        ids[i] = (char *)ranked[at + i].id;
                }
                TRY(find_show(c, ranked, n, ids, n_ids, &notes));
                for (size_t i = 0, k = at; i < notes.n_items; i++) { /* in the order requested */
                        while (strcmp(ranked[k].id, notes.items[i]->id) != 0) {
                                k++;
                        }
                        shown[(*n_shown)++] = (char *)ranked[k].id;
                }
                arena_reset(c->arena, mark);
        }
        return SN_OK;
}

static bool has_kind(const struct search *search, size_t before, Search__FacetKind kind)
{
        for (size_t i = 0; i < before; i++) {
                if (search->in->facets[i] == kind) {
                        return true;
                }
        }
        return false;
}

static Search__Facet *new_facet(struct rpc_call *c, Search__FacetKind kind)
{
        Search__Facet *facet = ARENA_NEW(c->arena, Search__Facet);

        search__facet__init(facet);
        facet->kind = kind;
        facet->values = ARENA_ARRAY(c->arena, Search__FacetValue *, VALUES_MAX);
        return facet;
}

/* Turns "#cats", ":lang:de" and "2026-11" into filters of the query language. Authors follow later. */
static void add_value(struct rpc_call *c, Search__Facet *facet, const SearchRows__FacetCount *row)
{
        Search__FacetValue *value = ARENA_NEW(c->arena, Search__FacetValue);
        const char *lexeme = row->lexeme;

        search__facet_value__init(value);
        value->count = row->count;
        if (lexeme[0] == ':') {
                value->value = strchr(lexeme + 1, ':') + 1;
                value->filter = (char *)lexeme + 1;
        } else if (lexeme[0] == '#') {
                value->value = (char *)lexeme + 1;
                value->filter = arena_printf(c->arena, "tag:%s", value->value);
        } else {
                value->value = (char *)lexeme;
                value->filter = arena_printf(c->arena, "during:%s", lexeme);
        }
        facet->values[facet->n_values++] = value;
}

/* Adds authors by name, without those who have left meanwhile. */
static sn_status name_authors(struct rpc_call *c, Search__Facet *facet)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors authors = USER__AUTHORS__INIT;
        size_t n = 0;

        in.ids = ARENA_ARRAY(c->arena, char *, facet->n_values);
        for (; in.n_ids < facet->n_values; in.n_ids++) {
                in.ids[in.n_ids] = facet->values[in.n_ids]->value;
        }
        TRY(user_batch_get_authors(c, &in, &authors));
        if (authors.n_items != in.n_ids) {
                return rpc_fail(c, SN_INTERNAL, NULL, "user service answered with the wrong number of items");
        }
        for (size_t i = 0; i < in.n_ids; i++) {
                if (authors.items[i]->id[0] != '\0') {
                        facet->values[i]->value = authors.items[i]->username;
                        facet->values[i]->filter = arena_printf(c->arena, "from:%s", authors.items[i]->username);
                        facet->values[n++] = facet->values[i];
                }
        }
        facet->n_values = n;
        return SN_OK;
}

static sn_status add_facet(struct rpc_call *c, Search__FacetKind kind, SearchRows__FacetCount *const *rows, size_t n,
                           Search__SearchPage *out)
{
        Search__Facet *facet = new_facet(c, kind);

        for (size_t i = 0; i < n; i++) {
                if (rows[i]->kind == (int64_t)kind) {
                        add_value(c, facet, rows[i]);
                }
        }
        out->facets[out->n_facets++] = facet;
        return kind == SEARCH__FACET_KIND__FACET_KIND_AUTHOR ? name_authors(c, facet) : SN_OK;
}

sn_status facets_count(struct rpc_call *c, const struct search *search, const struct ranked *ranked, size_t n,
                       Search__SearchPage *out)
{
        char **shown = ARENA_ARRAY(c->arena, char *, n);
        int64_t *kinds = ARENA_ARRAY(c->arena, int64_t, search->in->n_facets);
        SearchRows__FacetCount **rows = NULL;
        size_t n_shown = 0, n_rows = 0;

        for (size_t i = 0; i < search->in->n_facets; i++) {
                kinds[i] = search->in->facets[i];
        }
        TRY(load_shown(c, ranked, n, shown, &n_shown));
        TRY(DB_READ(c, tx, store_facets(tx, shown, n_shown, kinds, search->in->n_facets, &n_rows, &rows)));
        out->facets = ARENA_ARRAY(c->arena, Search__Facet *, search->in->n_facets);
        for (size_t i = 0; i < search->in->n_facets; i++) {
                if (!has_kind(search, i, search->in->facets[i])) {
                        TRY(add_facet(c, search->in->facets[i], rows, n_rows, out));
                }
        }
        return SN_OK;
}
