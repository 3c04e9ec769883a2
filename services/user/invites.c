/* Owns creating, using and revoking invites. */
#include "services/user/invites.h"

#include "mail/mail.h"
#include "services/user/audit.h"
#include "services/user/email.h"
#include "services/user/mails.h"
#include "services/user/registration.h"
#include "services/user/store_invites.h"
#include "services/user/user.h"

enum { USES = 1, DAYS = 7, LIMIT_DAYS = 30, MAILS_A_DAY = 3, DAY_S = 86400 };

sn_status invite_create(struct db_tx *tx, uint32_t uses, uint32_t days, UserInvites__NewInvite *out)
{
        struct rpc_call *c = db_call(tx);
        uint8_t hash[MAILED_HASH_BYTES];

        out->token = mailed_token_new(c->arena);
        out->url = arena_printf(c->arena, "%s#%s", mail_page(c->arena, "/join"), out->token);
        mailed_token_hash(out->token, hash);
        out->invite = ARENA_NEW(c->arena, UserInvites__Invite);
        user_invites__invite__init(out->invite);
        return store_insert_invite(tx, c->actor, hash, uses > 0 ? uses : USES, days > 0 ? days : DAYS, out->invite);
}

sn_status invite_use(struct db_tx *tx, const char *token)
{
        uint8_t hash[MAILED_HASH_BYTES];
        bool used = false;

        mailed_token_hash(token, hash);
        TRY(store_use_invite(tx, hash, &used));
        return used ? SN_OK
                    : rpc_fail_code(db_call(tx), SN_FAILED_PRECONDITION, "invite_invalid", "invite",
                                    "is no longer valid; ask the person who invited you for a new one");
}

sn_status invite_revoke(struct db_tx *tx, const char *inviter_id, const char *id)
{
        bool revoked = false;

        TRY(store_revoke_invite(tx, inviter_id, id, &revoked));
        return revoked ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "there is no usable invite with this ID");
}

/* Moderators may invite without limit; members up to MEMBER_INVITES. */
static sn_status check_limit(struct db_tx *tx, uint32_t uses)
{
        struct rpc_call *c = db_call(tx);
        int64_t most = registration_member_invites(), invited = 0;

        if (str_has_word(c->scope, "moderate")) {
                return SN_OK;
        }
        if (most == 0) {
                return rpc_fail_code(c, SN_PERMISSION_DENIED, "invites_disabled", NULL,
                                     "only moderators can invite people to this network");
        }
        TRY(db_lock_one(tx, "invites", c->actor));
        TRY(store_invited_lately(tx, c->actor, LIMIT_DAYS, &invited));
        return invited + (uses > 0 ? uses : USES) <= most
                   ? SN_OK
                   : rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_many_invites", "uses",
                                   "exceeds your invite limit: %d in %d days, %d already used", (int)most, LIMIT_DAYS,
                                   (int)invited);
}

/* Many members together must not fill a mailbox. This is not reported, since nobody may learn what others have done:
 * the mail is left out. */
static sn_status is_flooded(struct db_tx *tx, const char *email, bool *flooded)
{
        int64_t n = 0;

        TRY(db_lock_one(tx, "invite-recipient", email_key(db_arena(tx), email)));
        TRY(mail_count_to(tx, email, &mail_invite, DAY_S, &n));
        *flooded = n >= MAILS_A_DAY;
        return SN_OK;
}

static sn_status mail_to(struct db_tx *tx, const char *email, uint32_t days, const char *url)
{
        struct rpc_call *c = db_call(tx);
        struct mail_recipient inviter;
        bool flooded = false;

        TRY(is_flooded(tx, email, &flooded));
        if (flooded) {
                return SN_OK;
        }
        TRY(mail_recipient_of(tx, c->actor, &inviter));
        return mail_enqueue(
            tx, &(struct mail){.template = &mail_invite,
                               .to = email,
                               .language = inviter.language,
                               .owner_id = c->actor,
                               .life_ms = days * INT64_C(1000) * DAY_S,
                               MAIL_VALUES(mail_text("name", inviter.username), mail_text("network", mail_network()),
                                           mail_link("link", url), mail_number("days", days))});
}

/* The mail's contents are only for its recipient. */
static sn_status create_mailed(struct db_tx *tx, const char *email, uint32_t days, UserInvites__NewInvite *out)
{
        TRY(invite_create(tx, 1, days, out));
        TRY(mail_to(tx, email, days > 0 ? days : DAYS, out->url));
        out->token = out->url = (char *)protobuf_c_empty_string;
        return SN_OK;
}

/* The normalised address; NULL if the invite is not for an address. */
static sn_status read_address(struct rpc_call *c, const UserInvites__CreateInviteRequest *in, char **email)
{
        *email = NULL;
        if (in->email[0] == '\0') {
                return SN_OK;
        }
        if (in->uses > 1) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "uses", "must be 1 for an invite that is mailed");
        }
        return email_clean(c, in->email, email);
}

sn_status user_handle_create_invite(struct rpc_call *c, const UserInvites__CreateInviteRequest *in,
                                    UserInvites__NewInvite *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *email = NULL;

        TRY(read_address(c, in, &email));
        TRY(db_begin(c, &tx));
        TRY(check_limit(tx, in->uses));
        TRY(email != NULL ? create_mailed(tx, email, in->days, out) : invite_create(tx, in->uses, in->days, out));
        TRY(AUDIT(tx, .action = "invite.created", .after = AUDIT_VALUES("id", out->invite->id)));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_revoke_invite(struct rpc_call *c, const UserInvites__RevokeInviteRequest *in,
                                    Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, invite_revoke(tx, c->actor, in->id));
}

static sn_status read_invites(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                              ProtobufCMessage ***rows)
{
        return invite_list(tx, db_call(tx)->actor, scan, n, (void *)rows);
}

sn_status user_handle_list_invites(struct rpc_call *c, const UserInvites__ListInvitesRequest *in,
                                   UserInvites__InviteList *out)
{
        struct page page;

        TRY(page_read_rows(c, "invites", read_invites, NULL, PAGE_ASKED(in, USER_INVITES__LIST_INVITES_REQUEST),
                           &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}
