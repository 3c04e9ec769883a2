/* UUIDs. Version 7 with the part of the millisecond in rand_a (RFC 9562, method 3), kept growing within the process. */
#include "base/uuid.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"

static const char hex_digits[] = "0123456789abcdef";

/* The last millisecond << 12 | fraction handed out: the next one is larger, even if the clock stops or goes back. */
static _Atomic uint64_t last_tick;

static uint64_t next_tick(void)
{
        uint64_t us = (uint64_t)clock_wall_us();
        uint64_t tick = us / 1000 << 12 | us % 1000 * 4096 / 1000;
        uint64_t last = atomic_load_explicit(&last_tick, memory_order_relaxed);
        uint64_t next;
        do {
                next = tick > last ? tick : last + 1;
        } while (!atomic_compare_exchange_weak_explicit(&last_tick, &last, next, memory_order_relaxed,
                                                        memory_order_relaxed));
        return next;
}

char *uuid_from_bytes(const uint8_t bytes[16], char out[UUID_SIZE])
{
        char *at = out;
        for (int i = 0; i < 16; i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10) {
                        *at++ = '-';
                }
                *at++ = hex_digits[bytes[i] >> 4];
                *at++ = hex_digits[bytes[i] & 15];
        }
        *at = '\0';
        return out;
}

static void put_ms(uint8_t bytes[16], uint64_t ms)
{
        for (int i = 0; i < 6; i++) {
                bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
        }
}

char *uuid_at_ms(int64_t wall_ms, char out[UUID_SIZE])
{
        uint8_t bytes[16] = {[6] = 0x70, [8] = 0x80};
        put_ms(bytes, (uint64_t)wall_ms);
        return uuid_from_bytes(bytes, out);
}

char *uuid_new(char out[UUID_SIZE])
{
        uint64_t tick = next_tick();
        uint8_t bytes[16];
        put_ms(bytes, tick >> 12);
        bytes[6] = (uint8_t)(0x70 | (tick >> 8 & 0x0f));
        bytes[7] = (uint8_t)tick;
        random_bytes(bytes + 8, 8);
        bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
        return uuid_from_bytes(bytes, out);
}

char *uuid_new_in(struct arena *arena)
{
        return uuid_new(arena_alloc(arena, UUID_SIZE));
}

/* Digit + 1, so that 0 means invalid: a page of a timeline has some two hundred IDs, whose digits are unpredictable
 * to branches. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};
static const uint8_t pair_starts[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

void uuid_to_lowercase(char *text)
{
        for (; *text != '\0'; text++) {
                if (*text >= 'A' && *text <= 'F') {
                        *text = (char)(*text - 'A' + 'a');
                }
        }
}

bool uuid_to_bytes(const char *text, uint8_t out[16])
{
        if (text == NULL || strnlen(text, UUID_SIZE) != UUID_SIZE - 1 || text[8] != '-' || text[13] != '-' ||
            text[18] != '-' || text[23] != '-') {
                return false;
        }
        bool bad = false;
        for (int i = 0; i < 16; i++) {
                uint8_t high = hex_values[(uint8_t)text[pair_starts[i]]];
                uint8_t low = hex_values[(uint8_t)text[pair_starts[i] + 1]];
                bad |= (high == 0) | (low == 0);
                out[i] = (uint8_t)((unsigned)(high - 1) << 4 | (unsigned)(low - 1));
        }
        return !bad;
}

bool uuid_valid(const char *text)
{
        uint8_t bytes[16];
        return uuid_to_bytes(text, bytes);
}

bool uuid_equal(const char *a, const char *b)
{
        return a != NULL && b != NULL && a[0] != '\0' && strcmp(a, b) == 0;
}

uint64_t uuid_start(const char *text)
{
        uint8_t bytes[16] = {0};
        uint64_t start = 0;
        if (!uuid_to_bytes(text, bytes)) {
                return 0;
        }
        for (int i = 0; i < 8; i++) {
                start = start << 8 | bytes[i];
        }
        return start;
}

int64_t uuid_time_ms(const char *text)
{
        return (int64_t)(uuid_start(text) >> 16);
}
