/* Owns authenticator apps as second factor, and recovery codes: setting up, confirming and removing them. */
#include "services/user/user.h"

#include <sodium.h>
#include "services/user/audit.h"
#include "services/user/factors.h"
#include "services/user/mails.h"
#include "services/user/qr.h"
#include "services/user/relying_party.h"
#include "services/user/store.h"
#include "services/user/store_factors.h"

sn_status user_handle_begin_totp(struct rpc_call *c, const UserFactors__BeginTotpRequest *in,
                                 UserFactors__TotpSeed *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        User__User me = USER__USER__INIT;
        uint8_t seed[TOTP_SEED_BYTES], sealed[TOTP_SEALED_BYTES];

        randombytes_buf(seed, sizeof(seed));
        totp_seal(c->actor, seed, sealed);
        out->secret = totp_text(c->arena, seed);
        sodium_memzero(seed, sizeof(seed));
        TRY(db_begin(c, &tx));
        TRY(store_begin_totp(tx, c->actor, sealed));
        TRY(store_user(tx, c->actor, &me));
        out->uri = totp_uri(c->arena, relying_party_name(), me.username, out->secret);
        TRY(qr_svg(c, out->uri, &out->qr_svg));
        return db_commit(c, NULL, &tx);
}

/* A correct code proves possession of the seed. */
static sn_status check_pending(struct db_tx *tx, const char *code, int64_t *step)
{
        struct rpc_call *c = db_call(tx);
        UserRows__PendingTotp pending = USER_ROWS__PENDING_TOTP__INIT;
        uint8_t seed[TOTP_SEED_BYTES];

        TRY(store_pending_totp(tx, c->actor, &pending));
        bool right = totp_unseal(c->actor, pending.seed.data, pending.seed.len, seed) &&
                     totp_check(seed, code, c->now_ms, 0, step);
        sodium_memzero(seed, sizeof(seed));
        return right ? SN_OK
                     : rpc_fail_code(c, SN_INVALID_ARGUMENT, "code_wrong", "code",
                                     "is not the code that the app shows now; check the clocks of both devices");
}

sn_status user_handle_confirm_totp(struct rpc_call *c, const UserFactors__ConfirmTotpRequest *in,
                                   UserFactors__RecoveryCodes *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        int64_t step = 0;

        TRY(db_begin(c, &tx));
        TRY(factors_lock_own(tx));
        TRY(check_pending(tx, in->code, &step));
        TRY(factors_end_unproved(tx));
        TRY(store_confirm_totp(tx, c->actor, step));
        TRY(factors_new_recovery_codes(tx, c->actor, out));
        TRY(AUDIT(tx, .action = "user.totp_enabled"));
        TRY(notify_owner(tx, c->actor, OWNER_FACTOR_ADDED));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_get_two_factor(struct rpc_call *c, const UserFactors__GetTwoFactorRequest *in,
                                     UserFactors__TwoFactor *out)
{
        return DB_READ(c, tx, store_two_factor(tx, c->actor, out));
}

sn_status user_handle_new_recovery_codes(struct rpc_call *c, const UserFactors__NewRecoveryCodesRequest *in,
                                         UserFactors__RecoveryCodes *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__Factors factors = USER_ROWS__FACTORS__INIT;

        TRY(db_begin(c, &tx));
        TRY(factors_lock_own(tx));
        TRY(store_factors(tx, c->actor, &factors));
        if (!factors_any(&factors)) {
                return rpc_fail_code(c, SN_FAILED_PRECONDITION, "no_second_factor", NULL,
                                     "recovery codes require a second factor, and your account has none");
        }
        TRY(factors_new_recovery_codes(tx, c->actor, out));
        TRY(AUDIT(tx, .action = "user.recovery_codes_renewed"));
        TRY(notify_owner(tx, c->actor, OWNER_RECOVERY_CODES_MADE));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_delete_totp(struct rpc_call *c, const UserFactors__DeleteTotpRequest *in,
                                  Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool deleted = false;

        TRY(db_begin(c, &tx));
        TRY(factors_lock_own(tx));
        TRY(store_delete_totp(tx, c->actor, &deleted));
        if (!deleted) {
                return SN_OK;
        }
        TRY(factors_drop_codes_of_none(tx, c->actor));
        TRY(AUDIT(tx, .action = "user.totp_removed"));
        TRY(notify_owner(tx, c->actor, OWNER_FACTOR_REMOVED));
        return db_commit(c, NULL, &tx);
}
