/* Owns sending signals to listeners: directly in this process, to others through Redis. */
#include "bus/signals.h"

#include <pthread.h>
#include <string.h>
#include "base/uuid.h"
#include "bus/signals_queue.h"
#include "cache/redis.h"
#include "rpc/rpc.h"

/* Identifies this process before each signal in Redis, since its own signals come back from there, too. */
static char process[UUID_SIZE];

static void name_process(void)
{
        uuid_new(process);
}

const char *bus_signal_process(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        pthread_once(&once, name_process);
        return process;
}

char *bus_signal_channel(struct arena *arena, const char *source)
{
        return arena_printf(arena, "sig:%s", source);
}

static uint8_t *pack_signal(struct rpc_call *c, const char *source, const struct outbox_event *signal, size_t *len)
{
        Google__Protobuf__Timestamp now = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        bus_event event = SONET__EVENTS__EVENT__INIT;

        now.seconds = c->now_ms / 1000;
        now.nanos = (int32_t)(c->now_ms % 1000) * 1000000;
        event.id = uuid_new_in(c->arena);
        event.source = (char *)source;
        event.type = (char *)signal->type;
        event.aggregate_id = (char *)signal->aggregate_id;
        event.object_id = (char *)signal->object_id;
        event.actor_id = (char *)(signal->actor_id != NULL ? signal->actor_id : c->actor);
        event.version = signal->version;
        event.trace_id = (char *)(c->trace_id != NULL ? c->trace_id : "");
        event.occurred_at = &now;
        return rpc_pack(c->arena, &event.base, len);
}

/* In its own call, so that an unreachable Redis causes no problem for the handler. */
static void publish_packed(struct service *service, const char *source, const char *from, const uint8_t *packed,
                           size_t len)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, BUS_SIGNAL_CALL_MS);
        uint8_t *bytes = arena_alloc(c->arena, UUID_SIZE - 1 + len);

        memcpy(bytes, from, UUID_SIZE - 1);
        memcpy(bytes + UUID_SIZE - 1, packed, len);
        (void)!redis_publish(c, service->redis, bus_signal_channel(c->arena, source), bytes, UUID_SIZE - 1 + len);
}

void bus_signal(struct rpc_call *c, const struct outbox_event *signal)
{
        size_t len;

        CALL_ASSERT_NO_TRANSACTION(c);
        const uint8_t *packed = pack_signal(c, c->service->name, signal, &len);

        bus_signal_offer_all(c->service->name, packed, len);
        if (c->service->redis != NULL) {
                publish_packed(c->service, c->service->name, bus_signal_process(), packed, len);
        }
}

void bus_signal_publish(struct service *service, const char *source, const struct outbox_event *signal)
{
        static const char no_process[UUID_SIZE] = "00000000-0000-0000-0000-000000000000";
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, BUS_SIGNAL_CALL_MS);
        size_t len;
        const uint8_t *packed = pack_signal(c, source, signal, &len);

        publish_packed(service, source, no_process, packed, len);
}
