/* Reads TZif files (RFC 9636): a list of changes, and after the last of them a rule. */
#include "base/zone.h"

#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "base/zone_rule.h"

#define ZONES "/usr/share/zoneinfo/"

enum {
        FILE_MAX_BYTES = 65536,
        HEAD_BYTES = 44,
        SEARCHED_S = 16 * 3600, /* no clock is further from UTC */
};

struct zone {
        struct zone *next;
        char name[ZONE_NAME_MAX + 1];
        size_t n;         /* changes */
        int64_t *at;      /* when, in UTC */
        int32_t *offsets; /* n + 1: before the first change, and from each one on */
        struct zone_rule rule;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *zones; /* only grows */

struct bytes {
        const uint8_t *at, *end;
};

struct head {
        uint32_t isut, isstd, leap, times, types, chars;
};

static uint64_t big_endian(const uint8_t *at, size_t len)
{
        uint64_t value = 0;
        for (size_t i = 0; i < len; i++) {
                value = value << 8 | at[i];
        }
        return value;
}

static bool read_head(struct bytes *in, struct head *head)
{
        if (in->end - in->at < HEAD_BYTES || memcmp(in->at, "TZif", 4) != 0 || in->at[4] < '2') {
                return false;
        }
        uint32_t *const counts[] = {&head->isut, &head->isstd, &head->leap, &head->times, &head->types, &head->chars};
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                *counts[i] = (uint32_t)big_endian(in->at + 20 + 4 * i, 4);
                if (*counts[i] > FILE_MAX_BYTES) {
                        return false;
                }
        }
        in->at += HEAD_BYTES;
        return head->types > 0;
}

/* The size of the block after a header, with times of time_bytes each. */
static size_t block_bytes(const struct head *head, size_t time_bytes)
{
        return head->times * (time_bytes + 1) + head->types * 6 + head->chars + head->leap * (time_bytes + 4) +
               head->isstd + head->isut;
}

static bool read_changes(const uint8_t *block, const struct head *head, struct zone *zone)
{
        const uint8_t *indexes = block + 8 * (size_t)head->times, *types = indexes + head->times;
        zone->n = head->times;
        zone->at = calloc(zone->n + 1, sizeof(int64_t));
        zone->offsets = calloc(zone->n + 1, sizeof(int32_t));
        if (zone->at == NULL || zone->offsets == NULL) {
                return false;
        }
        zone->offsets[0] = (int32_t)big_endian(types, 4);
        for (size_t i = 0; i < zone->n; i++) {
                zone->at[i] = (int64_t)big_endian(block + 8 * i, 8);
                if (indexes[i] >= head->types || (i > 0 && zone->at[i] <= zone->at[i - 1])) {
                        return false;
                }
                zone->offsets[i + 1] = (int32_t)big_endian(types + 6 * (size_t)indexes[i], 4);
        }
        return true;
}

/* Skips the first block, whose times have 32 bits. The rule is between two newlines. */
static bool read_file(struct bytes in, struct zone *zone)
{
        struct head head;
        if (!read_head(&in, &head) || block_bytes(&head, 4) > (size_t)(in.end - in.at)) {
                return false;
        }
        in.at += block_bytes(&head, 4);
        if (!read_head(&in, &head) || block_bytes(&head, 8) >= (size_t)(in.end - in.at) ||
            !read_changes(in.at, &head, zone)) {
                return false;
        }
        in.at += block_bytes(&head, 8);
        struct str text = {(const char *)in.at + 1, (size_t)(in.end - in.at) - 1}, line;
        return *in.at == '\n' && (!str_next(&text, '\n', &line) || zone_rule_read(line, &zone->rule));
}

