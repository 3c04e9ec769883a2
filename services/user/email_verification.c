/* Owns verifying addresses, and changing them. */
#include "services/user/email_verification.h"

#include <sodium.h>
#include <string.h>
#include "base/clock.h"
#include "services/user/audit.h"
#include "services/user/email.h"
#include "services/user/mails.h"
#include "services/user/store.h"
#include "services/user/store_email.h"
#include "services/user/store_passwords.h"
#include "services/user/user.h"

enum { LIFE_S = 600, TRIES = 5, MOST_AN_HOUR = 5, HOUR_S = 3600 };

/* ---- Sending ---- */

/* Repeated requests would fill someone's mailbox, and allow unlimited guessing of codes. */
static sn_status check_limit(struct db_tx *tx, const char *user_id)
{
        struct rpc_call *c = db_call(tx);
        int64_t n = 0, wait_s = 0, n_in_use = 0, wait_in_use_s = 0;

        TRY(db_lock_one(tx, "email-verification", user_id));
        TRY(mail_count(tx, user_id, &mail_verify_email, HOUR_S, &n, &wait_s));
        TRY(mail_count(tx, user_id, &mail_address_in_use, HOUR_S, &n_in_use, &wait_in_use_s));
        wait_s = wait_s > wait_in_use_s ? wait_s : wait_in_use_s;
        if (n + n_in_use < MOST_AN_HOUR) {
                return SN_OK;
        }
        (void)rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_many_mails", NULL,
                            "%d codes were mailed within the last hour; use the newest one, or wait %d minutes",
                            MOST_AN_HOUR, (int)(wait_s / 60 + 1));
        c->problem.retry_after_s = (int)wait_s;
        return SN_RESOURCE_EXHAUSTED;
}

/* Many accounts together must not fill a mailbox either. This is not reported, since the caller must not learn about
 * others' requests: the mail is left out. */
static sn_status is_flooded(struct db_tx *tx, const char *email, const char *email_key, bool *flooded)
{
        int64_t n = 0, n_in_use = 0;

        TRY(db_lock_one(tx, "email-recipient", email_key));
        TRY(mail_count_to(tx, email, &mail_verify_email, HOUR_S, &n));
        TRY(mail_count_to(tx, email, &mail_address_in_use, HOUR_S, &n_in_use));
        *flooded = n + n_in_use >= MOST_AN_HOUR;
        return SN_OK;
}

static sn_status mail_proof(struct db_tx *tx, const char *user_id, const char *email, const char *code,
                            const char *token)
{
        struct rpc_call *c = db_call(tx);
        struct mail_recipient member;

        TRY(mail_recipient_of(tx, user_id, &member));
        return mail_enqueue(
            tx, &(struct mail){.template = &mail_verify_email,
                               .to = email,
                               .language = member.language,
                               .owner_id = user_id,
                               .life_ms = LIFE_S * 1000,
                               MAIL_VALUES(mail_text("name", member.username), mail_text("network", mail_network()),
                                           mail_code("code", arena_strdup(c->arena, code)),
                                           mail_link("link", arena_printf(c->arena, "%s#%s",
                                                                          mail_page(c->arena, "/verify-email"), token)),
                                           mail_number("minutes", LIFE_S / 60))});
}

/* The address belongs to another account already, which only its owner may learn: they are mailed instead, and no
 * code is sent. */
static sn_status mail_owner_instead(struct db_tx *tx, const char *user_id, const char *owner_id, const char *email)
{
        struct rpc_call *c = db_call(tx);
        struct mail_recipient owner;

        TRY(mail_recipient_of(tx, owner_id, &owner));
        return mail_enqueue(
            tx, &(struct mail){.template = &mail_address_in_use,
                               .to = email,
                               .language = owner.language,
                               .owner_id = user_id,
                               MAIL_VALUES(mail_text("name", owner.username), mail_text("network", mail_network()),
                                           mail_link("link", mail_page(c->arena, "/reset-password")))});
}

static sn_status send_proof(struct db_tx *tx, struct email_verification *v)
{
        const char *token = mailed_token_new(db_arena(tx));
        char code[MAILED_CODE_SIZE];

        mailed_code_new(code);
        mailed_code_hash(v->user_id, v->email_key, code, v->code_hash);
        mailed_token_hash(token, v->token_hash);
        TRY(store_put_verification(tx, v, LIFE_S));
        return mail_proof(tx, v->user_id, v->email, code, token);
}

/* Without a mail no limit would count, so that codes could be requested, and guessed, without end: no code or link
 * matches these hashes. The caller sees no difference. */
static sn_status store_unprovable(struct db_tx *tx, struct email_verification *v)
{
        random_bytes(v->code_hash, sizeof(v->code_hash));
        random_bytes(v->token_hash, sizeof(v->token_hash));
        return store_put_verification(tx, v, LIFE_S);
}

sn_status email_verification_send(struct db_tx *tx, const char *user_id, const char *email)
{
        struct email_verification v = {.user_id = user_id, .email = email, .email_key = email_key(db_arena(tx), email)};
        const char *owner_id = "";
        bool flooded = false;

        TRY(check_limit(tx, user_id));
        TRY(store_email_owner(tx, v.email_key, &owner_id));
        TRY(is_flooded(tx, email, v.email_key, &flooded));
        if (!flooded && (owner_id[0] == '\0' || strcmp(owner_id, user_id) == 0)) {
                return send_proof(tx, &v);
        }
        TRY(store_unprovable(tx, &v));
        return flooded ? SN_OK : mail_owner_instead(tx, user_id, owner_id, email);
}

