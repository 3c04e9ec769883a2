/* Owns rendering mails: for a single notification, or for a digest. */
#include "services/notification/mails.h"

#include <string.h>
#include "services/notification/sentence.h"
#include "services/notification/words.h"

#define NOBODY "00000000-0000-0000-0000-000000000000"
enum { SAID_OF_A_NOTE = 300, POINTS_MAX_BYTES = 60000 };

/* Generated from mails/. */
extern const struct mail_language notification_mail_notification[], notification_mail_digest[];

static const struct mail_variable variables[] = {
    {"name", MAIL_TEXT}, {"network", MAIL_TEXT},     {"headline", MAIL_TEXT}, {"items", MAIL_LIST},
    {"link", MAIL_LINK}, {"unsubscribe", MAIL_LINK}, {"count", MAIL_NUMBER},  {0}};

const struct mail_template mail_notification = {TEMPLATE_SINGLE, variables, notification_mail_notification};
const struct mail_template mail_digest = {TEMPLATE_DIGEST, variables, notification_mail_digest};

static const struct mail_template *own_template(const char *type)
{
        return strcmp(type, TEMPLATE_DIGEST) == 0 ? &mail_digest : &mail_notification;
}

const char *mails_source(const char *type, const char *language)
{
        for (const struct mail_language *l = own_template(type)->languages; l->language != NULL; l++) {
                if (strcmp(l->language, language) == 0) {
                        return l->source;
                }
        }
        return NULL;
}

/* Makes a template for mail/ in the one language that was chosen. */
static struct mail_template *template_of(struct arena *arena, const struct template_text *text)
{
        struct mail_language *languages = ARENA_ARRAY(arena, struct mail_language, 2);
        struct mail_template *out = ARENA_NEW(arena, struct mail_template);

        languages[0] = (struct mail_language){text->language, text->source};
        *out = (struct mail_template){own_template(text->type)->name, variables, languages};
        return out;
}

/* Identifies latest actors by numbers. */
static struct aggregation_item *fold_notifications(struct arena *arena, const struct outgoing *d)
{
        struct aggregation_item *items = ARENA_ARRAY(arena, struct aggregation_item, d->n_shown);

        for (size_t i = 0; i < d->n_shown; i++) {
                size_t actor = 0;

                while (strcmp(d->shown[actor]->actors[0]->id, d->shown[i]->actors[0]->id) != 0) {
                        actor++;
                }
                (void)type_find(d->shown[i]->type, &items[i].type); /* cannot fail: checked when it was claimed */
                items[i].actor = (int64_t)actor;
        }
        aggregation_fold(d->rules->aggregation, items, d->n_shown);
        return items;
}

static struct template_text sentence_of(const struct outgoing *d, const Notification__Notification *n)
{
        return templates_choose(d->templates, n->type, CHANNEL_EMAIL, d->rules->language);
}

/* The line for one notification. Mail is not confidential, so messages are not quoted. */
static char *line_of_one(struct arena *arena, const struct outgoing *d, const Notification__Notification *n)
{
        const char *said = n->chat == NULL ? words_beginning(arena, d->rules, n, SAID_OF_A_NOTE) : NULL;

        return arena_printf(arena, said != NULL ? "%s: %s" : "%s", headline_of(arena, sentence_of(d, n).source, n),
                            said);
}

/* The line for several notifications. */
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
        const struct aggregation_item *items = fold_notifications(arena, d);
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

static struct template_text layout_of(const struct outgoing *d)
{
        return templates_choose(d->templates, d->n_shown > 1 ? TEMPLATE_DIGEST : TEMPLATE_SINGLE, CHANNEL_EMAIL,
                                d->rules->language);
}

char *mails_labels(struct arena *arena, const struct outgoing *d, const Notification__Notification *n)
{
        struct template_text layout = layout_of(d), sentence = sentence_of(d, n);

        return arena_printf(arena, "%s %s", template_label(arena, &layout), template_label(arena, &sentence));
}

sn_status mails_write(struct db_tx *tx, const struct outgoing *d, const char *to, const char *name)
{
        struct arena *arena = db_arena(tx);
        struct template_text layout = layout_of(d);
        const char *token = unsubscribe_token(arena, d->user_id);
        const char *page = mail_page(arena, arena_printf(arena, "/unsubscribe#%s", token));
        char *headline = headline_of(arena, sentence_of(d, d->shown[0]).source, d->shown[0]);

        return mail_enqueue(
            tx, &(struct mail){.template = template_of(arena, &layout),
                               .to = to,
                               .language = layout.language,
                               .owner_id = d->user_id,
                               .key = d->rows[0]->id,
                               .unsubscribe_url = unsubscribe_url(arena, d->user_id),
                               MAIL_VALUES(mail_text("name", name), mail_text("network", mail_network()),
                                           mail_text("headline", headline), mail_list("items", points_of(arena, d)),
                                           mail_link("link", mail_page(arena, "/")), mail_link("unsubscribe", page),
                                           mail_number("count", (int64_t)d->n_shown))});
}

/* ---- Samples ---- */

enum { N_VALUES = 7 };

static void sample_values(struct arena *arena, const char *headline, struct mail_value values[N_VALUES])
{
        const char *items = arena_printf(arena, "%s: How the note begins, <b>as it is</b>\n%s", headline, headline);

        values[0] = mail_text("name", "ada");
        values[1] = mail_text("network", mail_network());
        values[2] = mail_text("headline", headline);
        values[3] = mail_list("items", items);
        values[4] = mail_link("link", mail_page(arena, "/"));
        values[5] = mail_link("unsubscribe", mail_page(arena, "/unsubscribe"));
        values[6] = mail_number("count", 2);
}

bool mails_render_sample(struct arena *arena, const struct template_text *text, const char *headline,
                         struct mail_rendered *out, struct buf *error)
{
        struct mail_value values[N_VALUES];

        sample_values(arena, headline, values);
        return mail_render(arena, template_of(arena, text), text->language, values, N_VALUES, out, error);
}

bool mails_check(struct arena *arena, const char *type, const char *source, struct buf *error)
{
        struct template_text text = {.type = type, .channel = CHANNEL_EMAIL, .language = "en", .source = source};
        struct mail_rendered rendered;

        if (strstr(source, "{unsubscribe}") == NULL) {
                buf_append_c(error, "must contain {unsubscribe}, so that recipients can unsubscribe");
                return false;
        }
        return mails_render_sample(arena, &text, "Ada likes your note", &rendered, error);
}

sn_status mails_write_sample(struct db_tx *tx, const struct template_text *text, const char *headline, const char *to)
{
        struct mail_value values[N_VALUES];

        sample_values(db_arena(tx), headline, values);
        return mail_enqueue(tx, &(struct mail){.template = template_of(db_arena(tx), text),
                                               .to = to,
                                               .language = text->language,
                                               .owner_id = NOBODY,
                                               .values = values,
                                               .n_values = N_VALUES});
}
