/* Owns `sonet admin deadletters`, over bus/bus.h. */
#include "cmd/admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/str.h"
#include "bus/bus.h"

static sn_status list_letters(struct admin *a, struct rpc_call *c)
{
        struct bus_dead_letter *letters = NULL;
        size_t n = 0;

        TRY(bus_dead_letters_list(c, &letters, &n));
        a->n_listed += n;
        for (size_t i = 0; i < n; i++) {
                char when[CLOCK_RFC3339_SIZE];
                printf("%-10s %6" PRId64 "  %s  %s  %s@%" PRId64 " %s %s  %d %s: %s\n", c->service->name, letters[i].id,
                       clock_format_ms(letters[i].failed_at_ms, when), letters[i].consumer, letters[i].source,
                       letters[i].position, letters[i].type, letters[i].aggregate_id, letters[i].attempts,
                       letters[i].attempts == 1 ? "try" : "tries", letters[i].error);
        }
        return SN_OK;
}

static sn_status replay_letters(struct admin *a, struct rpc_call *c)
{
        int64_t asked = 0;

        TRY(bus_dead_letters_replay(c, a->n_ids > 0 ? a->ids : NULL, a->n_ids, &asked));
        printf("%s: %" PRId64 " will be handled again\n", c->service->name, asked);
        return SN_OK;
}

static sn_status for_services(struct admin *a, admin_action action)
{
        if (a->service != NULL) {
                const struct service_definition *definition = service_definition_find(a->service);
                if (definition == NULL) {
                        buf_printf(&a->error, "unknown service '%s'", a->service);
                        return SN_INVALID_ARGUMENT;
                }
                return admin_with_service(a, definition, action);
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                TRY(admin_with_service(a, sonet_services[i], action));
        }
        return SN_OK;
}

static sn_status read_ids(struct admin *a, int n, char **texts)
{
        for (int i = 0; i < n; i++) {
                if (a->n_ids == ADMIN_MAX_IDS || !str_to_i64(str_of(texts[i]), &a->ids[a->n_ids])) {
                        buf_printf(&a->error, "'%s' is not the ID of a dead letter", texts[i]);
                        return SN_INVALID_ARGUMENT;
                }
                a->n_ids++;
        }
        if (a->n_ids > 0 && a->service == NULL) {
                buf_append_c(&a->error, "IDs are per service; name the service with --service");
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

sn_status admin_dead_letters(struct admin *a, int n, char **words)
{
        bool list = n >= 1 && strcmp(words[0], "list") == 0;
        bool replay = n >= 1 && strcmp(words[0], "replay") == 0;

        if ((!list && !replay) || (list && n > 1)) {
                buf_append_c(&a->error, "expected 'deadletters list' or 'deadletters replay [ID…]'");
                return SN_INVALID_ARGUMENT;
        }
        TRY(read_ids(a, n - 1, words + 1));
        TRY(for_services(a, list ? list_letters : replay_letters));
        if (list && a->n_listed == 0) {
                /* Standard output has only dead letters, as scripts count its lines. */
                fprintf(stderr, "no dead letters\n");
        }
        return SN_OK;
}
