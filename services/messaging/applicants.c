/* Owns applicants: members who used a link that requires approval. */
#include "services/messaging/messaging.h"

#include "services/member.h"
#include "services/messaging/join.h"
#include "services/messaging/people.h"
#include "services/messaging/store_applicants.h"

enum { LISTED_MAX = 100 };

static sn_status read_applicants(struct db_tx *tx, const char *chat_id, size_t *n, Messaging__Applicant ***applicants)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(join_lock(tx, chat_id, "let members in", &member));
        return applicant_store_list(tx, chat_id, LISTED_MAX, n, applicants);
}

sn_status messaging_handle_list_applicants(struct rpc_call *c, const Messaging__ListApplicantsRequest *in,
                                           Messaging__ApplicantList *out)
{
        Messaging__Applicant **applicants = NULL;
        User__Author **people = NULL;
        size_t n = 0;

        TRY(DB_WRITE(c, tx, read_applicants(tx, in->id, &n, &applicants)));
        char **ids = ARENA_ARRAY(c->arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = applicants[i]->user->id;
        }
        TRY(people_get(c, ids, n, &people));
        out->items = ARENA_ARRAY(c->arena, Messaging__Applicant *, n);
        for (size_t i = 0; i < n; i++) {
                if (people[i] != NULL) {
                        applicants[i]->user = people[i];
                        out->items[out->n_items++] = applicants[i];
                }
        }
        return SN_OK;
}

static sn_status end_application(struct db_tx *tx, const char *chat_id, const char *user_id)
{
        bool removed = false;

        TRY(applicant_store_remove(tx, chat_id, user_id, &removed));
        return removed ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "user_id", "this member has not applied to join");
}

static sn_status accept_applicant(struct db_tx *tx, const char *chat_id, char *user_id)
{
        struct joining joining = {.ids = &user_id, .n = 1};
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(join_lock(tx, chat_id, "let members in", &member));
        TRY(end_application(tx, chat_id, user_id));
        joining.role = join_role(member.kind);
        return join_all(tx, &member, &joining);
}

sn_status messaging_handle_accept_applicant(struct rpc_call *c, const Messaging__AcceptApplicantRequest *in,
                                            Google__Protobuf__Empty *out)
{
        char *id = NULL;

        TRY(member_find(c, in->user_id, &id));
        return DB_WRITE(c, tx, accept_applicant(tx, in->id, id));
}

static sn_status decline_applicant(struct db_tx *tx, const char *chat_id, const char *user_id)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(join_lock(tx, chat_id, "let members in", &member));
        return end_application(tx, chat_id, user_id);
}

sn_status messaging_handle_decline_applicant(struct rpc_call *c, const Messaging__DeclineApplicantRequest *in,
                                             Google__Protobuf__Empty *out)
{
        char *id = NULL;

        TRY(member_find(c, in->user_id, &id));
        return DB_WRITE(c, tx, decline_applicant(tx, in->id, id));
}
