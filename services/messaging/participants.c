/* Owns the members of a chat: listing, adding, removing, leaving, roles. */
#include "services/messaging/messaging.h"

#include <string.h>
#include "auth/cursor.h"
#include "services/member.h"
#include "services/messaging/join.h"
#include "services/messaging/log.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_participants.h"

static sn_status show_participants(struct rpc_call *c, chat_member **members, size_t n, Messaging__ParticipantList *out)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n), **viewers = ARENA_ARRAY(c->arena, char *, n);
        User__Author **people = NULL;
        bool *blocked = NULL;

        for (size_t i = 0; i < n; i++) {
                ids[i] = members[i]->user_id;
                viewers[i] = (char *)c->actor;
        }
        TRY(people_get(c, ids, n, &people));
        TRY(people_blocked(c, viewers, ids, n, &blocked));
        out->items = ARENA_ARRAY(c->arena, Messaging__Participant *, n);
        for (size_t i = 0; i < n; i++) {
                Messaging__Participant *p = ARENA_NEW(c->arena, Messaging__Participant);

                if (people[i] == NULL) {
                        continue; /* the account is gone */
                }
                messaging__participant__init(p);
                p->user = people[i];
                p->role = (Messaging__Role)members[i]->role;
                p->joined_at = members[i]->joined_at;
                p->blocked = blocked[i];
                out->items[out->n_items++] = p;
        }
        return SN_OK;
}

static int64_t time_ms(const Google__Protobuf__Timestamp *at)
{
        return at->seconds * 1000 + at->nanos / 1000000;
}

static char *cursor_behind(struct rpc_call *c, const char *filter, const chat_member *last)
{
        struct cursor cursor = {.at = {.sort_key = time_ms(last->joined_at)}};

        memcpy(cursor.at.id, last->user_id, UUID_SIZE);
        return cursor_encode(c, filter, &cursor);
}

sn_status messaging_handle_list_participants(struct rpc_call *c, const Messaging__ListParticipantsRequest *in,
                                             Messaging__ParticipantList *out)
{
        size_t limit = page_limit(in->limit), n = 0;
        struct page_scan scan = {.newer = true, .limit = limit + 1};
        chat_member member = MESSAGING_ROWS__MEMBER__INIT, **members = NULL;
        struct cursor from = {0};

        TRY(cursor_decode(c, in->id, "cursor", in->cursor, &from));
        TRY(membership_read_present(c, in->id, &member));
        scan.beyond = from.at;
        TRY(DB_READ(c, tx, chat_store_participants(tx, in->id, &scan, &n, &members)));
        TRY(show_participants(c, members, n < limit ? n : limit, out));
        out->next_cursor = n > limit ? cursor_behind(c, in->id, members[limit - 1]) : "";
        return SN_OK;
}

sn_status messaging_handle_add_participants(struct rpc_call *c, const Messaging__AddParticipantsRequest *in,
                                            Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        struct joining joining = {0};

        TRY(people_find(c, in->user_ids, in->n_user_ids, &joining.ids, &joining.n));
        TRY(join_check(c, &joining));
        TRY(db_begin(c, &tx));
        TRY(join_lock(tx, in->id, "bring members in", &member));
        joining.role = join_role(member.kind);
        TRY(join_all(tx, &member, &joining));
        return db_commit(c, NULL, &tx);
}

/* Members may always remove themselves; owners and administrators may remove members below their own role. */
static sn_status check_removal(struct db_tx *tx, const chat_member *member, const char *user_id)
{
        struct rpc_call *c = db_call(tx);
        chat_member other = MESSAGING_ROWS__MEMBER__INIT;

        if (member->kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                return rpc_fail(c, SN_FAILED_PRECONDITION, "id", "a direct chat cannot be left; delete it instead");
        }
        TRY(chat_store_member(tx, member->chat_id, user_id, &other, NULL));
        if (!membership_is_present(&other)) {
                return rpc_fail(c, SN_NOT_FOUND, "user_id", "this member is not in the chat");
        }
        if (uuid_equal(user_id, c->actor)) {
                return SN_OK;
        }
        TRY(membership_check_administers(c, member, "take members out"));
        return other.role > member->role
                   ? SN_OK
                   : rpc_fail(c, SN_PERMISSION_DENIED, "user_id", "you can only remove members below your own role");
}

sn_status messaging_handle_remove_participant(struct rpc_call *c, const Messaging__RemoveParticipantRequest *in,
                                              Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        char *id = NULL;

        TRY(member_find(c, in->user_id, &id));
        TRY(db_begin(c, &tx));
        TRY(membership_lock(tx, in->id, &member));
        TRY(check_removal(tx, &member, id));
        TRY(join_end(tx, &member, id));
        return db_commit(c, NULL, &tx);
}

/* ---- Roles ---- */

static sn_status check_role(struct db_tx *tx, const chat_member *member, const char *user_id, int role)
{
        struct rpc_call *c = db_call(tx);
        chat_member other = MESSAGING_ROWS__MEMBER__INIT;

        if (member->kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                return rpc_fail(c, SN_FAILED_PRECONDITION, "id", "a direct chat has no roles");
        }
        TRY(membership_check_administers(c, member, "change roles"));
        TRY(chat_store_member(tx, member->chat_id, user_id, &other, NULL));
        if (!membership_is_present(&other)) {
                return rpc_fail(c, SN_NOT_FOUND, "user_id", "this member is not in the chat");
        }
        if (other.role <= member->role || role < member->role) {
                return rpc_fail(c, SN_PERMISSION_DENIED, "role",
                                "you can only change members below your own role, to a role up to your own");
        }
        /* a new owner must have accepted the chat, or nobody could administer it */
        return role == MESSAGING__ROLE__ROLE_OWNER && other.state != MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN
                   ? rpc_fail(c, SN_FAILED_PRECONDITION, "user_id", "this member has not accepted the chat yet")
                   : SN_OK;
}

static sn_status give_role(struct db_tx *tx, chat_member *member, const char *user_id, int role)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;

        TRY(chat_store_set_role(tx, member->chat_id, user_id, role));
        return log_add(tx, member, MESSAGING__CHANGE_KIND__CHANGE_KIND_ROLE, user_id, "", &entry);
}

/* There is only one owner; when ownership is handed over, the former owner becomes an administrator. */
static sn_status update_role(struct db_tx *tx, const char *chat_id, const char *user_id, int role)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(membership_lock(tx, chat_id, &member));
        TRY(check_role(tx, &member, user_id, role));
        TRY(give_role(tx, &member, user_id, role));
        return role == MESSAGING__ROLE__ROLE_OWNER
                   ? give_role(tx, &member, db_call(tx)->actor, MESSAGING__ROLE__ROLE_ADMINISTRATOR)
                   : SN_OK;
}

sn_status messaging_handle_update_participant(struct rpc_call *c, const Messaging__UpdateParticipantRequest *in,
                                              Google__Protobuf__Empty *out)
{
        char *id = NULL;

        TRY(member_find(c, in->user_id, &id));
        return DB_WRITE(c, tx, update_role(tx, in->id, id, (int)in->role));
}
