/* Owns verifying second factors. Attempts of one member are serialised, so that concurrent ones cannot exceed the
 * limit. */
#include "services/user/factors.h"

#include <sodium.h>
#include <string.h>
#include "services/user/audit.h"
#include "services/user/login_limit.h"
#include "services/user/login_name.h"
#include "services/user/mails.h"
#include "services/user/passkey_use.h"
#include "services/user/session.h"
#include "services/user/store.h"
#include "services/user/store_email.h"
#include "services/user/store_factors.h"

bool factors_any(const UserRows__Factors *factors)
{
        return factors->totp_seed.len > 0 || factors->passkeys > 0;
}

void factors_methods(const UserRows__Factors *factors, struct arena *arena, UserFactors__SecondFactorRequired *out)
{
        out->methods = ARENA_ARRAY(arena, UserFactors__FactorMethod, 3);
        if (factors->totp_seed.len > 0) {
                out->methods[out->n_methods++] = USER_FACTORS__FACTOR_METHOD__FACTOR_METHOD_TOTP;
        }
        if (factors->recovery_codes > 0) {
                out->methods[out->n_methods++] = USER_FACTORS__FACTOR_METHOD__FACTOR_METHOD_RECOVERY_CODE;
        }
        if (factors->passkeys > 0) {
                out->methods[out->n_methods++] = USER_FACTORS__FACTOR_METHOD__FACTOR_METHOD_PASSKEY;
        }
}

static sn_status use_totp(struct db_tx *tx, const UserRows__Factors *factors, const char *code, bool *right)
{
        uint8_t seed[TOTP_SEED_BYTES];
        int64_t step = 0;

        if (!totp_unseal(factors->user_id, factors->totp_seed.data, factors->totp_seed.len, seed)) {
                return rpc_fail(db_call(tx), SN_INTERNAL, NULL,
                                "this second factor was created with a different key file");
        }
        bool found = totp_check(seed, code, db_call(tx)->now_ms, factors->totp_used_step, &step);
        sodium_memzero(seed, sizeof(seed));
        return found ? store_use_totp(tx, factors->user_id, step, right) : SN_OK;
}

/* If this was not the owner, codes are no longer secret. */
static sn_status tell_recovery_code_used(struct db_tx *tx, const char *user_id)
{
        TRY(AUDIT(tx, .action = "user.recovery_code_used", .subject_id = user_id));
        return notify_owner(tx, user_id, OWNER_RECOVERY_CODE_USED);
}

static sn_status check_code(struct db_tx *tx, const UserRows__Factors *factors, const char *code, const char **method,
                            bool *right)
{
        uint8_t hash[RECOVERY_HASH_BYTES];

        if (recovery_code_hash(factors->user_id, code, hash)) {
                *method = "recovery_code";
                TRY(store_use_recovery_code(tx, factors->user_id, hash, right));
                return *right ? tell_recovery_code_used(tx, factors->user_id) : SN_OK;
        }
        *method = "totp";
        return factors->totp_seed.len > 0 ? use_totp(tx, factors, code, right) : SN_OK;
}

/* Only the attempt is committed: nothing else was done in the transaction. */
static sn_status refuse_try(struct rpc_call *c, struct db_tx **tx, const char *user_id, const struct login_try *try)
{
        TRY(store_insert_login(*tx, try, user_id, false));
        TRY(db_commit(c, NULL, tx));
        return rpc_fail_code(
            c, SN_UNAUTHENTICATED, "code_wrong", "code",
            "is wrong or was already used; enter the code that your app shows now, or a recovery code");
}

static sn_status try_code(struct rpc_call *c, struct db_tx **tx, const UserRows__Factors *factors,
                          const struct factor_proof *proof, const char **method)
{
        UserRows__LoginFailures failures = USER_ROWS__LOGIN_FAILURES__INIT;
        struct login_try try = {
            .factor = "code", .reason = "wrong_code", .network = login_limit_network(c->arena, c->client_address)};
        bool right = false;

        login_hash("second-factor", factors->user_id, try.hash);
        memcpy(try.device, proof->device, strlen(proof->device) + 1);
        TRY(store_login_failures(*tx, &try, &failures));
        TRY(login_limit_check_code(c, &failures, try.device[0] != '\0'));
        TRY(check_code(*tx, factors, proof->code, method, &right));
        return right ? SN_OK : refuse_try(c, tx, factors->user_id, &try);
}

/* Signatures cannot be guessed, so only codes are counted. */
static sn_status check_proof(struct rpc_call *c, struct db_tx **tx, const UserRows__Factors *factors,
                             const struct factor_proof *proof, const char **method)
{
        const char *whose = "";

        if (proof->passkey != NULL) {
                *method = "passkey";
                return passkey_use(
                    c, tx, &(struct passkey_proof){.assertion = proof->passkey, .user_id = factors->user_id}, &whose);
        }
        if (proof->code == NULL || proof->code[0] == '\0') {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "second_factor_required", "code",
                                     "is missing: your account has a second factor");
        }
        return try_code(c, tx, factors, proof, method);
}

sn_status factors_lock(struct db_tx *tx, const char *user_id)
{
        return db_lock_one(tx, "second factor", user_id);
}

sn_status factors_lock_own(struct db_tx *tx)
{
        TRY(factors_lock(tx, db_call(tx)->actor));
        return store_lock_running(tx);
}

sn_status factor_require(struct rpc_call *c, struct db_tx **tx, const char *user_id, const struct factor_proof *proof,
                         const char **method)
{
        UserRows__Factors factors = USER_ROWS__FACTORS__INIT;
        const char *used = "";

        TRY(factors_lock(*tx, user_id));
        TRY(store_factors(*tx, user_id, &factors));
        if (factors_any(&factors)) {
                TRY(check_proof(c, tx, &factors, proof, &used));
        }
        if (method != NULL) {
                *method = used;
        }
        return SN_OK;
}

sn_status factors_new_recovery_codes(struct db_tx *tx, const char *user_id, UserFactors__RecoveryCodes *out)
{
        uint8_t hashes[RECOVERY_CODES][RECOVERY_HASH_BYTES];

        out->n_recovery_codes = RECOVERY_CODES;
        out->recovery_codes = ARENA_ARRAY(db_arena(tx), char *, RECOVERY_CODES);
        for (int i = 0; i < RECOVERY_CODES; i++) {
                out->recovery_codes[i] = recovery_code_new(db_arena(tx));
                (void)recovery_code_hash(user_id, out->recovery_codes[i], hashes[i]);
        }
        return store_set_recovery_codes(tx, user_id, hashes, RECOVERY_CODES);
}

sn_status factors_drop_codes_of_none(struct db_tx *tx, const char *user_id)
{
        UserRows__Factors factors = USER_ROWS__FACTORS__INIT;

        TRY(store_factors(tx, user_id, &factors));
        return factors_any(&factors) ? SN_OK : store_set_recovery_codes(tx, user_id, NULL, 0);
}

sn_status factors_end_unproved(struct db_tx *tx)
{
        const struct rpc_call *c = db_call(tx);
        UserRows__Factors factors = USER_ROWS__FACTORS__INIT;
        int64_t ended = 0;

        TRY(store_factors(tx, c->actor, &factors));
        if (factors_any(&factors)) {
                return SN_OK;
        }
        TRY(store_drop_email_change(tx, c->actor)); /* it may have been requested with one of them */
        return session_end_others(tx, c->actor, c->session, &ended);
}
