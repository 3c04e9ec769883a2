/* Sends the codes that verify telephone numbers, separately from notifications, so that a code never waits behind them.
 */
#include "services/notification/notification.h"

#include <stdio.h>
#include <string.h>
#include "base/fault.h"
#include "mail/mail.h"
#include "services/notification/lane_breaker.h"
#include "services/notification/phones.h"
#include "services/notification/providers.h"
#include "services/notification/push.h"
#include "services/notification/store.h"

enum {
        EVERY_S = 10,
        AT_ONCE = 20,
        LEASE_MS = 60000,
        ATTEMPTS_MAX = 5,
        FIRST_RETRY_MS = 3000,
        PAUSED_MS = 3000,
        WAIT_MS = 30000
};

/* Of the running portion: there is only one at a time. */
static struct push_sender *sender;
static struct lane_breaker breaker; /* used by the same thread only */

static sn_status settle_codes(struct rpc_call *c, const struct push_result *result)
{
        const NotificationRows__PhoneCode *code = result->tag;
        bool again = result->outcome == PUSH_LATER && code->attempts < ATTEMPTS_MAX;
        int64_t due_ms = again ? c->now_ms + (FIRST_RETRY_MS << code->attempts) : 0;

        fault_point("code_sent");
        lane_breaker_note(&breaker, push_adapter_name(providers_codes()), result->outcome == PUSH_LATER);
        return DB_WRITE(c, tx, store_settle_code(tx, code->id, due_ms));
}

static sn_status take_results(struct rpc_call *c)
{
        struct push_result results[AT_ONCE];
        size_t n = push_wait(sender, WAIT_MS, results, AT_ONCE);

        for (size_t i = 0; i < n; i++) {
                TRY(settle_codes(c, &results[i]));
        }
        return SN_OK;
}

/* Waits while an access token is requested. */
static sn_status begin_code(struct rpc_call *c, NotificationRows__PhoneCode *code)
{
        char *text = arena_printf(c->arena, "%s: %s", mail_network(), phone_code(c->arena, code->id, code->number));
        struct adapter_message message = {.to = code->number,
                                          .title = mail_network(),
                                          .text = text,
                                          .id = code->id,
                                          .type = "phone_code",
                                          .key = code->id,
                                          .ttl_s = code->left_s,
                                          .tag = code};

        while (!push_adapter_start(sender, providers_codes(), &message)) {
                TRY(take_results(c));
        }
        return SN_OK;
}

/* While the circuit breaker is open the code is postponed, without using up an attempt. */
static sn_status begin_or_leave(struct rpc_call *c, NotificationRows__PhoneCode *code)
{
        if (code->number[0] == '\0' || code->left_s == 0) {
                return DB_WRITE(c, tx, store_settle_code(tx, code->id, 0));
        }
        return lane_breaker_admits(&breaker, push_adapter_name(providers_codes()))
                   ? begin_code(c, code)
                   : DB_WRITE(c, tx, store_postpone_code(tx, code->id, c->now_ms + PAUSED_MS));
}

static sn_status send_claimed(struct rpc_call *c, NotificationRows__PhoneCode **codes, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                TRY(begin_or_leave(c, codes[i]));
        }
        while (push_is_busy(sender)) {
                TRY(take_results(c));
        }
        return SN_OK;
}

static sn_status send_codes(struct rpc_call *c, bool *more)
{
        NotificationRows__PhoneCode **codes = NULL;
        size_t n = 0;

        if (providers_codes() == NULL) {
                return SN_OK;
        }
        TRY(DB_WRITE(c, tx, store_claim_codes(tx, AT_ONCE, LEASE_MS, &n, &codes)));
        if (n == 0) {
                return SN_OK;
        }
        fault_point("code_claimed");
        sender = push_sender_new(push_settings());
        sn_status status = send_claimed(c, codes, n);

        push_sender_free(sender);
        *more = n == AT_ONCE;
        return status;
}

const struct service_job notification_phone_codes = {.name = "phone_codes", .every_s = EVERY_S, .run = send_codes};