static ssize_t read_whole(const char *name, uint8_t *out, size_t size)
{
        char path[sizeof(ZONES) + ZONE_NAME_MAX];
        ssize_t len = 0, n = 1;
        (void)snprintf(path, sizeof(path), ZONES "%s", name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        while (fd >= 0 && n > 0 && (size_t)len < size) {
                n = read(fd, out + len, size - (size_t)len);
                len += n > 0 ? n : 0;
        }
        if (fd >= 0) {
                (void)close(fd);
        }
        return len;
}

static void zone_free(struct zone *zone)
{
        free(zone->at);
        free(zone->offsets);
        free(zone);
}

static struct zone *load_zone(const char *name)
{
        struct zone *zone = calloc(1, sizeof(*zone));
        uint8_t *bytes = malloc(FILE_MAX_BYTES);
        ssize_t len = bytes != NULL ? read_whole(name, bytes, FILE_MAX_BYTES) : 0;
        bool good = zone != NULL && read_file((struct bytes){bytes, bytes + len}, zone);
        free(bytes);
        if (!good && zone != NULL) {
                zone_free(zone);
                zone = NULL;
        }
        return zone;
}

/* Area/Location as spelled in tzdata: nothing outside the folder, and none of its folders with other files ("right",
 * which counts leap seconds, "posix"). */
static bool is_name(const char *name)
{
        if (strlen(name) > ZONE_NAME_MAX || !isupper((unsigned char)name[0]) || strstr(name, "//") != NULL) {
                return false;
        }
        for (const char *at = name; *at != '\0'; at++) {
                if (!isalnum((unsigned char)*at) && strchr("/_+-", *at) == NULL) {
                        return false;
                }
        }
        return true;
}

static const struct zone *find_kept(const char *name)
{
        const struct zone *zone = zones;
        while (zone != NULL && strcmp(zone->name, name) != 0) {
                zone = zone->next;
        }
        return zone;
}

const struct zone *zone_find(const char *name)
{
        if (!is_name(name)) {
                return NULL;
        }
        pthread_mutex_lock(&lock);
        const struct zone *found = find_kept(name);
        if (found == NULL) {
                struct zone *zone = load_zone(name);
                if (zone != NULL) {
                        (void)snprintf(zone->name, sizeof(zone->name), "%s", name);
                        zone->next = zones;
                        zones = zone;
                }
                found = zone;
        }
        pthread_mutex_unlock(&lock);
        return found;
}

static int32_t offset_at(const struct zone *zone, int64_t utc_s)
{
        if (zone->rule.there && (zone->n == 0 || utc_s >= zone->at[zone->n - 1])) {
                return zone_rule_offset(&zone->rule, utc_s);
        }
        size_t low = 0, high = zone->n; /* how many changes have been by then */
        while (low < high) {
                size_t middle = (low + high) / 2;
                if (zone->at[middle] <= utc_s) {
                        low = middle + 1;
                } else {
                        high = middle;
                }
        }
        return zone->offsets[low];
}

struct zone_time zone_local(const struct zone *zone, int64_t utc_s)
{
        struct zone_time out = {.offset_s = offset_at(zone, utc_s)};
        int64_t local_s = utc_s + out.offset_s;
        out.days = local_s / 86400 - (local_s % 86400 < 0 ? 1 : 0);
        out.second = (int32_t)(local_s - out.days * 86400);
        return out;
}

int64_t zone_instant(const struct zone *zone, int64_t days, int32_t second)
{
        int64_t local_s = days * 86400 + second;
        int32_t before = offset_at(zone, local_s - SEARCHED_S), after = offset_at(zone, local_s + SEARCHED_S);
        if (offset_at(zone, local_s - before) == before) {
                return local_s - before;
        }
        if (offset_at(zone, local_s - after) == after) {
                return local_s - after;
        }
        int64_t low = local_s - after, high = local_s - before; /* the change is after low, and by high */
        while (high - low > 1) {
                int64_t middle = low + (high - low) / 2;
                if (offset_at(zone, middle) == before) {
                        low = middle;
                } else {
                        high = middle;
                }
        }
        return high;
}
