/* Owns the channels that are sent over HTTP: pushes to browsers, pushes to apps, and SMS. */
#include "services/notification/lane.h"

#include "mail/mail.h"
#include "services/notification/providers.h"
#include "services/notification/store.h"
#include "services/notification/words.h"

enum { TTL_S = 86400, SMS_MAX_BYTES = 300, TITLE_MAX_BYTES = 200, TEXT_MAX_BYTES = 300 };

/* ---- Browsers ---- */

static sn_status find_browsers(struct db_tx *tx, char **users, size_t n_users, size_t *n,
                               NotificationRows__Subscription ***rows)
{
        TRY(store_subscriptions(tx, users, n_users, false, n, rows));
        for (size_t i = 0; i < *n; i++) {
                (*rows)[i]->provider = arena_alloc(db_arena(tx), PUSH_ORIGIN_SIZE);
                if (!push_origin((*rows)[i]->endpoint, (*rows)[i]->provider)) {
                        (*rows)[i]->provider[0] = '\0'; /* rejected below */
                }
        }
        return SN_OK;
}

static enum lane_begun begin_browser(struct push_sender *sender, struct arena *arena, const struct outgoing *d,
                                     const NotificationRows__Subscription *to, void *tag, const char **why)
{
        struct str text = push_text(arena, d);
        char topic[PUSH_TOPIC_CHARS + 1];
        struct push_subscription subscription;
        const char *field;
        struct push_message message = {.to = &subscription,
                                       .text = text.ptr,
                                       .len = text.len,
                                       .ttl_s = TTL_S,
                                       .topic = push_topic(push_collapse_key(d), topic),
                                       .urgency = PUSH_NORMAL,
                                       .tag = tag};

        *why = push_read_subscription(push_settings(), to->endpoint, to->p256dh, to->auth, &subscription, &field);
        if (*why != NULL) {
                *why = arena_printf(arena, "its %s %s", field, *why);
                return LANE_REFUSED;
        }
        return push_start(sender, &message) ? LANE_STARTED : LANE_NOT_NOW;
}

static sn_status forget_subscription(struct db_tx *tx, const NotificationRows__Subscription *target,
                                     const char *user_id)
{
        int64_t n = 0;

        return store_unsubscribe(tx, target->id, user_id, &n);
}

/* ---- Apps and telephones ---- */

static enum lane_begun begin_adapter(struct push_sender *sender, struct push_adapter *adapter,
                                     struct adapter_message *message, const struct outgoing *d, char *key,
                                     const char **why)
{
        if (adapter == NULL) {
                *why = "the settings have no such provider";
                return LANE_REFUSED;
        }
        message->id = d->shown[0]->id;
        message->type = d->shown[0]->type;
        message->key = push_topic(d->shown[0]->group_key, key);
        message->ttl_s = TTL_S;
        return push_adapter_start(sender, adapter, message) ? LANE_STARTED : LANE_NOT_NOW;
}

static sn_status find_devices(struct db_tx *tx, char **users, size_t n_users, size_t *n,
                              NotificationRows__Subscription ***rows)
{
        return store_subscriptions(tx, users, n_users, true, n, rows);
}

/* The provider can read this text, so it says nothing about messages, which are private between members. */
static enum lane_begun begin_device(struct push_sender *sender, struct arena *arena, const struct outgoing *d,
                                    const NotificationRows__Subscription *to, void *tag, const char **why)
{
        const Notification__Notification *newest = d->shown[0];
        char *said = newest->chat == NULL ? words_beginning(arena, d->rules, newest, TEXT_MAX_BYTES) : NULL;
        char *title = headline_of(arena, push_title(d, CHANNEL_PUSH).source, newest), key[PUSH_TOPIC_CHARS + 1];
        struct adapter_message message = {.to = to->endpoint,
                                          .title = words_cut(arena, title, TITLE_MAX_BYTES),
                                          .text = said != NULL ? said : "",
                                          .tag = tag};

        return begin_adapter(sender, providers_mobile(to->provider), &message, d, key, why);
}

static sn_status find_phones(struct db_tx *tx, char **users, size_t n_users, size_t *n,
                             NotificationRows__Subscription ***rows)
{
        TRY(store_verified_phones(tx, users, n_users, n, rows));
        for (size_t i = 0; i < *n; i++) {
                (*rows)[i]->provider = (char *)push_adapter_name(providers_sms());
        }
        return SN_OK;
}

/* Says who did what on which network, and never quotes content, since operators of telephone networks can read it. */
static enum lane_begun begin_sms(struct push_sender *sender, struct arena *arena, const struct outgoing *d,
                                 const NotificationRows__Subscription *to, void *tag, const char **why)
{
        char *title = headline_of(arena, push_title(d, CHANNEL_SMS).source, d->shown[0]), key[PUSH_TOPIC_CHARS + 1];
        char *more = d->n_shown > 1 ? arena_printf(arena, " (+%zu)", d->n_shown - 1) : "";
        struct adapter_message message = {
            .to = to->endpoint,
            .title = mail_network(),
            .text = arena_printf(arena, "%s: %s%s", mail_network(), words_cut(arena, title, SMS_MAX_BYTES), more),
            .tag = tag};

        return begin_adapter(sender, providers_sms(), &message, d, key, why);
}

static sn_status forget_phone(struct db_tx *tx, const NotificationRows__Subscription *target, const char *user_id)
{
        return store_forget_phone(tx, user_id, target->endpoint);
}

static bool has_mobile(void)
{
        return providers_n_mobile() > 0;
}

static bool has_sms(void)
{
        return providers_sms() != NULL;
}

#define FAULTS(lane) lane "_claimed", lane "_sent", lane "_settled"

const struct lane_kind lane_kinds[] = {
    {"push", FAULTS("push"), CHANNEL_PUSH, NULL, find_browsers, begin_browser, forget_subscription},
    {"mobile", FAULTS("mobile"), CHANNEL_MOBILE, has_mobile, find_devices, begin_device, forget_subscription},
    {"sms", FAULTS("sms"), CHANNEL_SMS, has_sms, find_phones, begin_sms, forget_phone}};
const size_t lane_n_kinds = sizeof(lane_kinds) / sizeof(lane_kinds[0]);
