/* Owns `sonet admin notify`: previewing notification texts, and sending test notifications. */
#include "services/notification/templates.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "cmd/admin/admin.h"
#include "services/notification/lane_sample.h"
#include "services/user/accounts.h"

/* TYPE CHANNEL LANGUAGE: the template in use. */
static sn_status choose_template(struct admin *a, struct rpc_call *c, const struct templates **saved,
                                 struct template_text *text)
{
        for (int i = CHANNEL_PUSH; i <= CHANNEL_SMS; i++) {
                if (strcmp(channel_name((enum channel)i), a->words[1]) == 0 &&
                    template_exists(a->words[0], (enum channel)i)) {
                        TRY(DB_READ(c, tx, templates_load(tx, (enum channel)i, saved)));
                        *text = templates_choose(*saved, a->words[0], (enum channel)i, a->words[2]);
                        return SN_OK;
                }
        }
        return rpc_fail(c, SN_INVALID_ARGUMENT, NULL, "%s", template_missing(c->arena, a->words[0], a->words[1]));
}

/* Like members whose language has no template. */
static void say_language(const struct admin *a, const struct template_text *text)
{
        size_t len = strcspn(a->words[2], "-");

        if (strlen(text->language) != len || strncasecmp(text->language, a->words[2], len) != 0) {
                fprintf(stderr, "There is no template in %s; this is the English one.\n", a->words[2]);
        }
}

static sn_status admin_notify_preview(struct admin *a, struct rpc_call *c)
{
        CLEANUP(buf_free) struct buf error;
        const struct templates *saved = NULL;
        struct template_sample sample = {.title = ""};
        struct template_text text;

        buf_init(&error, 1000);
        TRY(choose_template(a, c, &saved, &text));
        if (!template_preview(c->arena, saved, &text, 1, &sample, &error)) {
                return rpc_fail(c, SN_INTERNAL, NULL, "%s", error.data);
        }
        printf("%s\n", template_label(c->arena, &text));
        say_language(a, &text);
        if (text.channel == CHANNEL_EMAIL) {
                printf("Subject: %s\n\n%s", sample.subject, sample.text);
        } else {
                printf("%s\n", sample.title);
        }
        return SN_OK;
}

static sn_status send_mail(struct admin *a, struct rpc_call *c)
{
        const struct templates *saved = NULL;
        struct template_text text;

        TRY(choose_template(a, c, &saved, &text));
        TRY(DB_WRITE(c, tx, template_mail_sample(tx, saved, &text, a->words[3])));
        printf("%s was queued for sending\n", template_label(c->arena, &text));
        return SN_OK;
}

static sn_status find_in(struct db_tx *tx, struct admin *a)
{
        UserAdmin__Account *account = ARENA_NEW(a->arena, UserAdmin__Account);

        user_admin__account__init(account);
        TRY(account_find(tx, a->words[3], account));
        a->words[3] = arena_strdup(a->arena, account->id);
        return SN_OK;
}

static sn_status find_member(struct admin *a, struct rpc_call *c)
{
        return DB_READ(c, tx, find_in(tx, a));
}

static sn_status check_all_sent(struct rpc_call *c, const struct lane_sample *samples, size_t n)
{
        size_t n_sent = 0;

        for (size_t i = 0; i < n; i++) {
                n_sent += strcmp(samples[i].outcome, "sent") == 0;
        }
        return n_sent == n ? SN_OK : rpc_fail(c, SN_UNAVAILABLE, NULL, "%zu of %zu were not sent", n - n_sent, n);
}

static sn_status send_now(struct admin *a, struct rpc_call *c)
{
        struct lane_sample *samples = NULL;
        size_t n = 0;

        TRY(lane_send_sample(c, &a->settings, a->words[1], a->words[0], a->words[2], a->words[3], &samples, &n));
        for (size_t i = 0; i < n; i++) {
                printf("%s: %s%s%s\n", samples[i].provider, samples[i].outcome,
                       samples[i].reason[0] != '\0' ? ", " : "", samples[i].reason);
        }
        return n > 0 ? check_all_sent(c, samples, n)
                     : rpc_fail(c, SN_NOT_FOUND, NULL, "the member has no %s",
                                strcmp(a->words[1], "push") == 0 ? "browser subscribed to pushes"
                                                                 : "device with a push token");
}

/* For pushes the member is given by name. */
static sn_status send_test(struct admin *a)
{
        const struct service_definition *notification = service_definition_find("notification");

        if (strcmp(a->words[1], channel_name(CHANNEL_EMAIL)) == 0) {
                return admin_with_service(a, notification, send_mail);
        }
        if (strcmp(a->words[1], channel_name(CHANNEL_SMS)) != 0) {
                TRY(admin_with_service(a, service_definition_find("user"), find_member));
        }
        return admin_with_service(a, notification, send_now);
}

sn_status admin_notify(struct admin *a, int n, char **words)
{
        const struct service_definition *notification = service_definition_find("notification");

        a->words = words + 1;
        if (n == 4 && strcmp(words[0], "preview") == 0) {
                return admin_with_service(a, notification, admin_notify_preview);
        }
        if (n == 5 && strcmp(words[0], "test") == 0) {
                return send_test(a);
        }
        buf_append_c(
            &a->error,
            "expected 'notify preview TYPE CHANNEL LANGUAGE', 'notify test TYPE email LANGUAGE ADDRESS', 'notify "
            "test TYPE sms LANGUAGE NUMBER', or 'notify test TYPE push|mobile LANGUAGE MEMBER'");
        return SN_INVALID_ARGUMENT;
}
