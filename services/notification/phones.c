/* Owns the telephone number for a member's SMS. Nothing is sent to it until the member has entered a code that was sent
 * there. */
#include "services/notification/phones.h"

#include <sodium.h>
#include <string.h>
#include "auth/keys.h"
#include "services/notification/notification.h"
#include "services/notification/providers.h"
#include "services/notification/store.h"

enum { MOST_A_DAY = 5, CODES = 1000000 };

static void mac_of(const char *label, const char *text, uint8_t out[crypto_auth_hmacsha256_BYTES])
{
        uint8_t key[crypto_auth_hmacsha256_KEYBYTES];

        keys_derive(label, key);
        crypto_auth_hmacsha256(out, (const uint8_t *)text, strlen(text), key);
        sodium_memzero(key, sizeof(key));
}

char *phone_code(struct arena *arena, const char *code_id, const char *number)
{
        uint8_t bytes[crypto_auth_hmacsha256_BYTES];
        uint64_t value;

        mac_of("phone-code", arena_printf(arena, "%s %s", code_id, number), bytes);
        memcpy(&value, bytes, sizeof(value));
        return arena_printf(arena, "%06u", (unsigned)(value % CODES));
}

static sn_status check_provider(struct rpc_call *c)
{
        return providers_sms() != NULL ? SN_OK
                                       : rpc_fail(c, SN_FAILED_PRECONDITION, NULL,
                                                  "this network sends no SMS: it has no provider for them");
}

/* E.164. */
static sn_status check_number(struct rpc_call *c, const char *number)
{
        size_t n = number[0] == '+' ? strspn(number + 1, "0123456789") : 0;

        return n >= 7 && n <= 15 && number[1] != '0' && number[n + 1] == '\0'
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "number",
                              "must be a number with country code, like \"+491701234567\"");
}

/* SMS cost money: limits the codes per member and, across members, per number. */
static sn_status check_limit(struct db_tx *tx, const uint8_t key[PHONE_KEY_BYTES])
{
        NotificationRows__CodeCounts counts = NOTIFICATION_ROWS__CODE_COUNTS__INIT;
        struct rpc_call *c = db_call(tx);

        TRY(store_count_codes(tx, c->actor, key, &counts));
        if (counts.of_member < MOST_A_DAY && counts.of_number < MOST_A_DAY) {
                return SN_OK;
        }
        (void)rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_many_sms", NULL,
                            "%d codes were sent within a day; wait %d minutes", MOST_A_DAY,
                            (int)(counts.wait_s / 60 + 1));
        c->problem.retry_after_s = (int)counts.wait_s;
        return SN_RESOURCE_EXHAUSTED;
}

static void show_phone(NotificationRows__Phone *row, Notification__PhoneNumber *out)
{
        out->number = row->number;
        out->verified_at = row->verified_at;
}

/* Setting a verified number again keeps it verified. */
static sn_status set_number(struct db_tx *tx, const char *number, NotificationRows__Phone *row)
{
        struct rpc_call *c = db_call(tx);
        uint8_t key[PHONE_KEY_BYTES];
        bool found = false;

        mac_of("phone-recipient", number, key);
        TRY(db_lock_one(tx, "phone-member", c->actor));
        TRY(db_lock_one(tx, "phone-number", number));
        TRY(store_phone(tx, c->actor, row, &found));
        if (found && row->verified_at != NULL && strcmp(row->number, number) == 0) {
                return SN_OK;
        }
        TRY(check_limit(tx, key));
        TRY(store_set_phone(tx, c->actor, number));
        TRY(store_add_code(tx, uuid_new_in(c->arena), c->actor, key));
        jobs_announce(tx, &notification_phone_codes);
        notification_rows__phone__init(row);
        return store_phone(tx, c->actor, row, &found);
}

sn_status notification_handle_set_phone_number(struct rpc_call *c, const Notification__SetPhoneNumberRequest *in,
                                               Notification__PhoneNumber *out)
{
        NotificationRows__Phone *row = ARENA_NEW(c->arena, NotificationRows__Phone);

        notification_rows__phone__init(row);
        TRY(check_number(c, in->number));
        TRY(check_provider(c));
        TRY(DB_WRITE(c, tx, set_number(tx, in->number, row)));
        show_phone(row, out);
        return SN_OK;
}

sn_status notification_handle_get_phone_number(struct rpc_call *c, const Notification__GetPhoneNumberRequest *in,
                                               Notification__PhoneNumber *out)
{
        NotificationRows__Phone *row = ARENA_NEW(c->arena, NotificationRows__Phone);
        bool found = false;

        notification_rows__phone__init(row);
        TRY(DB_READ(c, tx, store_phone(tx, c->actor, row, &found)));
        show_phone(row, out);
        return SN_OK;
}

static bool is_right(struct arena *arena, const NotificationRows__PhoneCode *code, const char *given)
{
        const char *right = phone_code(arena, code->id, code->number);

        return strlen(given) == strlen(right) && sodium_memcmp(right, given, strlen(right)) == 0;
}

sn_status notification_handle_verify_phone_number(struct rpc_call *c, const Notification__VerifyPhoneNumberRequest *in,
                                                  Notification__PhoneNumber *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        NotificationRows__PhoneCode *code = ARENA_NEW(c->arena, NotificationRows__PhoneCode);
        NotificationRows__Phone *row = ARENA_NEW(c->arena, NotificationRows__Phone);
        bool found = false;

        notification_rows__phone_code__init(code);
        notification_rows__phone__init(row);
        TRY(db_begin(c, &tx));
        TRY(store_try_phone_code(tx, c->actor, code, &found));
        if (!found) {
                return rpc_fail_code(c, SN_FAILED_PRECONDITION, "code_exhausted", "code",
                                     "has expired after ten minutes or five attempts; request another one with "
                                     "PUT /v1/notifications/phone");
        }
        if (!is_right(c->arena, code, in->code)) {
                TRY(db_commit(c, NULL, &tx)); /* the attempt counts even if the code is wrong */
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "code_wrong", "code",
                                     "does not match the latest code that was sent");
        }
        TRY(store_verify_phone(tx, code->user_id, code->number));
        TRY(store_phone(tx, code->user_id, row, &found));
        show_phone(row, out);
        return db_commit(c, NULL, &tx);
}

sn_status notification_handle_delete_phone_number(struct rpc_call *c, const Notification__DeletePhoneNumberRequest *in,
                                                  Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_forget_phone(tx, c->actor, NULL));
}
