/* Owns the day's salt. All processes share it through the database. When the day is over it is destroyed there
 * (months.c), and each process overwrites its own copy with the next one. The address is used only for the hash. */
#include "services/analytics/visitor.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include "base/clock.h"
#include "services/analytics/store.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t salt_day = -1;
static uint8_t salt[32];

static bool recall(int64_t day, uint8_t out[32])
{
        pthread_mutex_lock(&lock);
        bool known = salt_day == day;
        if (known) {
                memcpy(out, salt, sizeof(salt));
        }
        pthread_mutex_unlock(&lock);
        return known;
}

static sn_status fetch_salt(struct rpc_call *c, int64_t day, uint8_t out[32])
{
        uint8_t fresh[32];

        random_bytes(fresh, sizeof(fresh));
        TRY(DB_WRITE(c, tx, store_share_salt(tx, day * DAY_MS, fresh, out)));
        pthread_mutex_lock(&lock);
        if (day > salt_day) {
                salt_day = day;
                memcpy(salt, out, sizeof(salt));
        }
        pthread_mutex_unlock(&lock);
        return SN_OK;
}

sn_status visitor_of_today(struct rpc_call *c, char **visitor)
{
        uint8_t key[32], hash[16];
        crypto_generichash_state state;
        char text[UUID_SIZE];

        if (!recall(day_of(c->now_ms), key)) {
                TRY(fetch_salt(c, day_of(c->now_ms), key));
        }
        crypto_generichash_init(&state, key, sizeof(key), sizeof(hash));
        crypto_generichash_update(&state, (const uint8_t *)c->client_address, strlen(c->client_address) + 1);
        crypto_generichash_update(&state, (const uint8_t *)c->user_agent, strlen(c->user_agent));
        crypto_generichash_final(&state, hash, sizeof(hash));
        sodium_memzero(key, sizeof(key));
        *visitor = arena_strdup(c->arena, uuid_from_bytes(hash, text));
        return SN_OK;
}
