/* Layouts: which services share a process. */
#ifndef CMD_UP_LAYOUT_H
#define CMD_UP_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/status.h"

#define LAYOUT_MAX_SERVICES 16

struct layout_process {
        bool gateway;
        bool service[LAYOUT_MAX_SERVICES]; /* by its index in sonet_services */
        int http_port, grpc_port;          /* chosen by the plan */
};

struct layout {
        struct layout_process processes[LAYOUT_MAX_SERVICES + 1]; /* the one with the gateway is first */
        size_t n;
};

void layout_one_process(struct layout *layout);
void layout_process_each(struct layout *layout);
/* "gateway user | follow note timeline": processes separated by bars. SN_INVALID_ARGUMENT with a sentence in error
 * unless the gateway and every service appear exactly once. */
SN_CHECKED sn_status layout_parse(struct layout *layout, const char *text, struct buf *error);
/* The process that runs a service. */
const struct layout_process *layout_process_of(const struct layout *layout, size_t service);

#endif
