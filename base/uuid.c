/* UUIDs. Version 7 with the part of the millisecond in rand_a (RFC 9562, method 3), kept growing within the process. */
#include "base/uuid.h"

#include <endian.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"

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

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH_BITS  EACH(0x80)

/* Four bytes as eight digits at once. */
static inline uint64_t write_digits(const uint8_t four[4])
{
        uint32_t bytes;
        memcpy(&bytes, four, sizeof(bytes));
        uint64_t values = le32toh(bytes);
        values = (values | values << 16) & UINT64_C(0x0000ffff0000ffff);
        values = (values | values << 8) & UINT64_C(0x00ff00ff00ff00ff);
        values = (values >> 4 | values << 8) & EACH(0x0f);
        uint64_t letters = (values + EACH(6)) >> 4 & EACH(1);
        return htole64(values + EACH('0') + letters * ('a' - '0' - 10));
}

char *uuid_from_bytes(const uint8_t bytes[16], char out[UUID_SIZE])
{
        char digits[32];
        for (int i = 0; i < 4; i++) {
                uint64_t eight = write_digits(bytes + (size_t)4 * i);
                memcpy(digits + (size_t)8 * i, &eight, sizeof(eight));
        }
        memcpy(out, digits, 8);
        memcpy(out + 9, digits + 8, 4);
        memcpy(out + 14, digits + 12, 4);
        memcpy(out + 19, digits + 16, 4);
        memcpy(out + 24, digits + 20, 12);
        out[8] = out[13] = out[18] = out[23] = '-';
        out[UUID_SIZE - 1] = '\0';
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

void uuid_to_lowercase(char *text)
{
        for (; *text != '\0'; text++) {
                if (*text >= 'A' && *text <= 'F') {
                        *text = (char)(*text - 'A' + 'a');
                }
        }
}

static inline uint64_t load_four(const char *text)
{
        uint32_t four;
        memcpy(&four, text, sizeof(four));
        return le32toh(four);
}

/* The high bit of each byte that is in a range; all bytes are ASCII. */
static inline uint64_t in_range(uint64_t bytes, uint8_t first, uint8_t last)
{
        return (bytes + EACH(0x80 - first)) & ~(bytes + EACH(0x7f - last)) & HIGH_BITS;
}

/* Eight hexadecimal digits at once, since a page of a timeline has some two hundred IDs, whose digits are unpredictable
 * to branches. Returns the high bit of each character that is a digit. */
static inline uint64_t read_digits(const char *four, const char *next_four, uint8_t out[4])
{
        uint64_t text = load_four(four) | load_four(next_four) << 32;
        uint64_t ascii = text & ~HIGH_BITS, lower = ascii | EACH(0x20);
        uint64_t digits = (in_range(ascii, '0', '9') | in_range(lower, 'a', 'f')) & ~text;
        uint64_t values = (ascii & EACH(0x0f)) + (ascii >> 6 & EACH(1)) * 9;
        values = (values << 4 | values >> 8) & UINT64_C(0x00ff00ff00ff00ff);
        values = (values | values >> 8) & UINT64_C(0x0000ffff0000ffff);
        uint32_t bytes = htole32((uint32_t)(values | values >> 16));
        memcpy(out, &bytes, sizeof(bytes));
        return digits;
}

bool uuid_to_bytes(const char *text, uint8_t out[16])
{
        if (text == NULL || strnlen(text, UUID_SIZE) != UUID_SIZE - 1 || text[8] != '-' || text[13] != '-' ||
            text[18] != '-' || text[23] != '-') {
                return false;
        }
        return (read_digits(text, text + 4, out) & read_digits(text + 9, text + 14, out + 4) &
                read_digits(text + 19, text + 24, out + 8) & read_digits(text + 28, text + 32, out + 12)) == HIGH_BITS;
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
