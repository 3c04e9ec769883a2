/* Owns the job that turns requests for a password reset into links: separate from the request, which responds the
 * same and in the same time whether or not the address belongs to a member. */
#include "services/user/user.h"

#include <string.h>
#include "services/user/mails.h"
#include "services/user/store.h"
#include "services/user/store_passwords.h"

enum { PORTION = 50, LIFE_S = 1800, MOST_AN_HOUR = 3, HOUR_S = 3600 };

static sn_status mail_link_to(struct db_tx *tx, const UserRows__AskedReset *asked)
{
        struct rpc_call *c = db_call(tx);
        const char *token = mailed_token_new(c->arena);
        uint8_t hash[MAILED_HASH_BYTES];
        struct mail_recipient member;

        mailed_token_hash(token, hash);
        TRY(store_lock_member(tx, asked->user_id));
        TRY(mail_recipient_of(tx, asked->user_id, &member));
        /* Changed in the meantime: the old address must not give access. */
        if (strcmp(member.email, asked->email) != 0) {
                return SN_OK;
        }
        TRY(store_insert_reset(tx, asked->user_id, hash, LIFE_S));
        return mail_enqueue(
            tx,
            &(struct mail){.template = &mail_reset_password,
                           .to = member.email,
                           .language = member.language,
                           .owner_id = asked->user_id,
                           .life_ms = LIFE_S * 1000,
                           MAIL_VALUES(mail_text("name", member.username), mail_text("network", mail_network()),
                                       mail_link("link", arena_printf(c->arena, "%s#%s",
                                                                      mail_page(c->arena, "/reset-password"), token)),
                                       mail_number("minutes", LIFE_S / 60))});
}

/* Requests by others must not fill anyone's mailbox. */
static sn_status handle_request(struct db_tx *tx, const UserRows__AskedReset *asked)
{
        int64_t n = 0, wait_s = 0;

        TRY(store_drop_reset(tx, asked->id));
        if (asked->user_id[0] == '\0') {
                return SN_OK;
        }
        TRY(mail_count(tx, asked->user_id, &mail_reset_password, HOUR_S, &n, &wait_s));
        return n < MOST_AN_HOUR ? mail_link_to(tx, asked) : SN_OK;
}

static sn_status handle_requests(struct rpc_call *c, bool *more)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__AskedReset **asked = NULL;
        size_t n = 0;

        TRY(db_begin(c, &tx));
        TRY(store_asked_resets(tx, PORTION, &n, &asked));
        for (size_t i = 0; i < n; i++) {
                TRY(handle_request(tx, asked[i]));
        }
        *more = n >= PORTION; /* an unverified address may belong to several accounts */
        return db_commit(c, NULL, &tx);
}

const struct service_job user_password_resets = {.name = "mail_password_resets", .every_s = 30, .run = handle_requests};
