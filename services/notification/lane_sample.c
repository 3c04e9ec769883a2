/* Owns test messages, which are sent at once. */
#include "services/notification/lane_sample.h"

#include <string.h>
#include "services/notification/lane.h"
#include "services/notification/lane_batch.h"
#include "services/notification/providers.h"
#include "services/notification/store.h"

enum { TIMEOUT_MS = 3000 }; /* an operator waits for it */

static sn_status set_up(struct rpc_call *c, const struct settings *settings)
{
        CLEANUP(buf_free) struct buf error;

        buf_init(&error, 1000);
        push_setup(settings);
        return providers_setup(settings, &error) == SN_OK ? SN_OK
                                                          : rpc_fail(c, SN_INVALID_ARGUMENT, NULL, "%s", error.data);
}

static const struct lane_kind *find_kind(const char *channel, const char *type)
{
        for (size_t i = 0; i < lane_n_kinds; i++) {
                if (strcmp(channel_name(lane_kinds[i].channel), channel) == 0 &&
                    template_exists(type, preferred_channel(lane_kinds[i].channel))) {
                        return &lane_kinds[i];
                }
        }
        return NULL;
}

/* SMS are sent to the number given: operators may test any number. */
static sn_status find_targets(struct rpc_call *c, const struct lane_kind *kind, const char *to, size_t *n,
                              NotificationRows__Subscription ***targets)
{
        char *id = (char *)to;

        if (kind->channel != CHANNEL_SMS) {
                return DB_READ(c, tx, kind->targets(tx, &id, 1, n, targets));
        }
        *n = 1;
        *targets = ARENA_ARRAY(c->arena, NotificationRows__Subscription *, 1);
        (*targets)[0] = ARENA_NEW(c->arena, NotificationRows__Subscription);
        notification_rows__subscription__init((*targets)[0]);
        (*targets)[0]->endpoint = (char *)to;
        (*targets)[0]->provider = (char *)push_adapter_name(providers_sms());
        return SN_OK;
}

static void take_results(struct push_sender *sender)
{
        struct push_result result;

        if (push_wait(sender, TIMEOUT_MS, &result, 1) > 0) {
                struct lane_sample *sample = result.tag;

                sample->outcome = lane_outcome_names[result.outcome];
                memcpy((char *)sample->reason, result.reason, strlen(result.reason) + 1);
        }
}

/* The result is taken later, so that silent providers cost their time only once. */
static void start_one(struct rpc_call *c, struct push_sender *sender, const struct lane_kind *kind,
                      const struct outgoing *d, const NotificationRows__Subscription *to, struct lane_sample *sample)
{
        enum lane_begun begun;
        const char *why = "";

        *sample = (struct lane_sample){to->provider, "refused",
                                       arena_alloc(c->arena, sizeof(((struct push_result *)NULL)->reason))};
        while ((begun = kind->begin(sender, c->arena, d, to, sample, &why)) == LANE_NOT_NOW) {
                take_results(sender);
        }
        if (begun == LANE_REFUSED) {
                sample->reason = why;
        }
}

static void send_all(struct rpc_call *c, const struct lane_kind *kind, const struct outgoing *d,
                     NotificationRows__Subscription *const *targets, size_t n, struct lane_sample *samples)
{
        struct push_options options = *push_settings();

        options.timeout_ms = TIMEOUT_MS;
        struct push_sender *sender = push_sender_new(&options);
        for (size_t i = 0; i < n; i++) {
                start_one(c, sender, kind, d, targets[i], &samples[i]);
        }
        while (push_is_busy(sender)) {
                take_results(sender);
        }
        push_sender_free(sender);
}

static sn_status load_templates(struct rpc_call *c, const struct lane_kind *kind, const struct templates **templates)
{
        return DB_READ(c, tx, templates_load(tx, preferred_channel(kind->channel), templates));
}

sn_status lane_send_sample(struct rpc_call *c, const struct settings *settings, const char *channel, const char *type,
                           const char *language, const char *to, struct lane_sample **samples, size_t *n)
{
        const struct lane_kind *kind = find_kind(channel, type);
        const struct rules rules = {.language = language};
        Notification__Notification shown = template_sample_of(c->arena, type, 1), *list[] = {&shown};
        struct outgoing d = {.user_id = to, .shown = list, .n_shown = 1, .rules = &rules};
        NotificationRows__Subscription **targets = NULL;

        TRY(set_up(c, settings));
        if (kind == NULL || (kind->is_used != NULL && !kind->is_used())) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, NULL, "cannot send %s/%s: %s", type, channel,
                                kind == NULL ? template_missing(c->arena, type, channel) : "no provider is configured");
        }
        TRY(load_templates(c, kind, &d.templates));
        TRY(find_targets(c, kind, to, n, &targets));
        *samples = ARENA_ARRAY(c->arena, struct lane_sample, *n);
        send_all(c, kind, &d, targets, *n, *samples);
        return SN_OK;
}