sn_status user_handle_resend_verification(struct rpc_call *c, const User__ResendVerificationRequest *in,
                                          User__EmailStatus *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__Verification v = USER_ROWS__VERIFICATION__INIT;
        bool waits = false;

        TRY(db_begin(c, &tx));
        TRY(store_email_status(tx, c->actor, out));
        TRY(store_verification(tx, c->actor, &v, &waits));
        if (!waits && out->verified_at != NULL) {
                return rpc_fail_code(c, SN_FAILED_PRECONDITION, "email_verified", NULL,
                                     "your address is already verified");
        }
        TRY(email_verification_send(tx, c->actor, waits ? v.email : out->email));
        TRY(store_email_status(tx, c->actor, out));
        return db_commit(c, NULL, &tx);
}

/* ---- Verifying ---- */

static sn_status accept(struct db_tx *tx, const UserRows__Verification *v, User__EmailStatus *out)
{
        struct rpc_call *c = db_call(tx);
        User__EmailStatus before = USER__EMAIL_STATUS__INIT;

        TRY(store_email_status(tx, v->user_id, &before));
        if (strcmp(email_key(c->arena, before.email), v->email_key) != 0) {
                TRY(notify_owner(tx, v->user_id, OWNER_EMAIL_CHANGED)); /* at the old address, which is still theirs */
                TRY(store_drop_resets(tx, v->user_id));
                TRY(AUDIT(tx, .action = "user.email_changed", .subject_id = v->user_id));
        }
        TRY(store_set_verified_email(tx, v));
        TRY(store_drop_verification(tx, v->user_id));
        return store_email_status(tx, v->user_id, out);
}

/* Why there is nothing to verify. */
static sn_status refuse_try(struct rpc_call *c, struct db_tx *tx)
{
        UserRows__Verification v = USER_ROWS__VERIFICATION__INIT;
        bool waits = false;

        TRY(store_verification(tx, c->actor, &v, &waits));
        if (!waits) {
                return rpc_fail_code(c, SN_FAILED_PRECONDITION, "verification_not_pending", NULL,
                                     "no address is waiting for verification");
        }
        return v.expired ? rpc_fail_code(c, SN_FAILED_PRECONDITION, "code_expired", "code",
                                         "is no longer valid; request a new one: POST /v1/auth/email/resend")
                         : rpc_fail_code(
                               c, SN_FAILED_PRECONDITION, "code_exhausted", "code",
                               "was entered incorrectly too many times; request a new one: POST /v1/auth/email/resend");
}

static sn_status verify_code(struct rpc_call *c, const char *code, User__EmailStatus *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__Verification v = USER_ROWS__VERIFICATION__INIT;
        uint8_t hash[MAILED_HASH_BYTES];
        bool found = false;

        TRY(db_begin(c, &tx));
        TRY(store_lock_member(tx, c->actor));
        TRY(store_try_code(tx, c->actor, TRIES, &v, &found));
        if (!found) {
                return refuse_try(c, tx);
        }
        mailed_code_hash(c->actor, v.email_key, code, hash);
        if (v.code_hash.len != sizeof(hash) || sodium_memcmp(v.code_hash.data, hash, sizeof(hash)) != 0) {
                TRY(db_commit(c, NULL, &tx)); /* the attempt counts */
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "code_wrong", "code",
                                     "is not the code that was mailed; %d attempts left", (int)(TRIES - v.tries));
        }
        TRY(accept(tx, &v, out));
        return db_commit(c, NULL, &tx);
}

static sn_status verify_token(struct rpc_call *c, const char *token, User__EmailStatus *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__Verification v = USER_ROWS__VERIFICATION__INIT;
        uint8_t hash[MAILED_HASH_BYTES];
        bool found = false;

        mailed_token_hash(token, hash);
        TRY(db_begin(c, &tx));
        TRY(store_verification_of_token(tx, hash, &v, &found));
        if (!found) {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "link_invalid", "token",
                                     "is no longer valid: only the newest link works, once, within ten minutes; "
                                     "log in and request a new one");
        }
        TRY(accept(tx, &v, out));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_verify_email(struct rpc_call *c, const User__VerifyEmailRequest *in, User__EmailStatus *out)
{
        switch (in->proof_case) {
        case USER__VERIFY_EMAIL_REQUEST__PROOF_TOKEN:
                return verify_token(c, in->token, out);
        case USER__VERIFY_EMAIL_REQUEST__PROOF_CODE:
                return c->actor[0] != '\0'
                           ? verify_code(c, in->code, out)
                           : rpc_fail_code(c, SN_UNAUTHENTICATED, "token_missing", NULL,
                                           "log in first: a code requires the member's access token; the link in "
                                           "the mail does not");
        default:
                return rpc_fail(c, SN_INVALID_ARGUMENT, "code", "is missing: give the code or the token from the mail");
        }
}

/* ---- The address ---- */

sn_status user_handle_get_email(struct rpc_call *c, const User__GetEmailRequest *in, User__EmailStatus *out)
{
        return DB_READ(c, tx, store_email_status(tx, c->actor, out));
}

sn_status user_handle_change_email(struct rpc_call *c, const User__ChangeEmailRequest *in, User__EmailStatus *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *email = NULL;

        TRY(email_clean(c, in->email, &email));
        TRY(db_begin(c, &tx));
        TRY(store_lock_running(tx));
        TRY(email_verification_send(tx, c->actor, email));
        TRY(notify_owner(tx, c->actor, OWNER_EMAIL_CHANGE_ASKED));
        TRY(store_email_status(tx, c->actor, out));
        return db_commit(c, NULL, &tx);
}
