/* Owns profile details other than name and bio. */
#include "services/user/user.h"

#include <ctype.h>
#include <string.h>
#include "base/civil.h"
#include "services/user/profile.h"
#include "services/user/store.h"
#include "services/user/store_profiles.h"

enum { DAY_MS = 86400000, FIRST_ZONE_MS = 14 * 3600000 };

/* A URL that browsers may be sent to: http or https, without user information, which could mislead people about the
 * host. */
static bool is_web_address(const char *text)
{
        const char *host = strncmp(text, "https://", 8) == 0  ? text + 8
                           : strncmp(text, "http://", 7) == 0 ? text + 7
                                                              : "";
        size_t len = strcspn(host, "/?#");

        for (const char *c = text; *c != '\0'; c++) {
                if (isspace((unsigned char)*c) || *c == '"' || *c == '<' || *c == '>' || *c == '\\') {
                        return false;
                }
        }
        return len > 0 && memchr(host, '@', len) == NULL && host[0] != '.' && host[0] != ':';
}

static sn_status check_website(struct rpc_call *c, const char *text)
{
        return text[0] == '\0' || is_web_address(text)
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "website",
                              "must be a web address starting with https:// or http://");
}

static int days_of(int year, int month)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        return days[month - 1] + (month == 2 && leap);
}

static bool is_date(const char *text)
{
        for (size_t i = 0; i < 10; i++) {
                if (i == 4 || i == 7 ? text[i] != '-' : !isdigit((unsigned char)text[i])) {
                        return false; /* also at the end */
                }
        }
        int year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + text[3] - '0';
        int month = (text[5] - '0') * 10 + text[6] - '0', day = (text[8] - '0') * 10 + text[9] - '0';

        return text[10] == '\0' && year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= days_of(year, month);
}

/* Dates in this form sort like their texts. The latest current date is that of UTC+14. */
static bool is_to_come(struct rpc_call *c, const char *text)
{
        struct civil newest = civil_of_days((c->now_ms + FIRST_ZONE_MS) / DAY_MS);

        return strcmp(text, arena_printf(c->arena, "%04d-%02d-%02d", newest.year, newest.month, newest.day)) > 0;
}

static sn_status check_birthday(struct rpc_call *c, const char *text)
{
        if (text[0] != '\0' && !is_date(text)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "birthday", "must be a date like 1815-12-10");
        }
        return !is_to_come(c, text) ? SN_OK : rpc_fail(c, SN_INVALID_ARGUMENT, "birthday", "must not be in the future");
}

static sn_status check_profile(struct rpc_call *c, const UserProfiles__Profile *in)
{
        TRY(check_website(c, in->website));
        TRY(check_birthday(c, in->birthday));
        return SN_OK;
}

sn_status user_handle_put_profile(struct rpc_call *c, const UserProfiles__Profile *in, User__User *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(check_profile(c, in));
        TRY(db_begin(c, &tx));
        TRY(store_put_profile(tx, c->actor, in));
        TRY(profile_read_me(tx, out));
        return db_commit(c, NULL, &tx);
}
