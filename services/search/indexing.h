/* Shared by the consumers and the rebuild: turning notes and members into rows of the index. */
#ifndef SERVICES_SEARCH_INDEXING_H
#define SERVICES_SEARCH_INDEXING_H

#include "services/search/store.h"

/* Returns one row per note. */
struct indexed_note *indexing_analyse(struct arena *arena, const Note__IndexedNotes *notes);
/* Those of the ids that are not among the notes. */
char **indexing_missing(struct arena *arena, char **ids, size_t n_ids, const Note__IndexedNotes *notes, size_t *n);
/* NULL if it is not among them. */
const User__IndexedUser *indexing_find_member(const User__IndexedUsers *users, const char *id);
SN_CHECKED sn_status indexing_member(struct db_tx *tx, const User__IndexedUser *user);

#endif
