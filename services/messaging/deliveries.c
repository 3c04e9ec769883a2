/* Owns deliveries to devices. A device acknowledges the position of the last event that it received on the live stream;
 * everything before it counts as delivered in all chats. Members' own messages count as delivered when they are sent
 * (store_log.c). */
#include "services/messaging/messaging.h"

#include "services/messaging/people.h"
#include "services/messaging/store_receipts.h"

enum { CHATS_AT_ONCE = 100 };

/* Deliveries are not disclosed across a block. tells[i] belongs to chats[i]. */
static sn_status ask_whether_told(struct rpc_call *c, char *user_id, MessagingRows__Undelivered *const *chats, size_t n,
                                  bool *tells)
{
        User__PrivacySettings **privacy = NULL;
        Follow__Relationship **relations = NULL;
        char **viewers = ARENA_ARRAY(c->arena, char *, n), **peers = ARENA_ARRAY(c->arena, char *, n);

        TRY(people_privacy(c, &user_id, 1, &privacy));
        for (size_t i = 0; i < n; i++) {
                viewers[i] = user_id;
                peers[i] = chats[i]->peer_id[0] != '\0' ? chats[i]->peer_id : user_id;
        }
        TRY(people_relations_of(c, viewers, peers, n, &relations));
        for (size_t i = 0; i < n; i++) {
                tells[i] = privacy[0]->delivery_receipts && !relations[i]->blocking && !relations[i]->blocked_by;
        }
        return SN_OK;
}

static sn_status deliver_one(struct db_tx *tx, char *user_id, const MessagingRows__Undelivered *chat, bool tell)
{
        bool raised = false;

        TRY(receipt_store_deliver(tx, user_id, chat, &raised));
        if (!raised || !tell) {
                return SN_OK;
        }
        TRY(receipt_store_put_delivered(tx, user_id, chat));
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_CHAT_DELIVERED,
                                                     .aggregate_id = chat->chat_id,
                                                     .object_id = user_id,
                                                     .version = chat->seq});
}

static sn_status deliver_to(struct db_tx *tx, char *user_id, MessagingRows__Undelivered *const *chats, size_t n,
                            const bool *tells)
{
        TRY(db_lock_one(tx, "deliveries", user_id));
        for (size_t i = 0; i < n; i++) {
                TRY(deliver_one(tx, user_id, chats[i], tells[i]));
        }
        return SN_OK;
}

sn_status messaging_handle_acknowledge_messages(struct rpc_call *c, const Sonet__Live__AcknowledgeRequest *in,
                                                Google__Protobuf__Empty *out)
{
        const struct reached reached = {.user_id = in->user_id, .log_id = in->log_id, .position = in->position};
        bool *tells = ARENA_ARRAY(c->arena, bool, CHATS_AT_ONCE), known = false;

        TRY(DB_READ(c, tx, receipt_store_is_known(tx, &reached, &known)));
        for (size_t n = CHATS_AT_ONCE; known && n == CHATS_AT_ONCE;) {
                MessagingRows__Undelivered **chats = NULL;

                TRY(DB_READ(c, tx, receipt_store_undelivered(tx, &reached, CHATS_AT_ONCE, &n, &chats)));
                if (n == 0) {
                        break;
                }
                TRY(ask_whether_told(c, in->user_id, chats, n, tells));
                TRY(DB_WRITE(c, tx, deliver_to(tx, in->user_id, chats, n, tells)));
        }
        return SN_OK;
}
