/* The `sonet serve` children of `sonet up`: their number, ports and environments. */
#ifndef CMD_UP_CHILDREN_H
#define CMD_UP_CHILDREN_H

#include "auth/keys.h"
#include "cmd/up/embedded.h"
#include "cmd/up/layout.h"

struct serve_plan {
        const struct embedded *embedded;
        const struct settings *settings;
        struct arena *arena; /* holds argv and environments while the children run */
        const char *address; /* of HTTP */
        struct layout layout;
        int program_fd; /* this program, opened before it may be replaced on disk */
        int stamps_fd;  /* memory that the processes share (base/shared_stamps.h); -1: one process shares none */
        char key[KEYS_TEXT_SIZE]; /* the key file's text, for children that may not read it; otherwise "" */
};

/* Opens the program and chooses the ports of the layout's processes: http_port 0 becomes a free one; an explicitly
 * requested port that is taken is an error. */
SN_CHECKED sn_status serve_plan_make(struct serve_plan *plan, int64_t http_port, struct buf *error);
/* Checks that all pools together fit into the private PostgreSQL. */
SN_CHECKED sn_status serve_plan_check_connections(const struct settings *settings, struct buf *error);
/* Where a process of the layout listens for HTTP. */
const char *serve_plan_http_address(const struct serve_plan *plan, const struct layout_process *process);
/* "127.0.0.1:8081", or with several processes each service's: "user 127.0.0.1:8083, …". */
void serve_plan_print_grpc(const struct serve_plan *plan, struct buf *out);
/* The process with the gateway stops first (rank first_rank), then the others (the next rank). */
void serve_children_add(const struct serve_plan *plan, struct supervisor *s, int first_rank);

#endif
