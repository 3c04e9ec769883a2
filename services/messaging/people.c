/* Owns calls to user_service and follow_service. */
#include "services/messaging/people.h"

#include <stdlib.h>
#include <string.h>
#include "services/member.h"

static int compare_ids(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted and distinct, without "". */
static char **distinct_ids(struct rpc_call *c, char *const *ids, size_t n, size_t *n_distinct)
{
        char **sorted = ARENA_ARRAY(c->arena, char *, n);
        size_t kept = 0, all = 0;

        for (size_t i = 0; i < n; i++) {
                if (ids[i][0] != '\0') {
                        sorted[all++] = ids[i];
                }
        }
        if (all > 0) {
                qsort(sorted, all, sizeof(char *), compare_ids);
        }
        for (size_t i = 0; i < all; i++) {
                if (kept == 0 || strcmp(sorted[kept - 1], sorted[i]) != 0) {
                        sorted[kept++] = sorted[i];
                }
        }
        *n_distinct = kept;
        return sorted;
}

/* Requests at most PEOPLE_ASKED_MAX of them. *items are the pointers returned. */
typedef sn_status ask_part(struct rpc_call *c, char **ids, size_t n, const void **items, size_t *n_items);

static sn_status ask_in_parts(struct rpc_call *c, ask_part *ask, char **ids, size_t n, void **items)
{
        for (size_t from = 0; from < n; from += PEOPLE_ASKED_MAX) {
                size_t n_part = n - from < PEOPLE_ASKED_MAX ? n - from : PEOPLE_ASKED_MAX, n_answered = 0;
                const void *answered = NULL;

                TRY(ask(c, ids + from, n_part, &answered, &n_answered));
                if (n_answered != n_part) {
                        return rpc_fail(c, SN_INTERNAL, NULL, "the user service answered about %zu of %zu members",
                                        n_answered, n_part);
                }
                memcpy(items + from, answered, n_part * sizeof(void *));
        }
        return SN_OK;
}

/* Requests each distinct id once. (*answers)[i] belongs to ids[i]; NULL for "". */
static sn_status ask_each(struct rpc_call *c, ask_part *ask, char *const *ids, size_t n, void ***answers)
{
        size_t n_asked = 0;
        char **asked = distinct_ids(c, ids, n, &n_asked);
        void **items = ARENA_ARRAY(c->arena, void *, n_asked);

        TRY(ask_in_parts(c, ask, asked, n_asked, items));
        *answers = ARENA_ARRAY(c->arena, void *, n);
        for (size_t i = 0; i < n; i++) {
                char **at = n_asked > 0 ? bsearch(&ids[i], asked, n_asked, sizeof(char *), compare_ids) : NULL;

                (*answers)[i] = at != NULL ? items[at - asked] : NULL;
        }
        return SN_OK;
}

static sn_status ask_authors(struct rpc_call *c, char **ids, size_t n, const void **items, size_t *n_items)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors out = USER__AUTHORS__INIT;

        in.ids = ids;
        in.n_ids = n;
        TRY(user_batch_get_authors(c, &in, &out));
        *items = out.items;
        *n_items = out.n_items;
        return SN_OK;
}

sn_status people_get(struct rpc_call *c, char *const *ids, size_t n, User__Author ***people)
{
        void **authors = NULL;

        TRY(ask_each(c, ask_authors, ids, n, &authors));
        *people = ARENA_ARRAY(c->arena, User__Author *, n);
        for (size_t i = 0; i < n; i++) {
                User__Author *author = authors[i];

                (*people)[i] = author != NULL && author->id[0] != '\0' ? author : NULL;
        }
        return SN_OK;
}

static sn_status ask_settings(struct rpc_call *c, char **ids, size_t n, const void **items, size_t *n_items)
{
        User__BatchGetSettingsRequest in = USER__BATCH_GET_SETTINGS_REQUEST__INIT;
        User__SettingsList out = USER__SETTINGS_LIST__INIT;

        in.ids = ids;
        in.n_ids = n;
        TRY(user_batch_get_settings(c, &in, &out));
        *items = out.items;
        *n_items = out.n_items;
        return SN_OK;
}

sn_status people_privacy(struct rpc_call *c, char *const *ids, size_t n, User__PrivacySettings ***privacy)
{
        void **settings = NULL;

        TRY(ask_each(c, ask_settings, ids, n, &settings));
        *privacy = ARENA_ARRAY(c->arena, User__PrivacySettings *, n);
        for (size_t i = 0; i < n; i++) {
                if (settings[i] == NULL) {
                        return rpc_fail(c, SN_INTERNAL, NULL, "the user service left out the settings of a member");
                }
                (*privacy)[i] = ((User__Settings *)settings[i])->privacy;
        }
        return SN_OK;
}

