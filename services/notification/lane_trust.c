/* Owns which push services are trusted. */
#include "services/notification/lane_trust.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "services/notification/store.h"

static struct lane_answered *find(struct lane_trust *trust, const char *origin)
{
        for (size_t i = 0; i < TRUST_REMEMBERED; i++) {
                if (strcmp(trust->origins[i].origin, origin) == 0) {
                        return &trust->origins[i];
                }
        }
        return NULL;
}

static bool goes_first(const struct lane_answered *a, const struct lane_answered *b)
{
        bool a_trusted = a->answers >= TRUST_ANSWERS, b_trusted = b->answers >= TRUST_ANSWERS;

        return a_trusted != b_trusted ? b_trusted : a->used_us < b->used_us;
}

/* Replaces one that is not trusted, or if there is none the one that was used longest ago. */
static struct lane_answered *add(struct lane_trust *trust, const char *origin)
{
        struct lane_answered *first = &trust->origins[0];

        for (size_t i = 1; i < TRUST_REMEMBERED; i++) {
                first = goes_first(&trust->origins[i], first) ? &trust->origins[i] : first;
        }
        *first = (struct lane_answered){.answers = 0};
        (void)snprintf(first->origin, sizeof(first->origin), "%s", origin);
        return first;
}

bool lane_trust_has(const struct lane_trust *trust, const char *origin)
{
        const struct lane_answered *o = find((struct lane_trust *)trust, origin);

        return o != NULL && o->answers >= TRUST_ANSWERS;
}

void lane_trust_note(struct lane_trust *trust, const char *origin, bool failed)
{
        struct lane_answered *o = find(trust, origin);

        if (failed) {
                if (o != NULL) {
                        *o = (struct lane_answered){.answers = 0};
                }
                return;
        }
        o = o != NULL ? o : add(trust, origin);
        o->used_us = clock_monotonic_us();
        o->answers += o->answers < TRUST_ANSWERS;
}

sn_status lane_trust_load(struct lane_trust *trust, struct rpc_call *c, enum channel channel)
{
        NotificationRows__Answered **rows = NULL;
        size_t n = 0;

        if (trust->loaded) {
                return SN_OK;
        }
        TRY(DB_READ(c, tx, store_answered(tx, channel, TRUST_ANSWERS, &n, &rows)));
        for (size_t i = 0; i < n; i++) {
                struct lane_answered *o = add(trust, rows[i]->provider);

                o->answers = TRUST_ANSWERS;
                o->used_us = clock_monotonic_us();
        }
        trust->loaded = true;
        return SN_OK;
}
