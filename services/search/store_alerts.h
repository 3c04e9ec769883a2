/* The SQL of alerts. */
#ifndef SERVICES_SEARCH_STORE_ALERTS_H
#define SERVICES_SEARCH_STORE_ALERTS_H

#include "services/search/store.h"

/* The lexemes of synonyms of this one. */
SN_CHECKED sn_status store_synonym_forms(struct db_tx *tx, const char *lexeme, size_t *n, SearchRows__Word ***rows);
/* Of the notes, the new ones with an anchor of any search with alerts. */
SN_CHECKED sn_status store_matched(struct db_tx *tx, char **ids, size_t n_ids, size_t *n, SearchRows__Matched ***rows);
/* Searches with alerts that have an anchor in the note, except those of its author; ordered by id, after one. */
SN_CHECKED sn_status store_alerting(struct db_tx *tx, const char *note_id, const char *after, size_t limit, size_t *n,
                                    SearchRows__SavedQuery ***rows);

#endif
