/* Owns what mails say of notifications: one alone, or all that was held for a digest. */
#include "services/notification/mails.h"

#include <string.h>
#include "services/notification/sentence.h"
#include "services/notification/words.h"

enum { SAID_OF_A_NOTE = 300, POINTS_MAX_BYTES = 60000 };

/* Generated from mails/. */
extern const struct mail_language notification_mail_notification[], notification_mail_digest[];

static const struct mail_variable variables[] = {
    {"name", MAIL_TEXT}, {"network", MAIL_TEXT},     {"headline", MAIL_TEXT}, {"items", MAIL_LIST},
    {"link", MAIL_LINK}, {"unsubscribe", MAIL_LINK}, {"count", MAIL_NUMBER},  {0}};

const struct mail_template mail_notification = {"notification", variables, notification_mail_notification};
const struct mail_template mail_digest = {"digest", variables, notification_mail_digest};

/* Numbers stand for who did it last. A type that this program does not know is not folded. */
static struct aggregation_item *fold(struct arena *arena, const struct outgoing *d)
{
        struct aggregation_item *items = ARENA_ARRAY(arena, struct aggregation_item, d->n_shown);

        for (size_t i = 0; i < d->n_shown; i++) {
                size_t actor = 0;

                while (strcmp(d->shown[actor]->actors[0]->id, d->shown[i]->actors[0]->id) != 0) {
                        actor++;
                }
                (void)type_find(d->shown[i]->type, &items[i].type); /* it was found when it was claimed */
                items[i].actor = (int64_t)actor;
        }
        aggregation_fold(d->rules->aggregation, items, d->n_shown);
        return items;
}

/* What is said of one notification. Of messages nothing: mails are read by others on their way. */
static char *line_of_one(struct arena *arena, const struct outgoing *d, const Notification__Notification *n)
{
        const char *said = n->chat == NULL ? words_beginning(arena, d->rules, n, SAID_OF_A_NOTE) : NULL;

        return arena_printf(arena, said != NULL ? "%s: %s" : "%s", headline_of(arena, d->rules->language, n), said);
}

/* What is said of those that are one line. */
static char *line_of_many(struct arena *arena, const struct outgoing *d, const struct aggregation_item *item,
                          const Notification__Notification *newest)
{
        const struct aggregation_rule *rule = aggregation_rule_of(d->rules->aggregation, item->type);
        const struct sentence_value values[] = {{"1", words_name(arena, newest->actors[0])},
                                                {"count", arena_printf(arena, "%zu", item->n)}};

        return sentence_write(arena, aggregation_text(rule, d->rules->language), values,
                              sizeof(values) / sizeof(values[0]));
}

static char *points_of(struct arena *arena, const struct outgoing *d)
{
        const struct aggregation_item *items = fold(arena, d);
        CLEANUP(buf_free) struct buf out;

        buf_init(&out, POINTS_MAX_BYTES);
        for (size_t i = 0; i < d->n_shown && out.len < POINTS_MAX_BYTES - 2 * SAID_OF_A_NOTE - 1000; i++) {
                if (!items[i].first) {
                        continue;
                }
                char *line = items[i].n > 1 ? line_of_many(arena, d, &items[i], d->shown[i])
                                            : line_of_one(arena, d, d->shown[i]);

                for (char *c = line; *c != '\0'; c++) {
                        *c = *c == '\n' || *c == '\r' ? ' ' : *c;
                }
                buf_printf(&out, "%s%s", i > 0 ? "\n" : "", line);
        }
        return arena_strndup(arena, out.data, out.len);
}

sn_status mails_write(struct db_tx *tx, const struct outgoing *d, const char *to, const char *name)
{
        struct arena *arena = db_arena(tx);
        const char *token = unsubscribe_token(arena, d->user_id);
        const char *page = mail_page(arena, arena_printf(arena, "/unsubscribe#%s", token));

        return mail_enqueue(
            tx, &(struct mail){.template = d->n_shown > 1 ? &mail_digest : &mail_notification,
                               .to = to,
                               .language = d->rules->language,
                               .owner_id = d->user_id,
                               .key = d->rows[0]->id,
                               .unsubscribe_url = unsubscribe_url(arena, d->user_id),
                               MAIL_VALUES(mail_text("name", name), mail_text("network", mail_network()),
                                           mail_text("headline", headline_of(arena, d->rules->language, d->shown[0])),
                                           mail_list("items", points_of(arena, d)),
                                           mail_link("link", mail_page(arena, "/")), mail_link("unsubscribe", page),
                                           mail_number("count", (int64_t)d->n_shown))});
}
