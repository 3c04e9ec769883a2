/* The SQL of the actor's collections and tags. */
#ifndef SERVICES_MEDIA_STORE_COLLECTIONS_H
#define SERVICES_MEDIA_STORE_COLLECTIONS_H

#include "db/db.h"
#include "services/media/media_collections.rpc.h"
#include "services/page.h"

typedef MediaCollections__Collection collection;

/* SN_NOT_FOUND when there is none. */
SN_CHECKED sn_status store_collection(struct db_tx *tx, const char *id, collection *out);
SN_CHECKED sn_status store_count_collections(struct db_tx *tx, int64_t *n);
/* parent_id "": none. SN_ALREADY_EXISTS (collection_exists) on the field name if the parent already has that name;
 * likewise the next function. */
SN_CHECKED sn_status store_insert_collection(struct db_tx *tx, const char *id, const char *parent_id, const char *name,
                                             const char *key);
/* Values that are NULL stay. */
SN_CHECKED sn_status store_update_collection(struct db_tx *tx, const char *id, const char *parent_id, const char *name,
                                             const char *key);
/* Whether it is the other one or inside it. */
SN_CHECKED sn_status store_is_below(struct db_tx *tx, const char *id, const char *other_id, bool *below);
SN_CHECKED sn_status store_list_collections(struct db_tx *tx, const char *parent_id, const struct page_scan *scan,
                                            size_t *n, collection ***rows);
/* Deletes it with the collections inside it, but not their media. SN_NOT_FOUND if there is none. */
SN_CHECKED sn_status store_delete_collection(struct db_tx *tx, const char *id);
SN_CHECKED sn_status store_delete_collections_of(struct db_tx *tx, const char *owner_id);

/* *own is false if the actor has no such media. */
SN_CHECKED sn_status store_add_item(struct db_tx *tx, const char *id, const char *media_id, bool *own);
SN_CHECKED sn_status store_remove_item(struct db_tx *tx, const char *id, const char *media_id);

/* Replaces all tags. */
SN_CHECKED sn_status store_set_tags(struct db_tx *tx, const char *media_id, char **tags, size_t n);

#endif
