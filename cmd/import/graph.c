/* Owns the graph of `sonet import`: reading an edge list, or generating one. */
#include "cmd/import/graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/str.h"

/* Each new member is connected to this many earlier ones, so the mean degree is about twice as high. */
#define GENERATED_TIES 20

struct ties {
        struct import_tie *items;
        size_t n, capacity;
};

static void *must(void *memory)
{
        if (memory == NULL) {
                fprintf(stderr, "sonet import: out of memory\n");
                abort();
        }
        return memory;
}

static void ties_add(struct ties *ties, uint32_t a, uint32_t b)
{
        if (ties->n == ties->capacity) {
                ties->capacity = ties->capacity == 0 ? 1024 : ties->capacity * 2;
                ties->items = must(reallocarray(ties->items, ties->capacity, sizeof(*ties->items)));
        }
        ties->items[ties->n++] = a < b ? (struct import_tie){a, b} : (struct import_tie){b, a};
}

static int compare_ties(const void *left, const void *right)
{
        const struct import_tie *a = left, *b = right;

        if (a->a != b->a) {
                return a->a < b->a ? -1 : 1;
        }
        return a->b == b->b ? 0 : a->b < b->b ? -1 : 1;
}

static int compare_nodes(const void *left, const void *right)
{
        uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

        return a == b ? 0 : a < b ? -1 : 1;
}

static size_t drop_repeated(struct ties *ties)
{
        size_t kept = 0;

        qsort(ties->items, ties->n, sizeof(*ties->items), compare_ties);
        for (size_t i = 0; i < ties->n; i++) {
                if (kept == 0 || compare_ties(&ties->items[kept - 1], &ties->items[i]) != 0) {
                        ties->items[kept++] = ties->items[i];
                }
        }
        size_t repeated = ties->n - kept;
        ties->n = kept;
        return repeated;
}

static void collect_nodes(struct import_graph *graph)
{
        uint32_t *all = must(calloc(graph->n_ties * 2, sizeof(*all)));

        for (size_t i = 0; i < graph->n_ties; i++) {
                all[2 * i] = graph->ties[i].a;
                all[2 * i + 1] = graph->ties[i].b;
        }
        qsort(all, graph->n_ties * 2, sizeof(*all), compare_nodes);
        for (size_t i = 0; i < graph->n_ties * 2; i++) {
                if (graph->n_members == 0 || all[graph->n_members - 1] != all[i]) {
                        all[graph->n_members++] = all[i];
                }
        }
        graph->nodes = all;
}

static uint32_t place_of(const struct import_graph *graph, uint32_t node)
{
        const uint32_t *found = bsearch(&node, graph->nodes, graph->n_members, sizeof(node), compare_nodes);
        return (uint32_t)(found - graph->nodes);
}

static void collect_neighbours(struct import_graph *graph)
{
        graph->first = must(calloc(graph->n_members + 1, sizeof(*graph->first)));
        graph->neighbours = must(calloc(graph->n_ties * 2, sizeof(*graph->neighbours)));
        size_t *next = must(calloc(graph->n_members, sizeof(*next)));

        for (size_t i = 0; i < graph->n_ties; i++) {
                graph->first[graph->ties[i].a + 1]++;
                graph->first[graph->ties[i].b + 1]++;
        }
        for (size_t i = 0; i < graph->n_members; i++) {
                graph->first[i + 1] += graph->first[i];
                next[i] = graph->first[i];
        }
        for (size_t i = 0; i < graph->n_ties; i++) {
                struct import_tie tie = graph->ties[i];
                graph->neighbours[next[tie.a]++] = tie.b;
                graph->neighbours[next[tie.b]++] = tie.a;
        }
        free(next);
}

/* Takes edges between node numbers, and builds the rest of the graph. */
static void finish_graph(struct import_graph *graph, struct ties *ties)
{
        graph->repeated = drop_repeated(ties);
        graph->ties = ties->items;
        graph->n_ties = ties->n;
        collect_nodes(graph);
        for (size_t i = 0; i < graph->n_ties; i++) {
                graph->ties[i].a = place_of(graph, graph->ties[i].a);
                graph->ties[i].b = place_of(graph, graph->ties[i].b);
        }
        collect_neighbours(graph);
}

/* ---- reading
 * --------------------------------------------------------------------------------------------------------------------
 */

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str trim_spaces(struct str s)
{
        while (s.len > 0 && is_space(s.ptr[0])) {
                s.ptr++;
                s.len--;
        }
        while (s.len > 0 && is_space(s.ptr[s.len - 1])) {
                s.len--;
        }
        return s;
}

static bool read_node(struct str *line, int64_t *node)
{
        size_t len = 0;

        while (len < line->len && line->ptr[len] >= '0' && line->ptr[len] <= '9') {
                len++;
        }
        if (len == 0 || !str_to_i64((struct str){line->ptr, len}, node)) {
                return false;
        }
        *line = trim_spaces((struct str){line->ptr + len, line->len - len});
        return true;
}

