/* Owns finding the saved searches with alerts that match a new note for their owners. */
#include "services/search/find.h"

#include "services/search/store_alerts.h"

/* Searches as the owner would now, but without typing mistakes and with the last word as a whole. */
static sn_status matches_note(struct rpc_call *c, const SearchRows__SavedQuery *saved, const char *note_id, bool *found)
{
        Search__SearchRequest in = SEARCH__SEARCH_REQUEST__INIT;
        struct search search = {.in = &in};
        struct query *query = NULL;
        sn_status status = terms_read(c, saved->query, &query);

        *found = false;
        search.query = query;
        status = status == SN_OK ? terms_make(c, query, true, &search.terms) : status;
        if (status != SN_OK) {
                return status == SN_INVALID_ARGUMENT ? SN_OK : status; /* no longer a valid query */
        }
        return find_whether(c, &search, note_id, found);
}

/* The same on behalf of the owner of the search. */
static sn_status finds_for_owner(struct rpc_call *c, const SearchRows__SavedQuery *saved, const char *note_id,
                                 bool *found)
{
        struct arena_mark mark = arena_mark(c->arena);
        const char *actor = c->actor;

        c->actor = saved->user_id;
        sn_status status = matches_note(c, saved, note_id, found);
        c->actor = actor;
        if (status == SN_OK) {
                arena_reset(c->arena, mark);
        }
        return status;
}

static bool has_user(const Search__AlertedList *out, const char *user_id)
{
        for (size_t i = 0; i < out->n_user_ids; i++) {
                if (uuid_equal(out->user_ids[i], user_id)) {
                        return true;
                }
        }
        return false;
}

sn_status search_handle_list_alerted(struct rpc_call *c, const Search__ListAlertedRequest *in, Search__AlertedList *out)
{
        SearchRows__SavedQuery **rows = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_alerting(tx, in->note_id, in->after_id, in->limit, &n, &rows)));
        out->user_ids = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                bool found = false;

                TRY(has_user(out, rows[i]->user_id) ? SN_OK : finds_for_owner(c, rows[i], in->note_id, &found));
                if (found) {
                        out->user_ids[out->n_user_ids++] = rows[i]->user_id;
                }
        }
        out->last_id = n == in->limit ? rows[n - 1]->id : (char *)protobuf_c_empty_string;
        return SN_OK;
}
