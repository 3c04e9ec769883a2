/* Defines user_service. */
#include "services/user/user.h"

#include "auth/token.h"
#include "mail/mail.h"
#include "services/user/deactivation.h"
#include "services/user/authors.h"
#include "services/user/exports.h"
#include "services/user/password_rules.h"
#include "services/user/pictures.h"
#include "services/user/registration.h"
#include "services/user/relying_party.h"
#include "services/user/session.h"

static sn_status start_user_service(struct service *service, const struct settings *settings)
{
        TRY(token_signer_setup());
        relying_party_start(settings->public_url);
        registration_start(settings);
        password_rules_start(mail_network(), relying_party_name());
        session_start(settings);
        erase_start(settings);
        exports_start(settings);
        pictures_start(settings->public_url);
        TRY(authors_start((size_t)settings->user_cache_bytes));
        return session_load_ended(service);
}

static void stop_user_service(struct service *service)
{
        authors_stop();
}

sn_status user_handle_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                  Sonet__Events__ReadOutboxResponse *out)
{
        return bus_read_outbox(c, in, out);
}

sn_status user_handle_read_export(struct rpc_call *c, const Sonet__Export__ReadExportRequest *in,
                                  Sonet__Export__ReadExportResponse *out)
{
        return export_answer(c, in, out);
}

const struct service_definition user_service = {
    .name = "user",
    .contract = &user_contract,
    .handlers = &user_handlers,
    .schema = &user_schema,
    .consumers = user_consumers,
    .jobs = user_jobs,
    .exports = user_exports,
    .emits = true,
    .mails = true,
    .single = true,
    .start = start_user_service,
    .stop = stop_user_service,
};
