/* Owns the pace of mails to each domain. */
#include "mail/pace.h"

#include <string.h>

#define HOUR_US INT64_C(3600000000)

/* FNV-1a of what stands behind the last @, without case. */
static uint32_t slot_of(const char *to)
{
        const char *at = strrchr(to, '@');
        uint32_t hash = 2166136261U;

        for (const char *c = at != NULL ? at + 1 : to; *c != '\0'; c++) {
                hash = (hash ^ (uint8_t)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c)) * 16777619U;
        }
        return hash % MAIL_PACE_DOMAINS;
}

int64_t mail_pace_wait_ms(struct mail_pace *pace, const char *to, int64_t now_us)
{
        int64_t *free_us = &pace->free_us[slot_of(to)], at_once, each_us, early_us;

        if (pace->per_hour == 0) {
                return 0;
        }
        at_once = pace->per_hour >= 60 ? pace->per_hour / 60 : 1;
        each_us = HOUR_US / pace->per_hour;
        early_us = *free_us - now_us - (at_once - 1) * each_us;
        if (early_us > 0) {
                return early_us / 1000 + 1;
        }
        *free_us = (*free_us > now_us ? *free_us : now_us) + each_us;
        return 0;
}
