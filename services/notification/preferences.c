/* Owns members' preferences: delivery per type and channel, and filters on strangers. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/notification/rules.h"
#include "services/notification/store.h"

static Notification__TypePreference *show_type(struct arena *arena, const struct rules *rules,
                                               enum notification_type type)
{
        Notification__TypePreference *out = ARENA_NEW(arena, Notification__TypePreference);
        enum reason reason;

        notification__type_preference__init(out);
        out->type = (char *)type_name(type);
        out->in_app = (Notification__Delivery)delivery_of(rules, type, CHANNEL_IN_APP, &reason);
        out->push = (Notification__Delivery)delivery_of(rules, type, CHANNEL_PUSH, &reason);
        out->email = (Notification__Delivery)delivery_of(rules, type, CHANNEL_EMAIL, &reason);
        out->sms = (Notification__Delivery)delivery_of(rules, type, CHANNEL_SMS, &reason);
        if (type_is_security(type) && type != TYPE_MAIL_BOUNCED) { /* user_service always mails these */
                out->email = NOTIFICATION__DELIVERY__DELIVERY_IMMEDIATE;
        }
        return out;
}

static Notification__FilterAction shown_action(const struct rules *rules, enum filter filter)
{
        int action = rules->filters[filter];

        return (Notification__FilterAction)(action == FILTER_DEFAULT ? FILTER_ACCEPT : action);
}

static void show_preferences(struct rpc_call *c, const struct rules *rules, Notification__Preferences *out)
{
        out->types = ARENA_ARRAY(c->arena, Notification__TypePreference *, TYPE_COUNT);
        for (int i = 0; i < TYPE_COUNT; i++) {
                out->types[out->n_types++] = show_type(c->arena, rules, (enum notification_type)i);
        }
        out->filters = ARENA_NEW(c->arena, Notification__Filters);
        notification__filters__init(out->filters);
        out->filters->not_followed = shown_action(rules, FILTER_NOT_FOLLOWED);
        out->filters->not_following = shown_action(rules, FILTER_NOT_FOLLOWING);
        out->filters->new_account = shown_action(rules, FILTER_NEW_ACCOUNT);
        out->filters->private_mention = shown_action(rules, FILTER_PRIVATE_MENTION);
        out->digest_hour = (uint32_t)rules->digest_hour;
        out->show_content = rules->show_content;
        out->daily_budget = (uint32_t)rules->daily_budget;
}

static sn_status load_rules(struct rpc_call *c, struct rules **rules)
{
        char *id = (char *)c->actor;

        return rules_load(c, &id, 1, rules);
}

sn_status notification_handle_get_preferences(struct rpc_call *c, const Notification__GetPreferencesRequest *in,
                                              Notification__Preferences *out)
{
        struct rules *rules = NULL;

        TRY(load_rules(c, &rules));
        show_preferences(c, rules, out);
        return SN_OK;
}

/* Security types are fixed: requests may repeat the current values, but not change them. */
static sn_status check_security(struct rpc_call *c, const Notification__TypePreference *in)
{
        const Notification__Delivery at_once = NOTIFICATION__DELIVERY__DELIVERY_IMMEDIATE,
                                     unset = NOTIFICATION__DELIVERY__DELIVERY_UNSPECIFIED,
                                     off = NOTIFICATION__DELIVERY__DELIVERY_OFF;
        bool bounced = strcmp(in->type, type_name(TYPE_MAIL_BOUNCED)) == 0;
        bool as_it_is = (in->in_app == unset || in->in_app == at_once) && (in->push == unset || in->push == at_once) &&
                        (in->email == unset || in->email == (bounced ? off : at_once)) &&
                        (in->sms == unset || in->sms == off);

        return as_it_is ? SN_OK
                        : rpc_fail(c, SN_INVALID_ARGUMENT, "types", "%s concerns your account and cannot be changed",
                                   in->type);
}

static sn_status take_type(struct rpc_call *c, const Notification__TypePreference *in, bool *seen,
                           struct preference_columns *out)
{
        enum notification_type type;

        if (!type_find(in->type, &type)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "types", "has an unknown type %s; types are %s", in->type,
                                type_names());
        }
        if (seen[type]) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "types", "has %s twice", in->type);
        }
        if ((int)in->in_app > DELIVERY_IMMEDIATE) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "types", "in_app of %s must be immediate or off", in->type);
        }
        seen[type] = true;
        if (type_is_security(type)) {
                return check_security(c, in);
        }
        out->types[out->n] = in->type;
        out->deliveries[CHANNEL_IN_APP][out->n] = in->in_app;
        out->deliveries[CHANNEL_PUSH][out->n] = in->push;
        out->deliveries[CHANNEL_EMAIL][out->n] = in->email;
        out->deliveries[CHANNEL_SMS][out->n++] = in->sms;
        return SN_OK;
}

static sn_status take_types(struct rpc_call *c, const Notification__SetPreferencesRequest *in,
                            struct preference_columns *out)
{
        bool seen[TYPE_COUNT] = {false};

        for (size_t i = 0; i < in->n_types; i++) {
                TRY(take_type(c, in->types[i], seen, out));
        }
        return SN_OK;
}

static sn_status store_changes(struct db_tx *tx, const char *user_id, const struct preference_columns *columns,
                               const NotificationRows__Choices *choices)
{
        TRY(db_lock_one(tx, "preferences", user_id));
        TRY(store_replace_preferences(tx, user_id, columns));
        return store_set_filters(tx, choices);
}

static NotificationRows__Choices choices_of(const char *user_id, const Notification__SetPreferencesRequest *in)
{
        NotificationRows__Choices out = NOTIFICATION_ROWS__CHOICES__INIT;

        out.user_id = (char *)user_id;
        if (in->filters != NULL) {
                out.not_followed = (int32_t)in->filters->not_followed;
                out.not_following = (int32_t)in->filters->not_following;
                out.new_account = (int32_t)in->filters->new_account;
                out.private_mention = (int32_t)in->filters->private_mention;
        }
        out.digest_hour = in->digest_hour_presence_case != 0 ? (int32_t)in->digest_hour : DIGEST_HOUR;
        out.daily_budget = (int32_t)in->daily_budget;
        out.show_content = in->show_content_presence_case == 0 || in->show_content;
        return out;
}

/* Applies the changes to the rules, since the answer is made before they are stored. */
static void take_wishes(struct rules *rules, const struct preference_columns *columns,
                        const NotificationRows__Choices *choices)
{
        enum notification_type type;

        memset(rules->preferences, 0, sizeof(rules->preferences));
        for (size_t i = 0; i < columns->n; i++) {
                for (int channel = 0; type_find(columns->types[i], &type) && channel < CHANNEL_COUNT; channel++) {
                        rules->preferences[type][channel] = (uint8_t)columns->deliveries[channel][i];
                }
        }
        rules_take_filters(rules, choices);
}

sn_status notification_handle_set_preferences(struct rpc_call *c, const Notification__SetPreferencesRequest *in,
                                              Notification__Preferences *out)
{
        NotificationRows__Choices choices = choices_of(c->actor, in);
        struct preference_columns columns = {.n = 0};
        struct rules *rules = NULL;

        TRY(take_types(c, in, &columns));
        TRY(load_rules(c, &rules));
        take_wishes(rules, &columns, &choices);
        show_preferences(c, rules, out);
        return DB_WRITE(c, tx, store_changes(tx, c->actor, &columns, &choices));
}
