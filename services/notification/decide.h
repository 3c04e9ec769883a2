/* The one decision: which channels notify the member of an event, when, and why. Pure, for all channels. */
#ifndef SERVICES_NOTIFICATION_DECIDE_H
#define SERVICES_NOTIFICATION_DECIDE_H

#include <stdbool.h>
#include <stdint.h>
#include "services/notification/aggregation.h"
#include "services/notification/quiet.h"
#include "services/notification/types.h"

enum channel {
        CHANNEL_IN_APP,
        CHANNEL_PUSH,
        CHANNEL_EMAIL,
        CHANNEL_SMS,
        CHANNEL_COUNT,                 /* those that members have preferences for */
        CHANNEL_MOBILE = CHANNEL_COUNT /* pushes to apps: as those to browsers, but in a lane of their own */
};

/* As notification.v1.Delivery has them; 0: what holds by default. */
enum delivery { DELIVERY_DEFAULT, DELIVERY_OFF, DELIVERY_IMMEDIATE, DELIVERY_HOURLY, DELIVERY_DAILY, DELIVERY_WEEKLY };

/* As notification.v1.FilterAction has them; 0: accept. */
enum filter_action { FILTER_DEFAULT, FILTER_ACCEPT, FILTER_REQUEST, FILTER_DROP };

enum filter { FILTER_NOT_FOLLOWED, FILTER_NOT_FOLLOWING, FILTER_NEW_ACCOUNT, FILTER_PRIVATE_MENTION, FILTER_COUNT };

/* The settings of user_service. */
enum told_setting {
        SETTING_NONE,
        SETTING_FOLLOWS,
        SETTING_MENTIONS,
        SETTING_COMMENTS,
        SETTING_RENOTES,
        SETTING_LIKES,
        SETTING_ALWAYS
};

/* What a member chose. */
struct rules {
        uint8_t preferences[TYPE_COUNT][CHANNEL_COUNT]; /* enum delivery */
        uint8_t filters[FILTER_COUNT];                  /* enum filter_action */
        unsigned settings_off;                          /* a bit of 1 << enum told_setting for each that is off */
        bool mailed;                                    /* the setting notifications.email */
        const struct zone *zone;                        /* of digests */
        int digest_hour;
        int daily_budget;     /* how much is sent at once in a day, on each channel; 0: as much as there is */
        bool show_content;    /* outside of this network */
        const char *language; /* that one is written to in */
        struct quiet_hours quiet;
        unsigned loud;                         /* a bit of 1 << type for each that passes quiet hours */
        const struct aggregation *aggregation; /* the same for everybody */
};

/* What happened, from the view of the member who may be notified. */
struct happening {
        enum notification_type type;
        bool is_followed; /* the member follows the actor */
        bool is_follower; /* the actor follows the member */
        bool is_new;      /* the actor's account is younger than NEW_ACCOUNT_MS */
        bool is_private;  /* a mention in what is not for everybody */
        bool thread_muted;
        int64_t now_ms;
};
#define NEW_ACCOUNT_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

/* Where it is listed. */
enum box {
        BOX_NOWHERE, /* not stored at all */
        BOX_INBOX,
        BOX_REQUESTS, /* a filter holds it until the member accepts it: not sent on any channel */
        BOX_UNLISTED, /* sent on other channels only */
};

enum reason {
        REASON_DEFAULT,    /* nothing else was chosen */
        REASON_SETTING,    /* a setting of user_service */
        REASON_PREFERENCE, /* the member's preference for type and channel */
        REASON_FILTER,
        REASON_THREAD_MUTED,
        REASON_SECURITY, /* nothing else was asked */
};

enum hold { HOLD_NOTHING, HOLD_DIGEST, HOLD_QUIET_HOURS, HOLD_BUDGET };

struct channel_decision {
        bool told;
        enum reason reason; /* why it is sent, or not */
        enum hold hold;     /* what it waits for; */
        int64_t due_ms;     /* and until when */
};

struct decision {
        enum box box;
        enum reason reason; /* of the box */
        enum filter filter; /* with REASON_FILTER: which one */
        struct channel_decision channels[CHANNEL_COUNT];
};

struct decision decide(const struct rules *rules, const struct happening *happening);
/* How a type is delivered on a channel: what the member prefers, or what holds otherwise, and why. */
enum delivery delivery_of(const struct rules *rules, enum notification_type type, enum channel channel,
                          enum reason *reason);
/* What becomes of a delivery that is due: it goes, if need be out of the budget, or waits for the end of quiet hours.
 */
struct release {
        enum hold hold;
        int64_t due_ms; /* now_ms: it may go, */
        bool pays;      /* if the budget of its day lasts; otherwise it waits as release_over_budget says */
};
/* hold: what it waited for so far; paid: it is in the budget already. */
struct release release_of(const struct rules *rules, enum notification_type type, enum hold hold, bool paid,
                          int64_t now_ms);
/* The digest that has what is over the budget: the next one at digest_hour, outside of quiet hours. */
struct release release_over_budget(const struct rules *rules, enum notification_type type, int64_t now_ms);
/* The days of budgets begin at digest_hour: the number of the one that it is. */
int64_t budget_day(const struct rules *rules, int64_t now_ms);
/* Whether neither quiet hours nor budgets hold what is of this type. */
bool is_loud(const struct rules *rules, enum notification_type type);
const char *reason_name(enum reason reason);
const char *filter_name(enum filter filter);
const char *hold_name(enum hold hold);
const char *channel_name(enum channel channel);
/* By whose preferences and templates it goes. */
enum channel preferred_channel(enum channel channel);

#endif