/* Returns NULL, or what is wrong with the line. */
static const char *read_tie(struct str line, struct ties *ties)
{
        int64_t a = 0, b = 0;

        line = trim_spaces(line);
        if (line.len == 0 || line.ptr[0] == '%' || line.ptr[0] == '#') {
                return NULL;
        }
        if (!read_node(&line, &a)) {
                return "expected two member numbers, such as '15 0'";
        }
        if (line.len > 0 && line.ptr[0] == ',') {
                line = trim_spaces((struct str){line.ptr + 1, line.len - 1});
        }
        if (!read_node(&line, &b) || line.len > 0) {
                return "expected two member numbers and nothing else, such as '15 0'";
        }
        if (a > IMPORT_MAX_NODE || b > IMPORT_MAX_NODE) {
                return "member numbers must not exceed 99999999";
        }
        if (a == b) {
                return "an edge must connect two different members";
        }
        ties_add(ties, (uint32_t)a, (uint32_t)b);
        return NULL;
}

static sn_status read_lines(FILE *file, const char *path, struct ties *ties, struct buf *error)
{
        char *line = NULL;
        size_t capacity = 0, number = 0;
        const char *wrong = NULL;

        for (ssize_t len; wrong == NULL && (len = getline(&line, &capacity, file)) >= 0;) {
                number++;
                wrong = read_tie((struct str){line, (size_t)len}, ties);
        }
        free(line);
        if (wrong != NULL) {
                buf_printf(error, "%s:%zu: %s", path, number, wrong);
                return SN_INVALID_ARGUMENT;
        }
        if (ferror(file)) {
                buf_printf(error, "cannot read %s: %s", path, strerror(errno));
                return SN_UNAVAILABLE;
        }
        if (ties->n == 0) {
                buf_printf(error, "%s contains no edges", path);
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

static void close_file_p(FILE **file)
{
        if (*file != NULL) {
                fclose(*file);
        }
}

sn_status import_graph_read(const char *path, struct import_graph *graph, struct buf *error)
{
        CLEANUP(close_file_p) FILE *file = fopen(path, "re");
        struct ties ties = {0};

        *graph = (struct import_graph){0};
        if (file == NULL) {
                buf_printf(error, "cannot read %s: %s", path, strerror(errno));
                return SN_NOT_FOUND;
        }
        sn_status status = read_lines(file, path, &ties, error);
        if (status != SN_OK) {
                free(ties.items);
                return status;
        }
        finish_graph(graph, &ties);
        return SN_OK;
}

/* ---- drawing
 * --------------------------------------------------------------------------------------------------------------------
 */

uint64_t import_random(uint64_t *state)
{
        uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

/* A random end of a random edge: a member is chosen with probability proportional to their degree. */
static uint32_t draw_end(const struct ties *ties, uint64_t *state)
{
        const struct import_tie *tie = &ties->items[import_random(state) % ties->n];
        return (import_random(state) & 1) != 0 ? tie->a : tie->b;
}

static void attach_member(struct ties *ties, uint32_t member, size_t wanted, uint64_t *state)
{
        uint32_t chosen[GENERATED_TIES];
        size_t n = 0;

        while (n < wanted) {
                uint32_t other = draw_end(ties, state);
                size_t i = 0;
                while (i < n && chosen[i] != other) {
                        i++;
                }
                if (i == n) {
                        chosen[n++] = other;
                }
        }
        for (size_t i = 0; i < n; i++) {
                ties_add(ties, member, chosen[i]);
        }
}

sn_status import_graph_generate(size_t members, uint64_t seed, struct import_graph *graph, struct buf *error)
{
        struct ties ties = {0};
        uint64_t state = seed;

        *graph = (struct import_graph){0};
        if (members < 2 || members > IMPORT_MAX_NODE) {
                buf_printf(error, "a network must have 2 to %d members", IMPORT_MAX_NODE);
                return SN_INVALID_ARGUMENT;
        }
        size_t each = members / 4 < 1 ? 1 : members / 4 > GENERATED_TIES ? GENERATED_TIES : members / 4;
        for (uint32_t i = 1; i <= each; i++) { /* a small clique to start with */
                for (uint32_t j = 0; j < i; j++) {
                        ties_add(&ties, i, j);
                }
        }
        for (size_t i = each + 1; i < members; i++) {
                attach_member(&ties, (uint32_t)i, each, &state);
        }
        finish_graph(graph, &ties);
        return SN_OK;
}

void import_graph_free(struct import_graph *graph)
{
        free(graph->nodes);
        free(graph->ties);
        free(graph->first);
        free(graph->neighbours);
        *graph = (struct import_graph){0};
}
