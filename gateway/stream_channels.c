/* Owns the channels that the contracts declare: finding one by its name, and asking its service what viewers are shown.
 */
#include <stdlib.h>
#include <string.h>
#include "gateway/stream.h"
#include "json/json.h"
#include "sonet/live.pb-c.h"

/* ---- At start ---- */

static const struct rpc_method *method_named(const struct rpc_service *service, const char *name)
{
        for (size_t i = 0; i < service->n_methods; i++) {
                if (strcmp(service->methods[i].name, name) == 0) {
                        return &service->methods[i];
                }
        }
        return NULL;
}

static const struct rpc_method *log_of(const struct rpc_service *const *contracts, size_t n, const char *source)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(contracts[i]->name, source) == 0) {
                        return method_named(contracts[i], "ReadOutbox");
                }
        }
        return NULL;
}

static struct stream_log *add_log(struct stream_hub *hub, const char *source, const struct rpc_method *read_outbox)
{
        for (size_t i = 0; i < hub->n_logs; i++) {
                if (strcmp(hub->logs[i].source, source) == 0) {
                        return &hub->logs[i];
                }
        }
        hub->logs[hub->n_logs] = (struct stream_log){.hub = hub, .source = source, .read_outbox = read_outbox};
        return &hub->logs[hub->n_logs++];
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *message, const char *name)
{
        return protobuf_c_message_descriptor_get_field_by_name(message, name);
}

static const ProtobufCMessageDescriptor *items_of(const struct rpc_method *show)
{
        const ProtobufCFieldDescriptor *items = field_of(show->out, "items");

        return items != NULL && items->label == PROTOBUF_C_LABEL_REPEATED && items->type == PROTOBUF_C_TYPE_MESSAGE
                   ? items->descriptor
                   : NULL;
}

/* What live.proto says of the answer of ShowEvents. */
static bool is_shown(const struct rpc_method *show)
{
        const ProtobufCMessageDescriptor *item = items_of(show);
        const ProtobufCFieldDescriptor *event = item != NULL ? field_of(item, "event") : NULL;
        const ProtobufCFieldDescriptor *viewer = item != NULL ? field_of(item, "viewer") : NULL;

        return event != NULL && event->type == PROTOBUF_C_TYPE_UINT32 && viewer != NULL &&
               viewer->type == PROTOBUF_C_TYPE_UINT32;
}

static sn_status add_channel(struct stream_hub *hub, const struct rpc_service *const *contracts, size_t n,
                             const struct rpc_method *m, struct buf *error)
{
        struct str rest = str_of(m->channel), word = {0};
        const struct rpc_method *read_outbox = log_of(contracts, n, m->channel_source);
        struct stream_channel channel = {.subscribe = m,
                                         .route = method_named(m->service, "RouteEvents"),
                                         .show = method_named(m->service, "ShowEvents")};

        if (read_outbox == NULL || !is_shown(channel.show)) {
                buf_printf(error,
                           "the channel %s of %s has no log that it follows, or ShowEvents does not answer items",
                           m->channel, m->service->name);
                return SN_FAILED_PRECONDITION;
        }
        (void)str_next(&rest, ':', &word);
        channel.word = word;
        channel.variable = rest.len > 2 ? (struct str){rest.ptr + 1, rest.len - 2} : (struct str){0};
        channel.log = add_log(hub, m->channel_source, read_outbox);
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
                             "there is no such channel; docs/streaming.md lists what there is");
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
                        *in = arena_alloc(c->arena, channel->subscribe->in->sizeof_message);
                        protobuf_c_message_init(channel->subscribe->in, *in);
                        *out = channel;
                        return has_value ? json_set_field(c, *in, channel->variable, rest) : SN_OK;
                }
        }
        return unknown(c);
}

/* ---- What is shown ---- */

static uint32_t number_in(const ProtobufCMessage *item, const char *name)
{
        return *(const uint32_t *)((const char *)item + field_of(item->descriptor, name)->offset);
}

/* "note_created" is "note.created". */
static const char *event_name(struct arena *arena, const char *field)
{
        char *name = arena_strdup(arena, field), *line = strchr(name, '_');

        if (line != NULL) {
                *line = '.';
        }
        return name;
}

/* The one alternative of the item that is set; NULL: none. */
static const ProtobufCFieldDescriptor *data_field(const ProtobufCMessage *item)
{
        for (unsigned i = 0; i < item->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *f = &item->descriptor->fields[i];

                if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && f->type == PROTOBUF_C_TYPE_MESSAGE &&
                    *(const uint32_t *)((const char *)item + f->quantifier_offset) == f->id) {
                        return f;
                }
        }
        return NULL;
}

static void collect(struct rpc_call *c, const ProtobufCMessage *answer, size_t n_events, size_t n_viewers,
                    struct stream_shown **shown, size_t *n_shown)
{
        const ProtobufCFieldDescriptor *items = field_of(answer->descriptor, "items");
        size_t n = *(const size_t *)((const char *)answer + items->quantifier_offset);
        ProtobufCMessage *const *all = *(ProtobufCMessage *const *const *)((const char *)answer + items->offset);

        *shown = ARENA_ARRAY(c->arena, struct stream_shown, n);
        *n_shown = 0;
        for (size_t i = 0; i < n; i++) {
                const ProtobufCFieldDescriptor *f = data_field(all[i]);
                struct stream_shown one = {number_in(all[i], "event"), number_in(all[i], "viewer"), NULL, NULL};

                if (f != NULL && one.event < n_events && one.viewer < n_viewers) {
                        one.name = event_name(c->arena, f->name);
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
        ProtobufCMessage *out = arena_alloc(c->arena, channel->show->out->sizeof_message);

        protobuf_c_message_init(channel->show->out, out);
        in.channel = (char *)channel->subscribe->channel;
        in.topic = (char *)topic;
        in.events = events;
        in.n_events = n_events;
        in.viewer_ids = viewers;
        in.n_viewer_ids = n_viewers;
        TRY(rpc_invoke(c, channel->show, &in.base, out));
        collect(c, out, n_events, n_viewers, shown, n_shown);
        return SN_OK;
}
