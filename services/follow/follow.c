/* follow_service: what it is made of. */
#include "services/follow/follow.h"

#include "services/follow/handlers.h"
#include "services/follow/relations.h"
#include "services/follow/schema.h"

static const struct follow_handlers handlers = {
    .follow_user = follow_user,
    .unfollow_user = unfollow_user,
    .block_user = block_user,
    .unblock_user = unblock_user,
    .mute_user = mute_user,
    .unmute_user = unmute_user,
    .list_relationships = list_relationships,
    .list_followers = list_followers,
    .list_following = list_following,
    .get_relations = get_relations,
    .list_follower_ids = list_follower_ids,
    .list_followed_since = list_followed_since,
    .read_outbox = bus_read_outbox,
};

static sn_status start(struct service *service, const struct settings *settings)
{
        return relations_start((size_t)settings->follow_cache_bytes);
}

static void stop(struct service *service)
{
        relations_stop();
}

static void forget(struct service *service)
{
        relations_forget();
}

const struct service_definition follow_service = {
    .name = "follow",
    .contract = &follow_contract,
    .handlers = &handlers,
    .schema = &follow_schema,
    .emits = true,
    .single = true,
    .start = start,
    .stop = stop,
    .forget = forget,
};
