/* Owns mail notifications to account owners, and the list of the service's mails. */
#include "services/user/mails.h"

#include "services/user/settings.h"
#include "services/user/store.h"
#include "services/user/store_email.h"
#include "services/user/user.h"

enum { MOST_A_DAY = 20, DAY_S = 86400 };

/* Generated from mails/. */
extern const struct mail_language user_mail_verify_email[], user_mail_reset_password[], user_mail_address_in_use[],
    user_mail_account_declined[], user_mail_account_created[], user_mail_export_ready[], user_mail_invite[];
#define OWNER_EVENT(name, template) extern const struct mail_language user_mail_##template[];
OWNER_EVENTS(OWNER_EVENT)
#undef OWNER_EVENT

static const struct mail_variable verify_variables[] = {{"name", MAIL_TEXT},      {"network", MAIL_TEXT},
                                                        {"code", MAIL_CODE},      {"link", MAIL_LINK},
                                                        {"minutes", MAIL_NUMBER}, {0}};
static const struct mail_variable reset_variables[] = {
    {"name", MAIL_TEXT}, {"network", MAIL_TEXT}, {"link", MAIL_LINK}, {"minutes", MAIL_NUMBER}, {0}};
static const struct mail_variable in_use_variables[] = {
    {"name", MAIL_TEXT}, {"network", MAIL_TEXT}, {"link", MAIL_LINK}, {0}};
static const struct mail_variable declined_variables[] = {{"name", MAIL_TEXT}, {"network", MAIL_TEXT}, {0}};
static const struct mail_variable created_variables[] = {
    {"name", MAIL_TEXT}, {"network", MAIL_TEXT}, {"link", MAIL_LINK}, {"hours", MAIL_NUMBER}, {0}};
static const struct mail_variable days_variables[] = {
    {"name", MAIL_TEXT}, {"network", MAIL_TEXT}, {"link", MAIL_LINK}, {"days", MAIL_NUMBER}, {0}};
static const struct mail_variable owner_variables[] = {{"name", MAIL_TEXT},
                                                       {"network", MAIL_TEXT},
                                                       {"when", MAIL_TIME},
                                                       {"address", MAIL_TEXT},
                                                       {"device", MAIL_TEXT},
                                                       {"link", MAIL_LINK},
                                                       {0}};

const struct mail_template mail_verify_email = {"verify_email", verify_variables, user_mail_verify_email};
const struct mail_template mail_reset_password = {"reset_password", reset_variables, user_mail_reset_password};
const struct mail_template mail_address_in_use = {"address_in_use", in_use_variables, user_mail_address_in_use};
const struct mail_template mail_account_declined = {"account_declined", declined_variables, user_mail_account_declined};
const struct mail_template mail_account_created = {"account_created", created_variables, user_mail_account_created};
const struct mail_template mail_export_ready = {"export_ready", days_variables, user_mail_export_ready};
const struct mail_template mail_invite = {"invite", days_variables, user_mail_invite};
const struct mail_template mail_of_owner_event[OWNER_EVENT_COUNT] = {
#define OWNER_EVENT(name, template) [OWNER_##name] = {#template, owner_variables, user_mail_##template},
    OWNER_EVENTS(OWNER_EVENT)
#undef OWNER_EVENT
};

static const char *const event_types[OWNER_EVENT_COUNT] = {
#define OWNER_EVENT(name, template) [OWNER_##name] = EVENT_SECURITY(#template),
    OWNER_EVENTS(OWNER_EVENT)
#undef OWNER_EVENT
};

sn_status mail_recipient_of(struct db_tx *tx, const char *user_id, struct mail_recipient *out)
{
        User__User user = USER__USER__INIT;
        User__Settings settings = USER__SETTINGS__INIT;

        TRY(store_user(tx, user_id, &user));
        TRY(settings_read(tx, user_id, &settings));
        *out = (struct mail_recipient){user.email, user.username, settings.language};
        return SN_OK;
}

static const char *or_unknown(const char *text)
{
        return text != NULL && text[0] != '\0' ? text : "?";
}

/* An unverified address may be a stranger's, whose mailbox many accounts together could fill. A verified one counts
 * for its member only, so that others cannot suppress warnings to them. */
static sn_status count_told(struct db_tx *tx, const char *user_id, const struct mail_template *template, int64_t *n)
{
        User__EmailStatus address = USER__EMAIL_STATUS__INIT;
        int64_t wait_s = 0;

        TRY(store_email_status(tx, user_id, &address));
        return address.verified_at != NULL ? mail_count(tx, user_id, template, DAY_S, n, &wait_s)
                                           : mail_count_to(tx, address.email, template, DAY_S, n);
}

sn_status notify_owner(struct db_tx *tx, const char *user_id, enum owner_event event)
{
        const struct rpc_call *c = db_call(tx);
        const struct mail_template *template = &mail_of_owner_event[event];
        struct mail_recipient owner;
        int64_t n = 0;

        TRY(outbox_put(
            tx, &(struct outbox_event){.type = event_types[event], .aggregate_id = user_id, .actor_id = user_id}));
        TRY(count_told(tx, user_id, template, &n));
        if (n >= MOST_A_DAY) {
                return SN_OK;
        }
        TRY(mail_recipient_of(tx, user_id, &owner));
        return mail_enqueue(
            tx, &(struct mail){.template = template,
                               .to = owner.email,
                               .language = owner.language,
                               .owner_id = user_id,
                               MAIL_VALUES(mail_text("name", owner.username), mail_text("network", mail_network()),
                                           mail_time("when", c->now_ms),
                                           mail_text("address", or_unknown(c->client_address)),
                                           mail_text("device", or_unknown(c->user_agent)),
                                           mail_link("link", mail_page(c->arena, "/reset-password")))});
}
