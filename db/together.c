/* Owns gathering calls whose writes share a transaction. One that finds nobody writing writes at once, alone. Others
 * wait, and the first of them then writes for all that wait: when that transaction ends, or beside it if they are
 * enough or it takes long. */
#include "db/together.h"

#include "base/clock.h"
#include "base/no_wait.h"
#include "base/ticker.h"
#include "db/tx.h"

#define PLACES     2    /* transactions at a time */
#define BESIDE_MIN 4    /* calls for which a transaction begins beside another: for fewer it costs too much */
#define GROUP_MAX  16   /* calls in one transaction */
#define LONG_US    5000 /* after which others do not wait any longer for one that waits for a lock or a slow COMMIT */

struct db_joined {
        struct db_share share;
        void *part;
        int64_t key;      /* the lock of its idempotency key; 0: it has none */
        int64_t since_us; /* when it began to wait */
        pthread_cond_t changed;
        enum { WAITS, TAKEN, WRITTEN, FAILED } state;
        struct db_joined *next;
};

/* ---- Waiting, with the lock ---- */

static void join(struct db_together *together, struct db_joined *self)
{
        struct db_joined **last = &together->first;

        while (*last != NULL) {
                last = &(*last)->next;
        }
        *last = self;
        self->since_us = clock_monotonic_us();
        together->waiting++;
}

static bool may_begin(const struct db_together *together)
{
        return together->running == 0 ||
               (together->running < PLACES &&
                (together->waiting >= BESIDE_MIN || clock_monotonic_us() - together->first->since_us >= LONG_US));
}

/* It begins, or waits until it may. */
static void wake_first(struct db_together *together)
{
        if (together->first != NULL && together->running < PLACES) {
                (void)pthread_cond_signal(&together->first->changed);
        }
}

static void leave(struct db_together *together, struct db_joined *self)
{
        struct db_joined **link = &together->first;

        while (*link != self) {
                link = &(*link)->next;
        }
        *link = self->next;
        together->waiting--;
        wake_first(together);
}

/* Of two calls with one key the second is not in the same transaction: it gets the response of the first, or is
 * rejected because the key is busy. */
static bool fits(struct db_joined *const *group, size_t n, const struct db_joined *joined)
{
        for (size_t i = 0; i < n && joined->key != 0; i++) {
                if (group[i]->key == joined->key) {
                        return false;
                }
        }
        return n < GROUP_MAX;
}

/* Takes the calls that wait: the first one, and those that fit. */
static size_t take_group(struct db_together *together, struct db_joined **group)
{
        struct db_joined **link = &together->first;
        size_t n = 0;

        while (*link != NULL) {
                struct db_joined *joined = *link;

                if (fits(group, n, joined)) {
                        *link = joined->next;
                        joined->state = TAKEN;
                        group[n++] = joined;
                        together->waiting--;
                } else {
                        link = &joined->next;
                }
        }
        together->running++;
        wake_first(together);
        return n;
}

/* The first one may begin beside others once they take long. */
static int64_t until_us(const struct db_together *together, const struct db_joined *self)
{
        int64_t deadline_us = self->share.c->deadline_us, long_us = self->since_us + LONG_US;
        bool may_become = together->first == self && together->running < PLACES;

        return may_become && long_us < deadline_us ? long_us : deadline_us;
}

/* Returns the number of calls to write for; 0 if another call has written, or the deadline passed. */
static size_t wait_for_turn(struct db_together *together, struct db_joined *self, struct db_joined **group)
{
        if (may_begin(together)) {
                wake_first(together);
        }
        while (self->state == WAITS && (together->first != self || !may_begin(together))) {
                int64_t deadline_us = self->share.c->deadline_us;

                if (!cond_wait_until(&self->changed, &together->lock, until_us(together, self)) &&
                    self->state == WAITS && clock_monotonic_us() >= deadline_us) {
                        leave(together, self);
                        self->share.status = rpc_fail(self->share.c, SN_DEADLINE_EXCEEDED, NULL,
                                                      "the request took too long; please try again");
                        self->state = WRITTEN;
                }
        }
        if (self->state == WAITS) {
                return take_group(together, group);
        }
        while (self->state == TAKEN) {
                (void)pthread_cond_wait(&self->changed, &together->lock);
        }
        return 0;
}

