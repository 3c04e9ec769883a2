/* Owns the prepared requests: reading them, and selecting the next one. */
#include "bench/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t draw(void)
{
        uint64_t x = load.seed;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        load.seed = x;
        return x * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static unsigned class_of(const char *name)
{
        for (unsigned i = 0; i < load.n_classes; i++) {
                if (strcmp(load.classes[i].name, name) == 0) {
                        return i;
                }
        }
        if (load.n_classes == MAX_CLASSES) {
                load_die(name, "too many classes");
        }
        snprintf(load.classes[load.n_classes].name, sizeof(load.classes[0].name), "%s", name);
        return load.n_classes++;
}

static char *read_file(const char *path, size_t *len)
{
        FILE *file = fopen(path, "re");
        struct stat about;

        if (file == NULL || fstat(fileno(file), &about) != 0) {
                load_die(path, strerror(errno));
        }
        char *data = load_must(malloc((size_t)about.st_size + 1));
        *len = fread(data, 1, (size_t)about.st_size, file);
        data[*len] = '\0';
        fclose(file);
        return data;
}

static void add_request(const struct request *request)
{
        struct class *class = &load.classes[request->class];

        load.requests = load_must(reallocarray(load.requests, load.n_requests + 1, sizeof(*request)));
        class->requests = load_must(reallocarray(class->requests, class->n + 1, sizeof(uint32_t)));
        class->requests[class->n++] = (uint32_t)load.n_requests;
        load.requests[load.n_requests++] = *request;
}

void load_read_requests(const char *path)
{
        size_t len = 0;
        char *data = read_file(path, &len), *at = data;

        while (at < data + len) {
                char name[32], status[8];
                struct request r = {0};
                int head = 0;
                size_t *const numbers[] = {&r.min_bytes, &r.min_items, &r.max_items, &r.len};
                if (sscanf(at, "%31s %7s%n", name, status, &head) < 2) {
                        load_die(path, "malformed");
                }
                at += head;
                for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                        *numbers[i] = strtoull(at, &at, 10);
                }
                if (*at != '\n' || r.len > (size_t)(data + len - at) - 1) {
                        load_die(path, "malformed");
                }
                r.class = class_of(name);
                r.status = strcmp(status, "file") == 0 ? 0 : (int)strtol(status, NULL, 10);
                r.bytes = at + 1;
                at += 1 + r.len + 1;
                add_request(&r);
        }
        if (load.n_requests == 0) {
                load_die(path, "no requests");
        }
}

void load_read_mix(char *mix)
{
        for (char *part = strsep(&mix, ","); part != NULL; part = strsep(&mix, ",")) {
                char *equals = strchr(part, '=');
                if (equals == NULL) {
                        load_die("--mix", part);
                }
                *equals = '\0';
                unsigned i = class_of(part);
                load.classes[i].weight = (unsigned)strtoul(equals + 1, NULL, 10);
                if (load.classes[i].n == 0) {
                        load_die(part, "no requests of this class");
                }
        }
}

uint32_t load_choose_request(void)
{
        if (load.once) {
                return (uint32_t)load.next++;
        }
        uint64_t at = draw() % load.total_weight;
        unsigned i = 0;
        while (at >= load.classes[i].weight) {
                at -= load.classes[i++].weight;
        }
        return load.classes[i].requests[draw() % load.classes[i].n];
}
