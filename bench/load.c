/* Load: a closed loop of keep-alive HTTP/1.1 connections on one thread, which checks what comes back and keeps every
 * latency.
 *
 * It reads prepared requests, so that it spends its time on sockets alone:
 *
 *   load --port N --requests FILE [--connections N] [--seconds S | --once] [--seed N] [--mix home=60,user=30] [--save
 * FILE]
 *
 * FILE holds for each request a line `CLASS STATUS MIN_BYTES MIN_ITEMS MAX_ITEMS BYTES`, then that many bytes and a
 * newline. Every response must have the status, a JSON object of the length that its head says (204: nothing) and
 * MIN_BYTES or more. Of each sixteenth (all with --once) the whole structure is read and "items" counted (MAX_ITEMS 0:
 * there need be no list; STATUS `file`: 200 of any content type). --once sends each request once; otherwise they are
 * drawn at random for S seconds, classes by --mix. --save keeps bodies
 * (`INDEX BYTES\n`, bytes, newline): all with --once, else the first 64 that are read whole. The result is JSON on
 * standard output. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLASSES     16
#define MAX_CONNECTIONS 4096
#define BUFFER_BYTES    (512 * 1024)
#define SAMPLE_ONE_IN   16
#define SAVED_MAX       64
#define STALL_NS        (20 * UINT64_C(1000000000))

struct latencies {
        uint32_t *us;
        size_t n, capacity;
};

struct class
{
        char name[32];
        unsigned weight;
        uint32_t *requests; /* of this class */
        size_t n;
        struct latencies latencies;
        size_t failed;
        uint64_t bytes;
};

struct request {
        unsigned class;
        int status;
        size_t min_bytes, min_items, max_items;
        const char *bytes;
        size_t len;
};

struct connection {
        int fd;
        size_t sent, filled, head_bytes, body_bytes; /* head_bytes 0: the head is not whole yet */
        int status;
        bool close;
        uint32_t request;
        uint64_t start_ns;
        char *buffer;
};

static struct {
        struct sockaddr_in address;
        struct request *requests;
        size_t n_requests, next;
        struct class classes[MAX_CLASSES];
        unsigned n_classes, total_weight;
        struct connection *connections;
        size_t n_connections, busy;
        bool once;
        double seconds;
        uint64_t seed, end_ns, sampled;
        size_t failed, saved;
        char first_failure[512];
        FILE *save;
        int epoll;
} load;

static _Noreturn void die(const char *what, const char *why)
{
        fprintf(stderr, "load: %s: %s\n", what, why);
        exit(1);
}

static void *must(void *memory)
{
        if (memory == NULL) {
                die("memory", strerror(errno));
        }
        return memory;
}

