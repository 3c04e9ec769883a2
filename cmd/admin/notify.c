/* Owns `sonet admin notify`: what notifications say, shown, and mailed to an address as a test. */
#include "services/notification/templates.h"

#include <stdio.h>
#include <string.h>
#include "cmd/admin/admin.h"

/* TYPE CHANNEL LANGUAGE: as it is used now. */
static sn_status choose(struct admin *a, struct rpc_call *c, const struct templates **saved, struct template_text *text)
{
        for (int i = CHANNEL_PUSH; i <= CHANNEL_EMAIL; i++) {
                if (strcmp(channel_name((enum channel)i), a->words[1]) == 0 &&
                    template_exists(a->words[0], (enum channel)i)) {
                        TRY(DB_READ(c, tx, templates_load(tx, (enum channel)i, saved)));
                        *text = templates_choose(*saved, a->words[0], (enum channel)i, a->words[2]);
                        return SN_OK;
                }
        }
        return rpc_fail(c, SN_INVALID_ARGUMENT, NULL, "there is no template %s/%s: channels are push and email",
                        a->words[0], a->words[1]);
}

static sn_status preview(struct admin *a, struct rpc_call *c)
{
        CLEANUP(buf_free) struct buf error;
        const struct templates *saved = NULL;
        struct template_sample sample = {.title = ""};
        struct template_text text;

        buf_init(&error, 1000);
        TRY(choose(a, c, &saved, &text));
        if (!template_preview(c->arena, saved, &text, 1, &sample, &error)) {
                return rpc_fail(c, SN_INTERNAL, NULL, "%s", error.data);
        }
        printf("%s\n", template_label(c->arena, &text));
        if (text.channel == CHANNEL_EMAIL) {
                printf("Subject: %s\n\n%s", sample.subject, sample.text);
        } else {
                printf("%s\n", sample.title);
        }
        return SN_OK;
}

static sn_status send_test(struct admin *a, struct rpc_call *c)
{
        const struct templates *saved = NULL;
        struct template_text text;

        TRY(choose(a, c, &saved, &text));
        if (text.channel != CHANNEL_EMAIL) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, NULL, "only mails go to an address: give email as the channel");
        }
        TRY(DB_WRITE(c, tx, template_mail_sample(tx, saved, &text, a->words[3])));
        printf("%s is in the queue of mails\n", template_label(c->arena, &text));
        return SN_OK;
}

sn_status admin_notify(struct admin *a, int n, char **words)
{
        const struct service_definition *notification = service_definition_find("notification");

        a->words = words + 1;
        if (n == 4 && strcmp(words[0], "preview") == 0) {
                return admin_with_service(a, notification, preview);
        }
        if (n == 5 && strcmp(words[0], "test") == 0) {
                return admin_with_service(a, notification, send_test);
        }
        buf_append_c(&a->error,
                     "expected 'notify preview TYPE CHANNEL LANGUAGE' or 'notify test TYPE email LANGUAGE ADDRESS'");
        return SN_INVALID_ARGUMENT;
}
