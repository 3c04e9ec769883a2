/* Owns `sonet admin mails`: the mails that could not be sent (mail/mail.h). */
#include "mail/mail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "cmd/admin/admin.h"

static sn_status list_failed(struct admin *a, struct rpc_call *c)
{
        struct mail_failure *failures = NULL;
        size_t n = 0;

        TRY(mail_list_failed(c, (size_t)a->limit, &failures, &n));
        for (size_t i = 0; i < n; i++) {
                char when[CLOCK_RFC3339_SIZE];

                printf("%-10s %s  %s  %s  of %s  %" PRId64 " %s: %s\n", c->service->name, failures[i].id,
                       clock_format_ms(failures[i].failed_at_ms, when), failures[i].kind, failures[i].owner_id,
                       failures[i].attempts, failures[i].attempts == 1 ? "try" : "tries", failures[i].error);
        }
        return SN_OK;
}

sn_status admin_mails(struct admin *a, int n, char **words)
{
        if (n != 1 || strcmp(words[0], "list") != 0) {
                buf_append_c(&a->error, "expected 'mails list [--limit N]'");
                return SN_INVALID_ARGUMENT;
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (sonet_services[i]->mails) {
                        TRY(admin_with_service(a, sonet_services[i], list_failed));
                }
        }
        return SN_OK;
}
