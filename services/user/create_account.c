/* Owns accounts created by an operator. */
#include "services/user/accounts.h"

#include "auth/password.h"
#include "rpc/rpc.h"
#include "services/user/audit.h"
#include "services/user/mails.h"
#include "services/user/registration.h"
#include "services/user/store_accounts.h"
#include "services/user/store_passwords.h"

enum { LIFE_HOURS = 24 };

/* The mailed link sets the password, and verifies the address, too. */
static sn_status mail_link_to(struct db_tx *tx, const struct new_user *user)
{
        struct rpc_call *c = db_call(tx);
        const char *token = mailed_token_new(c->arena);
        uint8_t hash[MAILED_HASH_BYTES];
        struct mail_recipient member;

        mailed_token_hash(token, hash);
        TRY(mail_recipient_of(tx, user->id, &member));
        TRY(store_insert_reset(tx, user->id, hash, LIFE_HOURS * 3600));
        return mail_enqueue(
            tx,
            &(struct mail){.template = &mail_account_created,
                           .to = member.email,
                           .language = member.language,
                           .owner_id = user->id,
                           .life_ms = LIFE_HOURS * INT64_C(3600000),
                           MAIL_VALUES(mail_text("name", member.username), mail_text("network", mail_network()),
                                       mail_link("link", arena_printf(c->arena, "%s#%s",
                                                                      mail_page(c->arena, "/reset-password"), token)),
                                       mail_number("hours", LIFE_HOURS))});
}

/* What the contract requires of names and addresses. */
static sn_status check_format(struct rpc_call *c, const char *username, const char *email)
{
        User__RegisterRequest in = USER__REGISTER_REQUEST__INIT;

        in.username = (char *)username;
        in.email = (char *)email;
        in.password = mailed_token_new(c->arena);
        return rpc_validate(c, &sonet__user__v1__register_request__message, &in.base);
}

sn_status account_create_by_operator(struct rpc_call *c, const char *username, const char *email, const char *role,
                                     UserAdmin__Account *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct new_user user;
        char *hash = NULL;

        TRY(check_format(c, username, email));
        TRY(account_prepare(c, username, email, "", &user));
        TRY(password_hash(c, mailed_token_new(c->arena), &hash)); /* an unknown random password */
        user.password_hash = hash;
        TRY(db_begin(c, &tx));
        TRY(account_create(tx, &user));
        TRY(store_set_role(tx, user.id, role));
        TRY(AUDIT(tx, .action = "user.created", .subject_id = user.id, .after = AUDIT_VALUES("role", role)));
        TRY(mail_link_to(tx, &user));
        TRY(store_account(tx, user.id, NULL, out));
        return db_commit(c, NULL, &tx);
}
