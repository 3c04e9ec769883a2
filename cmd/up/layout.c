/* Owns parsing layouts. */
#include "cmd/up/layout.h"

#include <string.h>
#include "base/str.h"
#include "services/services.h"

#define GATEWAY "gateway"

void layout_one_process(struct layout *layout)
{
        *layout = (struct layout){.n = 1, .processes = {{.gateway = true}}};
        for (size_t i = 0; i < sonet_n_services; i++) {
                layout->processes[0].service[i] = true;
        }
}

void layout_process_each(struct layout *layout)
{
        *layout = (struct layout){.n = 1 + sonet_n_services, .processes = {{.gateway = true}}};
        for (size_t i = 0; i < sonet_n_services; i++) {
                layout->processes[1 + i].service[i] = true;
        }
}

const struct layout_process *layout_process_of(const struct layout *layout, size_t service)
{
        size_t i = 0;

        while (i < layout->n && !layout->processes[i].service[service]) {
                i++;
        }
        return i < layout->n ? &layout->processes[i] : NULL;
}

static bool *place_of(struct layout_process *process, struct str name)
{
        if (str_equal_c(name, GATEWAY)) {
                return &process->gateway;
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (str_equal_c(name, sonet_services[i]->name)) {
                        return &process->service[i];
                }
        }
        return NULL;
}

static bool is_placed(struct layout *layout, struct str name)
{
        for (size_t i = 0; i < layout->n; i++) {
                if (*place_of(&layout->processes[i], name)) {
                        return true;
                }
        }
        return false;
}

static sn_status add_service(struct layout *layout, struct layout_process *process, struct str name, struct buf *error)
{
        bool *at = place_of(process, name);

        if (at == NULL) {
                buf_printf(error, "--layout: unknown service '%.*s'", (int)name.len, name.ptr);
                return SN_INVALID_ARGUMENT;
        }
        if (*at || is_placed(layout, name)) {
                buf_printf(error, "--layout: '%.*s' appears twice", (int)name.len, name.ptr);
                return SN_INVALID_ARGUMENT;
        }
        *at = true;
        return SN_OK;
}

static sn_status parse_process(struct layout *layout, struct str names, struct buf *error)
{
        struct layout_process process = {0};
        struct str name;
        size_t n = 0;

        while (str_next(&names, ' ', &name)) {
                if (name.len > 0) {
                        TRY(add_service(layout, &process, name, error));
                        n++;
                }
        }
        if (n == 0) {
                buf_append_c(error, "--layout: a process has no services; separate processes with bars, as in "
                                    "'gateway user | follow note timeline'");
                return SN_INVALID_ARGUMENT;
        }
        if (process.gateway) { /* it comes first */
                memmove(layout->processes + 1, layout->processes, layout->n * sizeof(process));
                layout->processes[0] = process;
        } else {
                layout->processes[layout->n] = process;
        }
        layout->n++;
        return SN_OK;
}

static sn_status check_complete(struct layout *layout, struct buf *error)
{
        const char *missing = is_placed(layout, STR(GATEWAY)) ? NULL : GATEWAY;

        for (size_t i = 0; missing == NULL && i < sonet_n_services; i++) {
                missing = layout_process_of(layout, i) == NULL ? sonet_services[i]->name : NULL;
        }
        if (missing != NULL) {
                buf_printf(error, "--layout: '%s' is missing; it must run in one of the processes", missing);
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

sn_status layout_parse(struct layout *layout, const char *text, struct buf *error)
{
        struct str rest = str_of(text), names;

        *layout = (struct layout){0};
        while (str_next(&rest, '|', &names)) {
                TRY(parse_process(layout, names, error));
        }
        return check_complete(layout, error);
}