sn_status people_find(struct rpc_call *c, char *const *names, size_t n, char ***ids, size_t *n_ids)
{
        char **found = ARENA_ARRAY(c->arena, char *, n);
        size_t n_found = 0;

        for (size_t i = 0; i < n; i++) {
                char *id = NULL;

                sn_status status = member_find(c, names[i], &id);

                if (status == SN_NOT_FOUND) {
                        return rpc_fail(c, SN_INVALID_ARGUMENT, "user_ids", "there is no member '%s'", names[i]);
                }
                TRY(status);
                if (!uuid_equal(id, c->actor)) {
                        found[n_found++] = id;
                }
        }
        *ids = distinct_ids(c, found, n_found, n_ids);
        return SN_OK;
}

sn_status people_relations(struct rpc_call *c, char *const *ids, size_t n, Follow__Relationship ***relations)
{
        Follow__GetRelationsRequest in = FOLLOW__GET_RELATIONS_REQUEST__INIT;
        Follow__Relations out = FOLLOW__RELATIONS__INIT;

        in.viewer_id = (char *)c->actor;
        in.user_ids = (char **)ids;
        in.n_user_ids = n;
        TRY(follow_get_relations(c, &in, &out));
        *relations = out.items;
        return out.n_items == n
                   ? SN_OK
                   : rpc_fail(c, SN_INTERNAL, NULL, "the follow service answered with the wrong number of relations");
}

sn_status people_relations_of(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n,
                              Follow__Relationship ***relations)
{
        Follow__GetViewersRelationsRequest in = FOLLOW__GET_VIEWERS_RELATIONS_REQUEST__INIT;
        Follow__Relations out = FOLLOW__RELATIONS__INIT;

        in.viewer_ids = (char **)viewers;
        in.user_ids = (char **)ids;
        in.n_viewer_ids = in.n_user_ids = n;
        TRY(follow_get_viewers_relations(c, &in, &out));
        *relations = out.items;
        return out.n_items == n
                   ? SN_OK
                   : rpc_fail(c, SN_INTERNAL, NULL, "the follow service answered with the wrong number of relations");
}

static sn_status ask_blocks(struct rpc_call *c, char **viewers, char **ids, size_t n, protobuf_c_boolean *blocked)
{
        for (size_t from = 0; from < n; from += PEOPLE_ASKED_MAX) {
                Follow__GetBlocksRequest in = FOLLOW__GET_BLOCKS_REQUEST__INIT;
                Follow__Blocks out = FOLLOW__BLOCKS__INIT;

                in.blocker_ids = viewers + from;
                in.blocked_ids = ids + from;
                in.n_blocker_ids = in.n_blocked_ids = n - from < PEOPLE_ASKED_MAX ? n - from : PEOPLE_ASKED_MAX;
                TRY(follow_get_blocks(c, &in, &out));
                if (out.n_items != in.n_blocker_ids) {
                        return rpc_fail(c, SN_INTERNAL, NULL,
                                        "the follow service answered with the wrong number of blocks");
                }
                memcpy(blocked + from, out.items, out.n_items * sizeof(*blocked));
        }
        return SN_OK;
}

sn_status people_blocked(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n, bool **blocked)
{
        char **blockers = ARENA_ARRAY(c->arena, char *, n), **others = ARENA_ARRAY(c->arena, char *, n);
        protobuf_c_boolean *answers = ARENA_ARRAY(c->arena, protobuf_c_boolean, n);
        size_t *places = ARENA_ARRAY(c->arena, size_t, n), n_asked = 0;

        *blocked = ARENA_ARRAY(c->arena, bool, n);
        for (size_t i = 0; i < n; i++) {
                if (viewers[i][0] != '\0' && ids[i][0] != '\0' && !uuid_equal(viewers[i], ids[i])) {
                        blockers[n_asked] = viewers[i];
                        others[n_asked] = ids[i];
                        places[n_asked++] = i;
                }
        }
        TRY(ask_blocks(c, blockers, others, n_asked, answers));
        for (size_t i = 0; i < n_asked; i++) {
                (*blocked)[places[i]] = answers[i];
        }
        return SN_OK;
}

/* NULL unless the chat is direct. */
static sn_status find_peer(struct rpc_call *c, const chat_member *member, Follow__Relationship **peer)
{
        Follow__Relationship **relations = NULL;

        *peer = NULL;
        if (member->kind != MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                return SN_OK;
        }
        TRY(people_relations(c, (char *[]){member->peer_id}, 1, &relations));
        *peer = relations[0];
        return SN_OK;
}

sn_status people_is_blocked(struct rpc_call *c, const chat_member *member, bool *blocked)
{
        Follow__Relationship *peer = NULL;

        TRY(find_peer(c, member, &peer));
        *blocked = peer != NULL && (peer->blocking || peer->blocked_by);
        return SN_OK;
}

sn_status people_check_not_blocked(struct rpc_call *c, const chat_member *member)
{
        Follow__Relationship *peer = NULL;

        TRY(find_peer(c, member, &peer));
        if (peer != NULL && peer->blocking) {
                return rpc_fail(c, SN_PERMISSION_DENIED, NULL, "you block this member; unblock them to write to them");
        }
        return peer != NULL && peer->blocked_by
                   ? rpc_fail(c, SN_PERMISSION_DENIED, NULL, "this member does not accept messages from you")
                   : SN_OK;
}
