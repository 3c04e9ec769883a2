/* Caches of messages by id: deep copies of rows, which nothing changes any more. */
#ifndef CACHE_MESSAGE_H
#define CACHE_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include "cache/cache.h"

/* For fill: the row of an id. SN_RESOURCE_EXHAUSTED without memory for the copy. */
SN_CHECKED sn_status cache_fill_message(struct rpc_call *c, struct cache_item *const *missing, size_t n, const char *id,
                                        const ProtobufCMessage *row);
/* The same for rows with messages that are sent as JSON: keep_json calls json_keep for them (json/json.h), and returns
 * the bytes that it takes. */
SN_CHECKED sn_status cache_fill_shown_message(struct rpc_call *c, struct cache_item *const *missing, size_t n,
                                              const char *id, const ProtobufCMessage *row,
                                              size_t (*keep_json)(ProtobufCMessage *row));
/* This transaction creates the row: it is cached after its COMMIT, as cache_fill_shown_message does (cache_added). */
void cache_shown_message_added(struct cache *cache, struct db_tx *tx, const char *id, const ProtobufCMessage *row,
                               size_t (*keep_json)(ProtobufCMessage *row));
/* out[i] is the row of ids[i], NULL if there is none (or none in memory, if only that is asked). Read-only, valid as
 * long as the call. out is `Type **`. */
SN_CHECKED sn_status cache_get_messages(struct rpc_call *c, struct cache *cache, enum read_from from, char *const *ids,
                                        size_t n, void *out);

#endif
