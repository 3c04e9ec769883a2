/* Owns listing, saving and testing templates for administrators. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/notification/store.h"
#include "services/notification/templates.h"

enum { LANGUAGES_MAX = 676 };

static sn_status find_channel(struct rpc_call *c, const char *type, const char *name, enum channel *channel)
{
        for (int i = CHANNEL_PUSH; i <= CHANNEL_SMS; i++) {
                if (strcmp(channel_name((enum channel)i), name) == 0 && template_exists(type, (enum channel)i)) {
                        *channel = (enum channel)i;
                        return SN_OK;
                }
        }
        return rpc_fail(c, SN_NOT_FOUND, "type", "%s", template_missing(c->arena, type, name));
}

static void show_text(const struct template_text *text, Google__Protobuf__Timestamp *created_at,
                      Notification__NotificationTemplate *out)
{
        out->type = (char *)text->type;
        out->channel = (char *)channel_name(text->channel);
        out->language = (char *)text->language;
        out->version = (uint64_t)text->version;
        out->source = (char *)text->source;
        out->created_at = created_at;
}

/* ---- Listing ---- */

static void add_language(struct arena *arena, const struct templates *saved, const char *type, enum channel channel,
                         const char *language, Notification__NotificationTemplates *out)
{
        struct template_text text = templates_choose(saved, type, channel, language);
        Google__Protobuf__Timestamp *created_at = NULL;

        for (size_t i = 0; i < out->n_items; i++) {
                if (strcmp(out->items[i]->language, text.language) == 0 &&
                    strcmp(out->items[i]->channel, channel_name(channel)) == 0) {
                        return;
                }
        }
        for (size_t i = 0; text.version > 0 && i < saved->n; i++) {
                created_at = saved->rows[i]->source == text.source ? saved->rows[i]->created_at : created_at;
        }
        Notification__NotificationTemplate *item = ARENA_NEW(arena, Notification__NotificationTemplate);
        out->items[out->n_items++] = item;
        notification__notification_template__init(item);
        show_text(&text, created_at, item);
}

static sn_status list_channel(struct db_tx *tx, const char *type, enum channel channel,
                              Notification__NotificationTemplates *out)
{
        const struct templates *saved = NULL;

        if (!template_exists(type, channel)) {
                return SN_OK;
        }
        TRY(templates_load(tx, channel, &saved));
        add_language(db_arena(tx), saved, type, channel, "en", out);
        add_language(db_arena(tx), saved, type, channel, "de", out);
        for (size_t i = 0; i < saved->n; i++) {
                if (strcmp(saved->rows[i]->type, type) == 0 && saved->rows[i]->source[0] != '\0') {
                        add_language(db_arena(tx), saved, type, channel, saved->rows[i]->language, out);
                }
        }
        return SN_OK;
}

static sn_status list_all(struct db_tx *tx, const char *type, Notification__NotificationTemplates *out)
{
        out->items = ARENA_ARRAY(db_arena(tx), Notification__NotificationTemplate *, 3 * (LANGUAGES_MAX + 2));
        TRY(list_channel(tx, type, CHANNEL_PUSH, out));
        TRY(list_channel(tx, type, CHANNEL_EMAIL, out));
        return list_channel(tx, type, CHANNEL_SMS, out);
}

sn_status notification_handle_list_notification_templates(struct rpc_call *c,
                                                          const Notification__ListNotificationTemplatesRequest *in,
                                                          Notification__NotificationTemplates *out)
{
        TRY(DB_READ(c, tx, list_all(tx, in->type, out)));
        return out->n_items > 0 ? SN_OK : rpc_fail(c, SN_NOT_FOUND, "type", "there is no such type of template");
}

/* ---- Saving ---- */

static sn_status save_template(struct db_tx *tx, const struct template_text *text, NotificationRows__Template *row)
{
        return store_save_template(tx, text->channel, text->type, text->language, text->source, row);
}

static sn_status check_template(struct rpc_call *c, const char *type, const char *source)
{
        CLEANUP(buf_free) struct buf error;

        buf_init(&error, 1000);
        return template_check(c->arena, type, source, &error)
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "source", "%s", error.data);
}

sn_status notification_handle_save_notification_template(struct rpc_call *c,
                                                         const Notification__SaveNotificationTemplateRequest *in,
                                                         Notification__NotificationTemplate *out)
{
        NotificationRows__Template row = NOTIFICATION_ROWS__TEMPLATE__INIT;
        struct template_text text = {.type = in->type, .language = in->language, .source = in->source};

        TRY(find_channel(c, in->type, in->channel, &text.channel));
        TRY(check_template(c, in->type, in->source));
        TRY(DB_WRITE(c, tx, save_template(tx, &text, &row)));
        text.version = row.version;
        show_text(&text, row.created_at, out);
        return SN_OK;
}

sn_status notification_handle_delete_notification_template(struct rpc_call *c,
                                                           const Notification__DeleteNotificationTemplateRequest *in,
                                                           Google__Protobuf__Empty *out)
{
        NotificationRows__Template row = NOTIFICATION_ROWS__TEMPLATE__INIT;
        struct template_text text = {.type = in->type, .language = in->language, .source = ""};

        TRY(find_channel(c, in->type, in->channel, &text.channel));
        return DB_WRITE(c, tx, save_template(tx, &text, &row));
}

/* ---- Testing ---- */

sn_status notification_handle_preview_notification_template(struct rpc_call *c,
                                                            const Notification__PreviewNotificationTemplateRequest *in,
                                                            Notification__NotificationTemplatePreview *out)
{
        CLEANUP(buf_free) struct buf error;
        const struct templates *saved = NULL;
        struct template_sample sample = {.subject = "", .text = "", .html = "", .title = ""};
        enum channel channel = CHANNEL_PUSH;

        buf_init(&error, 1000);
        TRY(find_channel(c, in->type, in->channel, &channel));
        TRY(DB_READ(c, tx, templates_load(tx, channel, &saved)));
        struct template_text text = templates_choose(saved, in->type, channel, in->language);

        if (in->source[0] != '\0') {
                TRY(check_template(c, in->type, in->source));
                text = (struct template_text){in->type, channel, in->language, 0, in->source};
        }
        if (!template_preview(c->arena, saved, &text, in->people > 0 ? in->people : 1, &sample, &error)) {
                return rpc_fail(c, SN_INTERNAL, NULL, "%s", error.data);
        }
        out->template_ = template_label(c->arena, &text);
        out->subject = (char *)sample.subject;
        out->text = (char *)sample.text;
        out->html = (char *)sample.html;
        out->title = (char *)sample.title;
        return SN_OK;
}