static uint64_t now_ns(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static uint64_t draw(void)
{
        uint64_t x = load.seed;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        load.seed = x;
        return x * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

/* ---- requests
 * -------------------------------------------------------------------------------------------------------------------
 */

static unsigned class_of(const char *name)
{
        for (unsigned i = 0; i < load.n_classes; i++) {
                if (strcmp(load.classes[i].name, name) == 0) {
                        return i;
                }
        }
        if (load.n_classes == MAX_CLASSES) {
                die(name, "too many classes");
        }
        snprintf(load.classes[load.n_classes].name, sizeof(load.classes[0].name), "%s", name);
        return load.n_classes++;
}

static char *read_file(const char *path, size_t *len)
{
        FILE *file = fopen(path, "re");
        struct stat about;

        if (file == NULL || fstat(fileno(file), &about) != 0) {
                die(path, strerror(errno));
        }
        char *data = must(malloc((size_t)about.st_size + 1));
        *len = fread(data, 1, (size_t)about.st_size, file);
        data[*len] = '\0';
        fclose(file);
        return data;
}

static void add_request(const struct request *request)
{
        struct class *class = &load.classes[request->class];

        load.requests = must(reallocarray(load.requests, load.n_requests + 1, sizeof(*request)));
        class->requests = must(reallocarray(class->requests, class->n + 1, sizeof(uint32_t)));
        class->requests[class->n++] = (uint32_t)load.n_requests;
        load.requests[load.n_requests++] = *request;
}

static void read_requests(const char *path)
{
        size_t len = 0;
        char *data = read_file(path, &len), *at = data;

        while (at < data + len) {
                char name[32], status[8];
                struct request r = {0};
                int head = 0;
                size_t *const numbers[] = {&r.min_bytes, &r.min_items, &r.max_items, &r.len};
                if (sscanf(at, "%31s %7s%n", name, status, &head) < 2) {
                        die(path, "malformed");
                }
                at += head;
                for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                        *numbers[i] = strtoull(at, &at, 10);
                }
                if (*at != '\n' || r.len > (size_t)(data + len - at) - 1) {
                        die(path, "malformed");
                }
                r.class = class_of(name);
                r.status = strcmp(status, "file") == 0 ? 0 : (int)strtol(status, NULL, 10);
                r.bytes = at + 1;
                at += 1 + r.len + 1;
                add_request(&r);
        }
        if (load.n_requests == 0) {
                die(path, "no requests");
        }
}

static void read_mix(char *mix)
{
        for (char *part = strsep(&mix, ","); part != NULL; part = strsep(&mix, ",")) {
                char *equals = strchr(part, '=');
                if (equals == NULL) {
                        die("--mix", part);
                }
                *equals = '\0';
                unsigned i = class_of(part);
                load.classes[i].weight = (unsigned)strtoul(equals + 1, NULL, 10);
                if (load.classes[i].n == 0) {
                        die(part, "no requests of this class");
                }
        }
}

static uint32_t choose_request(void)
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

/* ---- checking
 * -------------------------------------------------------------------------------------------------------------------
 */

/* The end of the JSON string that starts after its quote, or NULL. */
static const char *skip_string(const char *at, const char *end)
{
        for (; at < end; at++) {
                if (*at == '\\') {
                        at++;
                } else if (*at == '"') {
                        return at + 1;
                } else if ((unsigned char)*at < ' ') {
                        return NULL;
                }
        }
        return NULL;
}

/* Balanced JSON to the last byte? *items: the objects in the list "items" of the outermost object. */
static bool read_json(const char *body, size_t len, size_t *items)
{
        static const char list[] = "\"items\":[";
        const char *at = body, *end = body + len;
        char open[64];
        size_t depth = 0;
        bool in_list = false;

        *items = 0;
        while (at < end) {
                if (*at == '"') {
                        if (depth == 1 && (size_t)(end - at) > sizeof(list) &&
                            memcmp(at, list, sizeof(list) - 1) == 0) {
                                in_list = true;
                        }
                        at = skip_string(at + 1, end);
                        if (at == NULL) {
                                return false;
                        }
                        continue;
                }
                if (*at == '{' || *at == '[') {
                        *items += in_list && depth == 2 && *at == '{';
                        if (depth == sizeof(open)) {
                                return false;
                        }
                        open[depth++] = *at;
                } else if (*at == '}' || *at == ']') {
                        if (depth == 0 || open[--depth] != (*at == '}' ? '{' : '[')) {
                                return false;
                        }
                        in_list = in_list && depth > 1;
                        if (depth == 0 && at + 1 != end) {
                                return false;
                        }
                }
                at++;
        }
        return depth == 0 && len > 0;
}

static void save_body(uint32_t request, const char *body, size_t len)
{
        if (load.save == NULL || (!load.once && load.saved >= SAVED_MAX)) {
                return;
        }
        load.saved++;
        fprintf(load.save, "%u %zu\n", request, len);
        fwrite(body, 1, len, load.save);
        fputc('\n', load.save);
}

static const char *check_body(const struct request *r, uint32_t number, const char *body, size_t len)
{
        size_t items = 0;

        if (len < r->min_bytes) {
                return "the body is too short";
        }
        if (r->status == 204) {
                return len == 0 ? NULL : "there is a body";
        }
        if (r->status == 0) {
                return NULL;
        }
        if (len < 2 || body[0] != '{' || body[len - 1] != '}') {
                return "the body is no JSON object";
        }
        if (!load.once && load.sampled++ % SAMPLE_ONE_IN != 0) {
                return NULL;
        }
        if (!read_json(body, len, &items)) {
                return "the JSON is broken";
        }
        save_body(number, body, len);
        return r->max_items > 0 && (items < r->min_items || items > r->max_items) ? "another number of items" : NULL;
}

static void fail(struct connection *c, const char *why)
{
        load.failed++;
        load.classes[load.requests[c->request].class].failed++;
        if (load.first_failure[0] == '\0') {
                int shown = c->filled > 300 ? 300 : (int)c->filled;
                const char *line = load.requests[c->request].bytes;
                snprintf(load.first_failure, sizeof(load.first_failure), "%.60s: %s; got: %.*s", line, why, shown,
                         c->buffer);
        }
}

/* ---- connections
 * ---------------------------------------------------------------------------------------------------------------- */

static void disconnect(struct connection *c)
{
        if (c->fd >= 0) {
                close(c->fd);
                c->fd = -1;
        }
}

static bool reconnect(struct connection *c)
{
        int on = 1;

        disconnect(c);
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&load.address, sizeof(load.address)) != 0) {
                return false;
        }
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        return epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
}

/* Requests fit into a socket's buffer; one that does not in one go is waited for. */
static bool send_request(struct connection *c)
{
        const struct request *r = &load.requests[c->request];

        for (c->sent = 0; c->sent < r->len;) {
                ssize_t n = send(c->fd, r->bytes + c->sent, r->len - c->sent, MSG_NOSIGNAL);
                if (n > 0) {
                        c->sent += (size_t)n;
                } else if (errno != EAGAIN && errno != EINTR) {
                        return false;
                }
        }
        return true;
}

