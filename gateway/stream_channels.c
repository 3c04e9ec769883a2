/* Owns the channels that the contracts declare: looking one up by name, and asking its service what viewers see. */
#include <stdlib.h>
#include <string.h>
#include "gateway/stream.h"
#include "json/json.h"
#include "sonet/live.pb-c.h"

/* ---- At start ---- */

static const struct rpc_method *method_named(const struct rpc_service *service, const char *name)
{
        for (size_t i = 0; name != NULL && i < service->n_methods; i++) {
                if (strcmp(service->methods[i].name, name) == 0) {
                        return &service->methods[i];
                }
        }
        return NULL;
}

static const struct rpc_method *log_of(const struct rpc_service *const *contracts, size_t n, const char *source)
{
        for (size_t i = 0; source != NULL && i < n; i++) {
                if (strcmp(contracts[i]->name, source) == 0) {
                        return method_named(contracts[i], "ReadOutbox");
                }
        }
        return NULL;
}

static struct stream_log *add_log(struct stream_hub *hub, const char *source, const struct rpc_method *read_outbox)
{
        for (size_t i = 0; i < hub->n_logs; i++) {
                if (hub->logs[i].read_outbox == read_outbox) {
                        return &hub->logs[i];
                }
        }
        if (hub->n_logs == STREAM_LOGS_MAX) {
                return NULL;
        }
        hub->logs[hub->n_logs] = (struct stream_log){.hub = hub, .source = source, .read_outbox = read_outbox};
        return &hub->logs[hub->n_logs++];
}

static const struct rpc_message *items_of(const struct rpc_method *show)
{
        const struct rpc_field *items = show != NULL ? contract_field(show->out, STR("items")) : NULL;

        return items != NULL && items->shape == SHAPE_LIST && items->kind == KIND_MESSAGE ? items->message : NULL;
}

/* Checks the result of ShowEvents against live.proto. */
static bool is_shown(const struct rpc_method *show)
{
        const struct rpc_message *item = items_of(show);
        const struct rpc_field *event = item != NULL ? contract_field(item, STR("event")) : NULL;
        const struct rpc_field *viewer = item != NULL ? contract_field(item, STR("viewer")) : NULL;

        return event != NULL && event->kind == KIND_U32 && viewer != NULL && viewer->kind == KIND_U32;
}

static void read_name(struct stream_channel *channel)
{
        struct str rest = str_of(channel->subscribe->channel);

        (void)str_next(&rest, ':', &channel->word);
        channel->variable = rest.len > 2 ? (struct str){rest.ptr + 1, rest.len - 2} : (struct str){0};
}

/* A lossy channel follows no log. */
static sn_status find_log(struct stream_hub *hub, const struct rpc_service *const *contracts, size_t n,
                          struct stream_channel *channel, struct buf *error)
{
        const struct rpc_method *m = channel->subscribe, *read_outbox = log_of(contracts, n, m->channel_source);

        if (m->channel_source == NULL) {
                return SN_OK;
        }
        if (read_outbox == NULL) {
                buf_printf(error, "the channel %s of %s follows no log", m->channel, m->service->name);
                return SN_FAILED_PRECONDITION;
        }
        channel->log = add_log(hub, m->channel_source, read_outbox);
        if (channel->log == NULL) {
                buf_printf(error, "the channels follow more than %d logs", STREAM_LOGS_MAX);
                return SN_FAILED_PRECONDITION;
        }
        return SN_OK;
}

static sn_status add_channel(struct stream_hub *hub, const struct rpc_service *const *contracts, size_t n,
                             const struct rpc_method *m, struct buf *error)
{
        struct stream_channel channel = {.subscribe = m,
                                         .route = method_named(m->service, "RouteEvents"),
                                         .show = method_named(m->service, "ShowEvents"),
                                         .acknowledge = method_named(m->service, m->channel_acknowledge)};

        if (!is_shown(channel.show)) {
                buf_printf(error, "the channel %s of %s has no ShowEvents method that returns items", m->channel,
                           m->service->name);
                return SN_FAILED_PRECONDITION;
        }
        read_name(&channel);
        TRY(find_log(hub, contracts, n, &channel, error));
        hub->channels[hub->n_channels++] = channel;
        return SN_OK;
}

sn_status stream_channels_find(struct stream_hub *hub, const struct rpc_service *const *contracts, size_t n,
                               struct buf *error)
{
        size_t most = 0;

        for (size_t i = 0; i < n; i++) {
                most += contracts[i]->n_methods;
        }
        hub->channels = calloc(most + 1, sizeof(*hub->channels));
        hub->logs = calloc(n + 1, sizeof(*hub->logs));
        if (hub->channels == NULL || hub->logs == NULL) {
                return SN_RESOURCE_EXHAUSTED;
        }
        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < contracts[i]->n_methods; k++) {
                        if (contracts[i]->methods[k].channel != NULL) {
                                TRY(add_channel(hub, contracts, n, &contracts[i]->methods[k], error));
                        }
                }
        }
        return SN_OK;
}

