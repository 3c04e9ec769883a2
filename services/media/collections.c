/* Owns members' collections: nested folders of their own media. */
#include "services/media/collections.h"

#include "base/text.h"
#include "services/media/media.h"
#include "services/media/store.h"
#include "services/media/store_collections.h"

enum { COLLECTIONS_MAX = 1000 };

sn_status label_key(struct rpc_call *c, const char *field, const char *label, char **key)
{
        if (text_is_blank(label) || !text_is_one_line(label)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, field, "must be one line with visible characters");
        }
        *key = text_casefold_nfkc(c->arena, str_dup(c->arena, text_trim(str_of(label))));
        return *key != NULL ? SN_OK : rpc_fail(c, SN_INVALID_ARGUMENT, field, "is not UTF-8");
}

static sn_status check_parent(struct db_tx *tx, const char *parent_id)
{
        collection row = MEDIA_COLLECTIONS__COLLECTION__INIT;

        if (parent_id[0] == '\0') {
                return SN_OK;
        }
        sn_status status = store_collection(tx, parent_id, &row);
        return status == SN_NOT_FOUND
                   ? rpc_fail(db_call(tx), SN_INVALID_ARGUMENT, "parent_id", "you have no collection with this id")
                   : status;
}

/* Locks the owner's quota, so that concurrent requests count each other. */
static sn_status check_room(struct db_tx *tx)
{
        struct rpc_call *c = db_call(tx);
        MediaRows__Quota quota = MEDIA_ROWS__QUOTA__INIT;
        int64_t n = 0;

        TRY(store_lock_quota(tx, c->actor, &quota));
        TRY(store_count_collections(tx, &n));
        return n < COLLECTIONS_MAX ? SN_OK
                                   : rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_many_collections", NULL,
                                                   "you have %d collections; delete one first", COLLECTIONS_MAX);
}

sn_status media_handle_create_collection(struct rpc_call *c, const MediaCollections__CreateCollectionRequest *in,
                                         collection *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *id = uuid_new_in(c->arena), *key = NULL;

        TRY(label_key(c, "name", in->name, &key));
        TRY(db_begin(c, &tx));
        TRY(check_room(tx));
        TRY(check_parent(tx, in->parent_id));
        TRY(store_insert_collection(tx, id, in->parent_id, in->name, key));
        TRY(store_collection(tx, id, out));
        return db_commit(c, NULL, &tx);
}

sn_status media_handle_get_collection(struct rpc_call *c, const MediaCollections__GetCollectionRequest *in,
                                      collection *out)
{
        return DB_READ(c, tx, store_collection(tx, in->id, out));
}

static sn_status read_list(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                           ProtobufCMessage ***rows)
{
        const MediaCollections__ListCollectionsRequest *in = context;

        return store_list_collections(tx, in->parent_id, scan, n, (collection ***)rows);
}

sn_status media_handle_list_collections(struct rpc_call *c, const MediaCollections__ListCollectionsRequest *in,
                                        MediaCollections__CollectionList *out)
{
        struct page page;
        const char *filter = arena_printf(c->arena, "collections %s", in->parent_id);

        TRY(page_read_rows(c, filter, read_list, in, PAGE_ASKED(in, MEDIA_COLLECTIONS__LIST_COLLECTIONS_REQUEST),
                           &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}

/* A collection must not contain itself. Locks the quota, so that two concurrent moves cannot create a cycle. */
static sn_status check_move(struct db_tx *tx, const char *id, const char *parent_id)
{
        struct rpc_call *c = db_call(tx);
        MediaRows__Quota quota = MEDIA_ROWS__QUOTA__INIT;
        bool below = false;

        TRY(store_lock_quota(tx, c->actor, &quota));
        TRY(check_parent(tx, parent_id));
        TRY(store_is_below(tx, parent_id, id, &below));
        return below ? rpc_fail(c, SN_INVALID_ARGUMENT, "parent_id", "a collection cannot be moved into itself")
                     : SN_OK;
}

sn_status media_handle_update_collection(struct rpc_call *c, const MediaCollections__UpdateCollectionRequest *in,
                                         collection *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *key = NULL;
        bool moves = in->parent_presence_case != 0;

        if (in->name_presence_case != 0) {
                TRY(label_key(c, "name", in->name, &key));
        }
        TRY(db_begin(c, &tx));
        TRY(store_collection(tx, in->id, out));
        TRY(moves ? check_move(tx, in->id, in->parent_id) : SN_OK);
        TRY(store_update_collection(tx, in->id, moves ? in->parent_id : NULL, key != NULL ? in->name : NULL, key));
        TRY(store_collection(tx, in->id, out));
        return db_commit(c, NULL, &tx);
}

sn_status media_handle_delete_collection(struct rpc_call *c, const MediaCollections__DeleteCollectionRequest *in,
                                         Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_delete_collection(tx, in->id));
}

sn_status media_handle_add_to_collection(struct rpc_call *c, const MediaCollections__CollectionItemRequest *in,
                                         Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        collection row = MEDIA_COLLECTIONS__COLLECTION__INIT;
        bool own = false;

        TRY(db_begin(c, &tx));
        TRY(store_collection(tx, in->id, &row));
        TRY(store_add_item(tx, in->id, in->media_id, &own));
        return own ? db_commit(c, NULL, &tx) : rpc_fail(c, SN_NOT_FOUND, "media_id", "you have no media with this id");
}

sn_status media_handle_remove_from_collection(struct rpc_call *c, const MediaCollections__CollectionItemRequest *in,
                                              Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        collection row = MEDIA_COLLECTIONS__COLLECTION__INIT;

        TRY(db_begin(c, &tx));
        TRY(store_collection(tx, in->id, &row));
        TRY(store_remove_item(tx, in->id, in->media_id));
        return db_commit(c, NULL, &tx);
}
