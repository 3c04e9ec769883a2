/* Owns the list of famous members as this process knows it, and which of them each reader follows. */
#include "services/timeline/famous.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/no_wait.h"
#include "base/shared_stamps.h"
#include "cache/cache.h"
#include "services/follow/follow.rpc.h"
#include "services/timeline/store.h"

#define REFRESH_US   200000
#define LOAD_AT_ONCE 1000
#define MEMBERS_MAX  5000 /* follow.proto */

static size_t fanout_max;

/* ---- Famous members ---- */

static struct {
        pthread_mutex_t lock;
        char (*ids)[UUID_SIZE]; /* in order */
        size_t n, room;
        int64_t position;  /* the table was read up to here */
        int64_t loaded_us; /* valid at this time; 0: never loaded */
        int64_t asked_us;
        int64_t passed_on_us; /* an attempt on an I/O thread left it to a worker */
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Of the list. Kept responses do not load it: they count only as long as nobody needs to. */
static uint64_t *additions;
static struct stamp_deadline *fresh;

static int compare_ids(const void *a, const void *b)
{
        return strcmp(a, b);
}

bool famous_is(const char *author_id)
{
        (void)pthread_mutex_lock(&known.lock);
        bool found = known.n > 0 && bsearch(author_id, known.ids, known.n, UUID_SIZE, compare_ids) != NULL;
        (void)pthread_mutex_unlock(&known.lock);
        return found;
}

/* With the lock. */
static bool make_room(size_t more)
{
        if (known.n + more > known.room) {
                size_t room = 2 * (known.n + more);
                void *ids = realloc(known.ids, room * UUID_SIZE);

                if (ids == NULL) {
                        return false;
                }
                known.ids = ids;
                known.room = room;
        }
        return true;
}

/* With the lock. Concurrent loads may bring the same ones. */
static bool add(TimelineRows__Famous *const *rows, size_t n)
{
        if (n == 0 || !make_room(n)) {
                return n == 0;
        }
        for (size_t i = 0; i < n; i++) {
                if (rows[i]->position > known.position) {
                        known.position = rows[i]->position;
                        memcpy(known.ids[known.n++], rows[i]->author_id, UUID_SIZE);
                }
        }
        qsort(known.ids, known.n, UUID_SIZE, compare_ids);
        (void)__atomic_add_fetch(additions, 1, __ATOMIC_SEQ_CST);
        return true;
}

/* True if this call must load: the list is too old, or soon will be and no other call is loading it. Of several
 * callers that must not block, one goes to a worker, which loads; the others use the current list. */
static bool is_due(int64_t now_us)
{
        (void)pthread_mutex_lock(&known.lock);
        bool old = known.loaded_us == 0 || now_us - known.loaded_us > FAMOUS_BELIEF_MS * INT64_C(1000);
        int64_t *last_us = no_wait_here() ? &known.passed_on_us : &known.asked_us;
        bool due = old || (now_us - known.asked_us > REFRESH_US && now_us - *last_us > REFRESH_US);

        *last_us = due ? now_us : *last_us;
        (void)pthread_mutex_unlock(&known.lock);
        return due;
}

/* Some of those added since the last load. */
static sn_status load_some(struct rpc_call *c, int64_t now_us, bool *more)
{
        TimelineRows__Famous **rows = NULL;
        size_t n = 0;

        (void)pthread_mutex_lock(&known.lock);
        int64_t after = known.position;
        (void)pthread_mutex_unlock(&known.lock);
        TRY(DB_READ(c, tx, store_famous(tx, after, LOAD_AT_ONCE, &n, &rows)));
        *more = n == LOAD_AT_ONCE;
        (void)pthread_mutex_lock(&known.lock);
        bool added = add(rows, n);
        if (added && !*more && now_us > known.loaded_us) {
                known.loaded_us = now_us;
                stamp_deadline_set(fresh, now_us + REFRESH_US);
        }
        (void)pthread_mutex_unlock(&known.lock);
        return added ? SN_OK : rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "out of memory; try again later");
}

sn_status famous_refresh(struct rpc_call *c)
{
        int64_t now_us = clock_boot_us();
        bool more = is_due(now_us);

        stamps_before(fresh);
        stamps_add(additions, __atomic_load_n(additions, __ATOMIC_SEQ_CST));
        while (more) {
                TRY(load_some(c, now_us, &more));
        }
        return SN_OK;
}

