/* Owns joining and leaving: memberships and their log entries. */
#include "services/messaging/join.h"

#include "services/messaging/log.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/store_applicants.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_participants.h"

/* Members always accept messages from members whom they follow. */
static sn_status find_state(struct rpc_call *c, const char *id, const Follow__Relationship *relation,
                            User__Correspondents from, int *state)
{
        if (relation->blocking || relation->blocked_by ||
            (from == USER__CORRESPONDENTS__CORRESPONDENTS_NOBODY && !relation->followed_by)) {
                return rpc_fail(c, SN_PERMISSION_DENIED, "user_ids", "the member %s does not accept messages from you",
                                id);
        }
        *state = from == USER__CORRESPONDENTS__CORRESPONDENTS_FOLLOWED && !relation->followed_by
                     ? MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_REQUEST
                     : MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN;
        return SN_OK;
}

sn_status join_check(struct rpc_call *c, struct joining *joining)
{
        Follow__Relationship **relations = NULL;
        User__PrivacySettings **privacy = NULL;

        if (joining->n == 0) {
                return SN_OK;
        }
        joining->states = ARENA_ARRAY(c->arena, int, joining->n);
        TRY(people_relations(c, joining->ids, joining->n, &relations));
        TRY(people_privacy(c, joining->ids, joining->n, &privacy));
        for (size_t i = 0; i < joining->n; i++) {
                TRY(find_state(c, joining->ids[i], relations[i], privacy[i]->messages_from, &joining->states[i]));
        }
        return SN_OK;
}

int join_role(int kind)
{
        return kind == MESSAGING__CHAT_KIND__CHAT_KIND_CHANNEL ? MESSAGING__ROLE__ROLE_READER
                                                               : MESSAGING__ROLE__ROLE_MEMBER;
}

sn_status join_lock(struct db_tx *tx, const char *chat_id, const char *verb, chat_member *member)
{
        TRY(membership_lock(tx, chat_id, member));
        if (member->kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                return rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "id",
                                "a direct chat has exactly two members; create a group instead");
        }
        return membership_check_administers(db_call(tx), member, verb);
}

static sn_status join_one(struct db_tx *tx, chat_member *member, const char *user_id, int role, int state)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;
        bool waited = false;

        TRY(applicant_store_remove(tx, member->chat_id, user_id, &waited));
        TRY(log_add(tx, member, MESSAGING__CHANGE_KIND__CHANGE_KIND_JOINED, user_id, "", &entry));
        member->members++;
        return chat_store_put_participant(tx, member->chat_id,
                                          &(struct new_participant){
                                              .user_id = user_id,
                                              .role = role,
                                              .state = state,
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
                TRY(join_one(tx, member, joining->ids[i], joining->role,
                             joining->states != NULL ? joining->states[i]
                                                     : MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN));
        }
        return SN_OK;
}

static sn_status pass_on(struct db_tx *tx, chat_member *member)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;
        char *heir = NULL;

        TRY(chat_store_heir(tx, member->chat_id, &heir));
        if (heir[0] == '\0') {
                return SN_OK;
        }
        TRY(chat_store_set_role(tx, member->chat_id, heir, MESSAGING__ROLE__ROLE_OWNER));
        return log_add(tx, member, MESSAGING__CHANGE_KIND__CHANGE_KIND_ROLE, heir, "", &entry);
}

sn_status join_find_owner(struct db_tx *tx, chat_member *member)
{
        bool has = member->kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT;

        TRY(has ? SN_OK : chat_store_has_owner(tx, member->chat_id, &has));
        return has ? SN_OK : pass_on(tx, member);
}

sn_status join_end(struct db_tx *tx, chat_member *member, const char *user_id)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;
        chat_member leaving = MESSAGING_ROWS__MEMBER__INIT;

        TRY(chat_store_member(tx, member->chat_id, user_id, &leaving, NULL));
        TRY(log_add(tx, member, MESSAGING__CHANGE_KIND__CHANGE_KIND_LEFT, user_id, "", &entry));
        TRY(chat_store_end_participant(tx, member->chat_id, user_id, entry.sender_id, entry.seq));
        return leaving.role == MESSAGING__ROLE__ROLE_OWNER ? pass_on(tx, member) : SN_OK;
}
