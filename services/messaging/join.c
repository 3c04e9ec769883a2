/* Owns coming and going: memberships, and the entries that tell of them. */
#include "services/messaging/join.h"

#include "services/messaging/log.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_participants.h"

sn_status join_check(struct rpc_call *c, const struct joining *joining)
{
        Follow__Relationship **relations = NULL;

        if (joining->n == 0) {
                return SN_OK;
        }
        TRY(people_relations(c, joining->ids, joining->n, &relations));
        for (size_t i = 0; i < joining->n; i++) {
                if (relations[i]->blocking || relations[i]->blocked_by) {
                        return rpc_fail(c, SN_PERMISSION_DENIED, "user_ids", "you cannot bring in the member %s",
                                        joining->ids[i]);
                }
        }
        return SN_OK;
}

static sn_status join_one(struct db_tx *tx, chat_member *member, const char *user_id, int role)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;

        TRY(log_add(tx, member, MESSAGING__CHANGE_KIND__CHANGE_KIND_JOINED, user_id, "", &entry));
        member->members++;
        return chat_store_put_participant(tx, member->chat_id,
                                          &(struct new_participant){
                                              .user_id = user_id,
                                              .role = role,
                                              .state = MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN,
                                              .from_seq = member->history ? 1 : entry.seq,
                                              .seq = entry.seq,
                                              .n = entry.n,
                                          });
}

sn_status join_all(struct db_tx *tx, chat_member *member, const struct joining *joining)
{
        for (size_t i = 0; i < joining->n; i++) {
                chat_member other = MESSAGING_ROWS__MEMBER__INIT;

                TRY(chat_store_member(tx, member->chat_id, joining->ids[i], &other, NULL));
                if (membership_is_present(&other)) {
                        continue;
                }
                if (member->kind == MESSAGING__CHAT_KIND__CHAT_KIND_GROUP && member->members >= GROUP_MAX) {
                        return rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "user_ids",
                                        "a group has at most %d members", GROUP_MAX);
                }
                TRY(join_one(tx, member, joining->ids[i], joining->role));
        }
        return SN_OK;
}

sn_status join_end(struct db_tx *tx, chat_member *member, const char *user_id)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;

        TRY(log_add(tx, member, MESSAGING__CHANGE_KIND__CHANGE_KIND_LEFT, user_id, "", &entry));
        return chat_store_end_participant(tx, member->chat_id, user_id, entry.seq);
}