/* After the wait, other processes no longer trust what they read before the commit. */
sn_status famous_add(struct rpc_call *c, const char *author_id)
{
        bool more = true;

        TRY(DB_WRITE(c, tx, store_insert_famous(tx, author_id)));
        while (more) {
                TRY(load_some(c, clock_boot_us(), &more));
        }
        clock_sleep_ms(FAMOUS_BELIEF_MS);
        return SN_OK;
}

/* ---- Famous members followed by a reader ---- */

struct followed {
        struct cache_object object;
        size_t n;
        char ids[][UUID_SIZE];
};

static void free_followed(struct cache_object *object)
{
        free(object);
}

static struct followed *followed_new(char *const *ids, size_t n)
{
        size_t bytes = sizeof(struct followed) + n * UUID_SIZE;
        struct followed *f = calloc(1, bytes);

        if (f == NULL) {
                return NULL;
        }
        f->object = (struct cache_object){.references = 1, .bytes = bytes, .free = free_followed};
        f->n = n;
        for (size_t i = 0; i < n; i++) {
                memcpy(f->ids[i], ids[i], UUID_SIZE);
        }
        return f;
}

/* Moves the famous ones among the members to the front. */
static size_t keep_famous(char **ids, size_t n)
{
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
                if (famous_is(ids[i])) {
                        ids[kept++] = ids[i];
                }
        }
        return kept;
}

static sn_status list_followed(struct rpc_call *c, const char *owner, char ***ids, size_t *n)
{
        Follow__FollowedMembers members = FOLLOW__FOLLOWED_MEMBERS__INIT;
        int64_t version = 0;

        do {
                Follow__ListFollowedSinceRequest in = FOLLOW__LIST_FOLLOWED_SINCE_REQUEST__INIT;

                in.user_id = (char *)owner;
                in.after_version = version;
                in.limit = MEMBERS_MAX;
                follow__followed_members__init(&members);
                TRY(follow_list_followed_since(c, &in, &members));
                size_t kept = keep_famous(members.ids, members.n_ids);
                char **all = ARENA_ARRAY(c->arena, char *, *n + kept);

                for (size_t i = 0; i < *n + kept; i++) {
                        all[i] = i < *n ? (*ids)[i] : members.ids[i - *n];
                }
                *ids = all;
                *n += kept;
                version = members.version;
        } while (members.n_ids == MEMBERS_MAX);
        return SN_OK;
}

static sn_status fill_famous(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                char **ids = NULL;
                size_t n_ids = 0;

                TRY(list_followed(c, missing[i]->key.id, &ids, &n_ids));
                missing[i]->value.object = followed_new(ids, n_ids);
                if (missing[i]->value.object == NULL) {
                        return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "out of memory; try again later");
                }
        }
        return SN_OK;
}

static struct cache lists = {.name = "famous_followed", .fill = fill_famous};

/* The version increases with follows, the position with famous members: a list is never changed, a new key has a new
 * list. Members no longer followed remain in it, and are skipped like all of them. */
static struct cache_key key_of(const char *owner, int64_t relations_version)
{
        (void)pthread_mutex_lock(&known.lock);
        uint64_t position = (uint64_t)known.position;
        (void)pthread_mutex_unlock(&known.lock);
        return (struct cache_key){.id = owner, .kind = ((uint64_t)relations_version << 24) ^ position};
}

sn_status famous_followed(struct rpc_call *c, const char *owner, int64_t relations_version, char ***ids, size_t *n)
{
        struct cache_item item = {.key = key_of(owner, relations_version)};

        *n = 0;
        TRY(cache_get(c, &lists, READ_FROM_ANYWHERE, &item, 1));
        struct followed *found = item.value.object;
        if (found == NULL) {
                return SN_OK;
        }
        *ids = ARENA_ARRAY(c->arena, char *, found->n);
        for (*n = 0; *n < found->n; (*n)++) {
                (*ids)[*n] = found->ids[*n];
        }
        return SN_OK;
}

/* ---- Start and stop ---- */

size_t famous_fanout_max(void)
{
        return fanout_max;
}

sn_status famous_start(const struct settings *settings)
{
        fanout_max = (size_t)settings->fanout_max;
        fresh = shared_stamps_deadline_new();
        additions = shared_stamps_new(1);
        return additions == NULL ? SN_RESOURCE_EXHAUSTED : cache_start(&lists, (size_t)settings->timeline_cache_bytes);
}

void famous_stop(void)
{
        cache_stop(&lists);
        shared_stamps_deadline_free(fresh);
        shared_stamps_free(additions);
        free(known.ids);
        known.ids = NULL;
        known.n = known.room = 0;
        known.position = known.loaded_us = known.asked_us = known.passed_on_us = 0;
}