/* The next request; false when there is none left or the time is up. */
static bool begin(struct connection *c)
{
        if (load.once ? load.next >= load.n_requests : now_ns() >= load.end_ns) {
                return false;
        }
        c->request = choose_request();
        c->filled = c->head_bytes = c->body_bytes = 0;
        for (int tries = 0; tries < 2; tries++) {
                c->start_ns = now_ns();
                if ((c->fd >= 0 || reconnect(c)) && send_request(c)) {
                        return true;
                }
                disconnect(c);
        }
        die("connection", strerror(errno));
}

static bool header_is(const char *line, const char *name)
{
        return strncasecmp(line, name, strlen(name)) == 0;
}

/* 1: the head is whole, 0: not yet, -1: it is broken. */
static int read_head(struct connection *c)
{
        char *end = memmem(c->buffer, c->filled, "\r\n\r\n", 4);

        if (end == NULL) {
                return 0;
        }
        if (c->filled < 12 || memcmp(c->buffer, "HTTP/1.1 ", 9) != 0) {
                return -1;
        }
        c->status = (int)strtol(c->buffer + 9, NULL, 10);
        c->close = false;
        bool sized = c->status == 204;
        for (char *line = strstr(c->buffer, "\r\n"); line != NULL && line < end; line = strstr(line + 2, "\r\n")) {
                if (header_is(line + 2, "content-length:")) {
                        c->body_bytes = strtoul(line + 2 + 15, NULL, 10);
                        sized = true;
                } else if (header_is(line + 2, "connection: close")) {
                        c->close = true;
                }
        }
        c->head_bytes = (size_t)(end + 4 - c->buffer);
        return sized && c->head_bytes + c->body_bytes < BUFFER_BYTES ? 1 : -1;
}

static void keep_latency(struct latencies *l, uint64_t ns)
{
        if (l->n == l->capacity) {
                l->capacity = l->capacity == 0 ? 1 << 16 : l->capacity * 2;
                l->us = must(reallocarray(l->us, l->capacity, sizeof(*l->us)));
        }
        l->us[l->n++] = (uint32_t)(ns / 1000);
}

/* A whole response is there. */
static void finish(struct connection *c)
{
        const struct request *r = &load.requests[c->request];
        struct class *class = &load.classes[r->class];
        uint64_t ns = now_ns() - c->start_ns;
        const char *wrong = c->filled != c->head_bytes + c->body_bytes ? "more bytes than said" : NULL;

        if (c->status != (r->status == 0 ? 200 : r->status)) {
                wrong = "another status";
        }
        if (wrong == NULL) {
                wrong = check_body(r, c->request, c->buffer + c->head_bytes, c->body_bytes);
        }
        if (wrong != NULL) {
                fail(c, wrong);
        }
        keep_latency(&class->latencies, ns);
        class->bytes += c->body_bytes;
        if (c->close) {
                disconnect(c);
        }
        if (!begin(c)) {
                load.busy--;
        }
}

static void lose(struct connection *c, const char *why)
{
        fail(c, why);
        disconnect(c);
        if (!begin(c)) {
                load.busy--;
        }
}

static void receive(struct connection *c)
{
        ssize_t n = recv(c->fd, c->buffer + c->filled, BUFFER_BYTES - 1 - c->filled, 0);

        if (n <= 0) {
                if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
                        lose(c, n == 0 ? "the connection was closed" : strerror(errno));
                }
                return;
        }
        c->filled += (size_t)n;
        c->buffer[c->filled] = '\0';
        if (c->head_bytes == 0 && read_head(c) < 0) {
                lose(c, "the head is broken");
                return;
        }
        if (c->head_bytes > 0 && c->filled >= c->head_bytes + c->body_bytes) {
                finish(c);
        }
}

static void run(void)
{
        struct epoll_event events[256];

        load.epoll = epoll_create1(EPOLL_CLOEXEC);
        load.connections = must(calloc(load.n_connections, sizeof(*load.connections)));
        load.end_ns = now_ns() + (uint64_t)(load.seconds * 1e9);
        for (size_t i = 0; i < load.n_connections; i++) {
                struct connection *c = &load.connections[i];
                c->fd = -1;
                c->buffer = must(malloc(BUFFER_BYTES));
                load.busy += begin(c);
        }
        while (load.busy > 0) {
                int n = epoll_wait(load.epoll, events, 256, 1000);
                for (int i = 0; i < n; i++) {
                        receive(events[i].data.ptr);
                }
                if (n == 0 && now_ns() > load.end_ns + STALL_NS && !load.once) {
                        die("responses", "some never came");
                }
        }
}

