/* The graph that `sonet import` brings in: members by their number, and ties, which go both ways. */
#ifndef CMD_IMPORT_GRAPH_H
#define CMD_IMPORT_GRAPH_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/status.h"

#define IMPORT_MAX_NODE 99999999

struct import_tie {
        uint32_t a, b; /* a < b */
};

struct import_graph {
        uint32_t *nodes; /* ascending; a member is its place here */
        size_t n_members;
        struct import_tie *ties; /* of places, each pair once */
        size_t n_ties;
        size_t repeated; /* pairs that the file holds more than once, in either order */
        /* The places that member i is tied to: neighbours[first[i]] … neighbours[first[i + 1] - 1]. */
        size_t *first;
        uint32_t *neighbours;
};

/* An edge list: two numbers a line, apart by blanks or a comma; empty lines and lines that start with % or # are passed
 * over. error gets a sentence with file and line. A graph that failed is empty. */
SN_CHECKED sn_status import_graph_read(const char *path, struct import_graph *graph, struct buf *error);
/* Preferential attachment (Barabási and Albert, 1999): degrees follow a power law. The same seed gives the same graph.
 */
SN_CHECKED sn_status import_graph_generate(size_t members, uint64_t seed, struct import_graph *graph,
                                           struct buf *error);
void import_graph_free(struct import_graph *graph);

/* splitmix64: a small generator whose numbers are the same everywhere. */
uint64_t import_random(uint64_t *state);

#endif
