/* The SQL of alerts. */
#ifndef SERVICES_SEARCH_STORE_ALERTS_H
#define SERVICES_SEARCH_STORE_ALERTS_H

#include "services/search/store.h"

/* The lexemes of words that stand for this one. */
SN_CHECKED sn_status store_synonym_forms(struct db_tx *tx, const char *lexeme, size_t *n, SearchRows__Word ***rows);
/* Of these notes the new ones that have an anchor of somebody's search with alerts. */
SN_CHECKED sn_status store_matched(struct db_tx *tx, char **ids, size_t n_ids, size_t *n, SearchRows__Matched ***rows);
/* Searches with alerts of others than its author of whose anchors the note has one, after an id. */
SN_CHECKED sn_status store_alerting(struct db_tx *tx, const char *note_id, const char *after, size_t limit, size_t *n,
                                    SearchRows__SavedQuery ***rows);

#endif