/* ---- result
 * ---------------------------------------------------------------------------------------------------------------------
 */

static int compare_u32(const void *left, const void *right)
{
        uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

        return a < b ? -1 : a > b;
}

static uint32_t percentile(const struct latencies *l, double p)
{
        size_t at = (size_t)(p * (double)l->n);

        return l->n == 0 ? 0 : l->us[at < l->n ? at : l->n - 1];
}

static void print_latencies(struct latencies *l, double seconds)
{
        double sum = 0;

        if (l->n > 0) {
                qsort(l->us, l->n, sizeof(*l->us), compare_u32);
        }
        for (size_t i = 0; i < l->n; i++) {
                sum += l->us[i];
        }
        printf("\"requests\":%zu,\"per_s\":%.1f,\"mean_us\":%.1f,\"p50_us\":%u,\"p90_us\":%u,\"p99_us\":%u,\"p999_us\":"
               "%u,\"max_us\":%u",
               l->n, (double)l->n / seconds, l->n > 0 ? sum / (double)l->n : 0, percentile(l, 0.50),
               percentile(l, 0.90), percentile(l, 0.99), percentile(l, 0.999), percentile(l, 1));
}

static void print_text(const char *text)
{
        putchar('"');
        for (; *text != '\0'; text++) {
                if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\' || (unsigned char)*text > '~') {
                        printf("\\u%04x", (unsigned char)*text);
                } else {
                        putchar(*text);
                }
        }
        putchar('"');
}

static void print_result(double seconds)
{
        struct latencies all = {0};
        struct rusage usage;
        uint64_t bytes = 0;

        getrusage(RUSAGE_SELF, &usage);
        for (unsigned i = 0; i < load.n_classes; i++) {
                for (size_t j = 0; j < load.classes[i].latencies.n; j++) {
                        keep_latency(&all, (uint64_t)load.classes[i].latencies.us[j] * 1000);
                }
                bytes += load.classes[i].bytes;
        }
        printf("{\"seconds\":%.3f,\"connections\":%zu,\"failed\":%zu,\"first_failure\":", seconds, load.n_connections,
               load.failed);
        print_text(load.first_failure);
        printf(",\"body_bytes\":%llu,\"client_cpu_s\":%.3f,", (unsigned long long)bytes,
               (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
        print_latencies(&all, seconds);
        printf(",\"classes\":{");
        for (unsigned i = 0; i < load.n_classes; i++) {
                printf("%s\"%s\":{\"failed\":%zu,", i > 0 ? "," : "", load.classes[i].name, load.classes[i].failed);
                print_latencies(&load.classes[i].latencies, seconds);
                printf("}");
        }
        printf("}}\n");
}

static void read_arguments(int argc, char **argv)
{
        char *mix = NULL;

        load.address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        load.n_connections = 16;
        load.seconds = 10;
        load.seed = 1;
        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "--once") == 0) {
                        load.once = true;
                        continue;
                }
                char *value = i + 1 < argc ? argv[i + 1] : (die(argv[i], "needs a value"), NULL);
                if (strcmp(argv[i], "--port") == 0) {
                        load.address.sin_port = htons((uint16_t)strtoul(value, NULL, 10));
                } else if (strcmp(argv[i], "--requests") == 0) {
                        read_requests(value);
                } else if (strcmp(argv[i], "--connections") == 0) {
                        load.n_connections = strtoul(value, NULL, 10);
                } else if (strcmp(argv[i], "--seconds") == 0) {
                        load.seconds = strtod(value, NULL);
                } else if (strcmp(argv[i], "--seed") == 0) {
                        load.seed = strtoull(value, NULL, 10) * 2 + 1;
                } else if (strcmp(argv[i], "--mix") == 0) {
                        mix = value;
                } else if (strcmp(argv[i], "--save") == 0) {
                        load.save = must(fopen(value, "we"));
                } else {
                        die(argv[i], "unknown");
                }
                i++;
        }
        if (load.n_requests == 0 || load.address.sin_port == 0 || load.n_connections < 1 ||
            load.n_connections > MAX_CONNECTIONS) {
                die("usage", "load --port N --requests FILE [--connections N] [--seconds S | --once] [--seed N] [--mix "
                             "…] [--save FILE]");
        }
        if (mix != NULL) {
                read_mix(mix);
        }
        for (unsigned i = 0; i < load.n_classes; i++) {
                load.classes[i].weight = mix == NULL ? 1 : load.classes[i].weight;
                load.total_weight += load.classes[i].weight;
        }
}

int main(int argc, char **argv)
{
        read_arguments(argc, argv);
        uint64_t start = now_ns();
        run();
        double seconds = (double)(now_ns() - start) / 1e9;
        if (load.save != NULL && fclose(load.save) != 0) {
                die("--save", strerror(errno));
        }
        print_result(seconds);
        return 0;
}
