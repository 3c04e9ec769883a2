/* Decides which channels notify a member of an event, when, and why. The only place that does; pure functions. */
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
        CHANNEL_COUNT,                 /* the channels that members have preferences for */
        CHANNEL_MOBILE = CHANNEL_COUNT /* pushes to apps: preferences of CHANNEL_PUSH, but its own lane */
};

/* Same values as notification.v1.Delivery; 0: the default. */
enum delivery { DELIVERY_DEFAULT, DELIVERY_OFF, DELIVERY_IMMEDIATE, DELIVERY_HOURLY, DELIVERY_DAILY, DELIVERY_WEEKLY };

/* Same values as notification.v1.FilterAction; 0: accept. */
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
        unsigned settings_off;                          /* bit 1 << enum told_setting is set for each that is off */
        bool mailed;                                    /* the setting notifications.email */
        const struct zone *zone;                        /* for quiet hours and digests */
        int digest_hour;
        int daily_budget;     /* immediate deliveries per day and channel; 0: unlimited */
        bool show_content;    /* in pushes and mails */
        const char *language; /* of texts to the member */
        struct quiet_hours quiet;
        unsigned loud;                         /* bit 1 << type is set for types that pass quiet hours */
        const struct aggregation *aggregation; /* the same for all members */
};

/* What happened, from the point of view of the member who may be notified. */
struct happening {
        enum notification_type type;
        bool is_followed; /* the member follows the actor */
        bool is_follower; /* the actor follows the member */
        bool is_new;      /* the actor's account is younger than NEW_ACCOUNT_MS */
        bool is_private;  /* a mention in a note that is not public */
        bool thread_muted;
        int64_t now_ms;
};
#define NEW_ACCOUNT_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

/* Where a notification is listed. */
enum box {
        BOX_NOWHERE, /* not stored at all */
        BOX_INBOX,
        BOX_REQUESTS, /* held by a filter until the member accepts it; not sent on any channel */
        BOX_UNLISTED, /* only sent on other channels */
};

enum reason {
        REASON_DEFAULT,    /* the member chose nothing */
        REASON_SETTING,    /* a setting of user_service */
        REASON_PREFERENCE, /* the member's preference for type and channel */
        REASON_FILTER,
        REASON_THREAD_MUTED,
        REASON_SECURITY, /* security types ignore all preferences */
};

enum hold { HOLD_NOTHING, HOLD_DIGEST, HOLD_QUIET_HOURS, HOLD_BUDGET };

struct channel_decision {
        bool told;
        enum reason reason; /* why it is sent or not */
        enum hold hold;     /* what it waits for */
        int64_t due_ms;     /* when it is due */
};

struct decision {
        enum box box;
        enum reason reason; /* for the box */
        enum filter filter; /* with REASON_FILTER */
        struct channel_decision channels[CHANNEL_COUNT];
};

struct decision decide(const struct rules *rules, const struct happening *happening);
/* How a type is delivered on a channel, by the member's preference or else by default, and why. */
enum delivery delivery_of(const struct rules *rules, enum notification_type type, enum channel channel,
                          enum reason *reason);
/* What happens to a due delivery: it is sent, possibly at the cost of the budget, or it waits for the end of quiet
 * hours. */
struct release {
        enum hold hold;
        int64_t due_ms; /* now_ms if it may be sent now */
        bool pays;      /* it must be paid for from the day's budget; if that is spent, see release_over_budget */
};
/* hold: what it waited for so far. paid: it is already counted in the budget. */
struct release release_of(const struct rules *rules, enum notification_type type, enum hold hold, bool paid,
                          int64_t now_ms);
/* When deliveries over the budget are sent: in the next digest at digest_hour outside quiet hours. */
struct release release_over_budget(const struct rules *rules, enum notification_type type, int64_t now_ms);
/* The number of the budget's current day. Days begin at digest_hour. */
int64_t budget_day(const struct rules *rules, int64_t now_ms);
/* Whether a type is exempt from quiet hours and budgets. */
bool is_loud(const struct rules *rules, enum notification_type type);
const char *reason_name(enum reason reason);
const char *filter_name(enum filter filter);
const char *hold_name(enum hold hold);
const char *channel_name(enum channel channel);
/* The channel whose preferences and templates apply to this one. */
enum channel preferred_channel(enum channel channel);

#endif
