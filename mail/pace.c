/* Owns rate-limiting mails per domain. */
#include "mail/pace.h"

#include <string.h>

#define HOUR_US INT64_C(3600000000)

/* FNV-1a of what follows the last @, ignoring case. */
static uint32_t slot_of(const char *to)
{
        const char *at = strrchr(to, '@');
        uint32_t hash = 2166136261U;

        for (const char *c = at != NULL ? at + 1 : to; *c != '\0'; c++) {
                hash = (hash ^ (uint8_t)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c)) * 16777619U;
        }
        return hash % MAIL_PACE_DOMAINS;
}

/* free_us: when the domain has its full allowance again. A mail that comes too early changes nothing. */
DB_STATEMENT(
    PACE, "*", NULL,
    "with taken as (insert into mail_paces as p (slot, free_us) values ($1, $2::bigint + $3::bigint) on conflict (slot)"
    " do update set free_us = greatest(p.free_us, $2) + $3 where p.free_us - $2 <= $4 returning 1)"
    " select case when exists (select from taken) then 0 else coalesce((select greatest(p.free_us - $2 - $4,"
    " 0) / 1000 from mail_paces p where p.slot = $1), 0) + 1 end as wait_ms");

sn_status mail_pace_wait_ms(struct rpc_call *c, int64_t per_hour, const char *to, int64_t now_ms, int64_t *wait_ms)
{
        struct db_rows *rows = NULL;

        *wait_ms = 0;
        if (per_hour == 0) {
                return SN_OK;
        }
        int64_t at_once = per_hour >= 60 ? per_hour / 60 : 1;
        int64_t each_us = HOUR_US / per_hour;
        TRY(DB_WRITE(c, tx,
                     db_rows(tx, &PACE,
                             DB_BINDS(bind_i64(slot_of(to)), bind_i64(now_ms * 1000), bind_i64(each_us),
                                      bind_i64((at_once - 1) * each_us)),
                             &rows)));
        *wait_ms = db_i64(rows, 0, "wait_ms");
        return SN_OK;
}
