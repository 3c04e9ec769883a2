/* The SQL of search_service. */
#ifndef SERVICES_SEARCH_STORE_H
#define SERVICES_SEARCH_STORE_H

#include "db/db.h"
#include "services/search/search.rpc.h"

/* 0 for a member without a row. */
SN_CHECKED sn_status search_store_count(struct db_tx *tx, const char *user_id, Search__Count *out);
/* Adds notes[i] to the count of authors[i]; an author may come more than once. */
SN_CHECKED sn_status search_store_add(struct db_tx *tx, char *const *authors, const int64_t *notes, size_t n);

#endif
