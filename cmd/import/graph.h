/* The graph for `sonet import`: numbered members and undirected edges. */
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
        uint32_t *nodes; /* ascending; a member's index is its position here */
        size_t n_members;
        struct import_tie *ties; /* between indexes, each pair once */
        size_t n_ties;
        size_t repeated; /* duplicate pairs in the file, in either order */
        /* The neighbours of member i: neighbours[first[i]] … neighbours[first[i + 1] - 1]. */
        size_t *first;
        uint32_t *neighbours;
};

/* Reads an edge list: two numbers per line, separated by blanks or a comma; empty lines and lines starting with % or
 * # are skipped. error gets a sentence with file and line. After a failure the graph is empty. */
SN_CHECKED sn_status import_graph_read(const char *path, struct import_graph *graph, struct buf *error);
/* Preferential attachment (Barabási and Albert, 1999): power-law degrees. The same seed gives the same graph. */
SN_CHECKED sn_status import_graph_generate(size_t members, uint64_t seed, struct import_graph *graph,
                                           struct buf *error);
void import_graph_free(struct import_graph *graph);

/* splitmix64: a small, portable generator. */
uint64_t import_random(uint64_t *state);

#endif
