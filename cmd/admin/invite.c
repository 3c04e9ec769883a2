/* Owns `sonet admin invite`: the operator's invites (services/user/invites.h). */
#include "services/user/invites.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "cmd/admin/admin.h"

static const char *format_timestamp(const Google__Protobuf__Timestamp *at, char text[CLOCK_RFC3339_SIZE])
{
        return clock_format_ms(at->seconds * 1000 + at->nanos / 1000000, text);
}

static sn_status admin_invite_create(struct admin *a, struct rpc_call *c)
{
        UserInvites__NewInvite invite = USER_INVITES__NEW_INVITE__INIT;
        char expires[CLOCK_RFC3339_SIZE];

        TRY(DB_WRITE(c, tx, invite_create(tx, (uint32_t)a->uses, (uint32_t)a->days, &invite)));
        printf("%s\nid %s, uses %" PRId64 " until %s\n", invite.url, invite.invite->id, invite.invite->uses,
               format_timestamp(invite.invite->expires_at, expires));
        return SN_OK;
}

static sn_status admin_invite_list(struct admin *a, struct rpc_call *c)
{
        struct page_scan scan = {.limit = (size_t)a->limit};
        UserInvites__Invite **invites = NULL;
        char expires[CLOCK_RFC3339_SIZE];
        size_t n = 0;

        TRY(DB_READ(c, tx, invite_list(tx, "", &scan, &n, &invites)));
        for (size_t i = 0; i < n; i++) {
                printf("%s  %" PRId64 " of %" PRId64 " left  until %s\n", invites[i]->id, invites[i]->uses_left,
                       invites[i]->uses, format_timestamp(invites[i]->expires_at, expires));
        }
        return SN_OK;
}

static sn_status admin_invite_revoke(struct admin *a, struct rpc_call *c)
{
        if (!uuid_valid(a->words[0])) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, NULL, "'%s' is not the ID of an invite", a->words[0]);
        }
        return DB_WRITE(c, tx, invite_revoke(tx, "", a->words[0]));
}

sn_status admin_invite(struct admin *a, int n, char **words)
{
        const struct service_definition *user = service_definition_find("user");

        if (n == 0) {
                return admin_with_service(a, user, admin_invite_create);
        }
        if (n == 1 && strcmp(words[0], "list") == 0) {
                return admin_with_service(a, user, admin_invite_list);
        }
        if (n == 2 && strcmp(words[0], "revoke") == 0) {
                a->words = words + 1;
                return admin_with_service(a, user, admin_invite_revoke);
        }
        buf_append_c(&a->error, "expected 'invite [--uses N] [--days N]', 'invite list' or 'invite revoke ID'");
        return SN_INVALID_ARGUMENT;
}