/* ---- Names ---- */

static sn_status unknown(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_NOT_FOUND, "channel_unknown", "channel",
                             "no such channel; see docs/streaming.md for the list");
}

sn_status stream_channel_parse(struct rpc_call *c, struct stream_hub *hub, struct str name, struct stream_channel **out,
                               ProtobufCMessage **in)
{
        struct str rest = name, word = {0};
        bool has_value = memchr(name.ptr, ':', name.len) != NULL;

        (void)str_next(&rest, ':', &word);
        for (size_t i = 0; i < hub->n_channels; i++) {
                struct stream_channel *channel = &hub->channels[i];

                if (str_equal(channel->word, word) && has_value == (channel->variable.len > 0)) {
                        *in = contract_new_message(channel->subscribe->in, c->arena);
                        *out = channel;
                        return has_value ? json_set_field(c, channel->subscribe->in, *in, channel->variable, rest)
                                         : SN_OK;
                }
        }
        return unknown(c);
}

/* ---- Showing events ---- */

static uint32_t number_in(const struct rpc_message *type, const ProtobufCMessage *item, const char *name)
{
        return *(const uint32_t *)((const char *)item + contract_field(type, str_of(name))->offset);
}

/* "note_created" becomes "note.created". */
static const char *event_name(struct arena *arena, const char *field)
{
        char *name = arena_strdup(arena, field), *line = strchr(name, '_');

        if (line != NULL) {
                *line = '.';
        }
        return name;
}

/* The alternative of the item's oneof that is set; NULL: none. */
static const struct rpc_field *data_field(const struct rpc_message *type, const ProtobufCMessage *item)
{
        for (uint32_t i = 0; i < type->n_fields; i++) {
                const struct rpc_field *f = &type->fields[i];

                if (f->shape == SHAPE_ONEOF && f->kind == KIND_MESSAGE &&
                    *(const uint32_t *)((const char *)item + f->quantifier) == f->number) {
                        return f;
                }
        }
        return NULL;
}

/* In the order of the events, regardless of the service's order. */
static int compare_shown(const void *a, const void *b)
{
        const struct stream_shown *x = a, *y = b;

        return x->event != y->event ? (x->event < y->event ? -1 : 1)
                                    : (x->viewer > y->viewer) - (x->viewer < y->viewer);
}

static void collect_items(struct rpc_call *c, const struct rpc_method *show, const ProtobufCMessage *answer,
                          size_t n_events, size_t n_viewers, struct stream_shown **shown, size_t *n_shown)
{
        const struct rpc_field *items = contract_field(show->out, STR("items"));
        const struct rpc_message *type = items->message;
        size_t n = *(const size_t *)((const char *)answer + items->quantifier);
        ProtobufCMessage *const *all = *(ProtobufCMessage *const *const *)((const char *)answer + items->offset);

        *shown = ARENA_ARRAY(c->arena, struct stream_shown, n);
        *n_shown = 0;
        for (size_t i = 0; i < n; i++) {
                const struct rpc_field *f = data_field(type, all[i]);
                struct stream_shown one = {.event = number_in(type, all[i], "event"),
                                           .viewer = number_in(type, all[i], "viewer")};

                if (f != NULL && one.event < n_events && one.viewer < n_viewers) {
                        one.name = event_name(c->arena, f->name);
                        one.type = f->message;
                        one.data = *(const ProtobufCMessage *const *)((const char *)all[i] + f->offset);
                        (*shown)[(*n_shown)++] = one;
                }
        }
}

sn_status stream_channel_show(struct rpc_call *c, const struct stream_channel *channel, const char *topic,
                              bus_event **events, size_t n_events, char **viewers, size_t n_viewers,
                              struct stream_shown **shown, size_t *n_shown)
{
        Sonet__Live__ShowRequest in = SONET__LIVE__SHOW_REQUEST__INIT;
        ProtobufCMessage *out = contract_new_message(channel->show->out, c->arena);

        in.channel = (char *)channel->subscribe->channel;
        in.topic = (char *)topic;
        in.events = events;
        in.n_events = n_events;
        in.viewer_ids = viewers;
        in.n_viewer_ids = n_viewers;
        TRY(rpc_invoke(c, channel->show, &in.base, out));
        collect_items(c, channel->show, out, n_events, n_viewers, shown, n_shown);
        qsort(*shown, *n_shown, sizeof(**shown), compare_shown);
        return SN_OK;
}
