/* Owns the SQL of alerts. */
#include "services/search/store_alerts.h"

#include "services/page.h"

DB_STATEMENT(SELECT_SYNONYM_FORMS, "search_service", &search_rows__word__message,
             "select distinct unnest(words || forms) as word from search_synonyms where words @> array[$1::text]");

sn_status store_synonym_forms(struct db_tx *tx, const char *lexeme, size_t *n, SearchRows__Word ***rows)
{
        return db_list(tx, &SELECT_SYNONYM_FORMS, DB_BINDS(bind_text(lexeme)), n, rows);
}

/* Only new notes, not those that are indexed again. First checks whether there are any saved searches, which is cheaper
 * than computing a note's anchors; these are computed once a note. */
DB_STATEMENT(SELECT_MATCHED, "search_service", &search_rows__matched__message,
             "with note as materialized (select note_id, author_id, search_anchors(words) as anchors from search_index"
             " where note_id = any($1::uuid[]) and search_note_time(note_id) > now() - interval '1 day'"
             " and (select id from saved_searches order by id limit 1) is not null)"
             " select note_id, author_id from note n where exists (select from search_saved_with(n.anchors) s"
             " where s.user_id <> n.author_id)");

sn_status store_matched(struct db_tx *tx, char **ids, size_t n_ids, size_t *n, SearchRows__Matched ***rows)
{
        *n = 0;
        return n_ids > 0 ? db_list(tx, &SELECT_MATCHED, DB_BINDS(bind_uuids(ids, n_ids)), n, rows) : SN_OK;
}

/* Filters by anchors before ordering, since a note matches few of the searches. */
DB_STATEMENT(SELECT_ALERTING, "search_service", &search_rows__saved_query__message,
             "with note as materialized (select author_id, search_anchors(words) as anchors from search_index"
             " where note_id = $1) select s.id, s.user_id, s.query from note n, search_saved_with(n.anchors) s"
             " where s.user_id <> n.author_id and s.id > coalesce($2::uuid,"
             " '00000000-0000-0000-0000-000000000000') order by s.id limit $3");

sn_status store_alerting(struct db_tx *tx, const char *note_id, const char *after, size_t limit, size_t *n,
                         SearchRows__SavedQuery ***rows)
{
        return db_list(tx, &SELECT_ALERTING, DB_BINDS(bind_uuid(note_id), bind_uuid(after), bind_i64((int64_t)limit)),
                       n, rows);
}