/* ---- Writing ---- */

static sn_status write_parts(struct db_together *together, struct rpc_call *c, struct db_joined *const *group, size_t n)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_share *shares = ARENA_ARRAY(c->arena, struct db_share, n);
        void **parts = ARENA_ARRAY(c->arena, void *, n);
        size_t n_parts = 0;

        for (size_t i = 0; i < n; i++) {
                shares[i] = group[i]->share;
        }
        TRY(db_begin_shared(c, shares, n, &tx));
        for (size_t i = 0; i < n; i++) {
                if (shares[i].status == SN_OK) {
                        parts[n_parts++] = group[i]->part;
                }
        }
        if (n_parts > 0) {
                TRY(together->write(tx, parts, n_parts));
                TRY(db_commit_shared(&tx));
        }
        for (size_t i = 0; i < n; i++) {
                group[i]->share.status = shares[i].status;
                group[i]->state = WRITTEN;
        }
        return SN_OK;
}

static sn_status write_one(struct db_together *together, struct db_joined *self)
{
        self->share.c->problem = (struct rpc_problem){0};
        TRY(write_parts(together, self->share.c, &self, 1));
        return self->share.status;
}

/* With its own memory and deadline, which no single call pays for. */
static void write_all(struct db_together *together, struct db_joined *const *group, size_t n)
{
        const struct rpc_call *first = group[0]->share.c;
        CLEANUP(rpc_call_free_p)
        struct rpc_call *c = rpc_call_new_background(first->service, rpc_call_left_ms(first));

        if (write_parts(together, c, group, n) != SN_OK && db_is_outcome_unknown(c)) {
                for (size_t i = 0; i < n; i++) {
                        group[i]->share.status = db_fail_outcome_unknown(group[i]->share.c);
                        group[i]->state = WRITTEN;
                }
        }
}

/* Those of a group that failed write again, each on its own. */
static void finish(struct db_together *together, const struct db_joined *self, struct db_joined *const *group, size_t n)
{
        (void)pthread_mutex_lock(&together->lock);
        together->running--;
        for (size_t i = 0; i < n; i++) {
                if (group[i] != self) {
                        group[i]->state = group[i]->state == TAKEN ? FAILED : group[i]->state;
                        (void)pthread_cond_signal(&group[i]->changed);
                }
        }
        wake_first(together);
        (void)pthread_mutex_unlock(&together->lock);
}

static sn_status write_group(struct db_together *together, struct db_joined *self, struct db_joined *const *group,
                             size_t n)
{
        sn_status status = SN_OK;

        if (n == 1) {
                status = write_one(together, self);
        } else {
                write_all(together, group, n);
        }
        finish(together, self, group, n);
        if (n == 1 || self->state == WRITTEN) {
                return n == 1 ? status : self->share.status;
        }
        return write_one(together, self);
}

sn_status db_write_together(struct db_together *together, struct rpc_call *c, void *part,
                            const ProtobufCMessage *answer)
{
        struct db_joined self = {.share = {.c = c, .answer = answer}, .part = part}, *group[GROUP_MAX];

        if (no_wait_refuses()) {
                return db_fail_unreachable(c);
        }
        if (arena_exhausted(c->arena)) { /* COMMIT is refused, for this one alone */
                return write_one(together, &self);
        }
        self.key = db_key_wanted(c) ? db_key_lock(c) : 0;
        (void)pthread_cond_init(&self.changed, NULL);
        (void)pthread_mutex_lock(&together->lock);
        join(together, &self);
        size_t n = wait_for_turn(together, &self, group);
        (void)pthread_mutex_unlock(&together->lock);
        sn_status status = n > 0                   ? write_group(together, &self, group, n)
                           : self.state == WRITTEN ? self.share.status
                                                   : write_one(together, &self);

        (void)pthread_cond_destroy(&self.changed);
        return status;
}
