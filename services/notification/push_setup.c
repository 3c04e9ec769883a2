/* Owns the settings of pushes. */
#include "services/notification/push.h"

#include <stdio.h>
#include <string.h>
#include "mail/mail.h"

static struct push_options options;
static char contact[300];

const struct push_options *push_settings(void)
{
        return &options;
}

/* The contact for operators of push services is our public URL or, without https, a local mail address. */
void push_setup(const struct settings *settings)
{
        struct str bad;
        bool https = strncmp(settings->public_url, "https://", 8) == 0;

        (void)snprintf(contact, sizeof(contact), "%s", https ? settings->public_url : "mailto:postmaster@localhost");
        options = (struct push_options){.contact = contact, .at_once = PUSH_AT_ONCE, .timeout_ms = PUSH_TIMEOUT_MS};
        (void)networks_parse(settings->push_networks, &options.also,
                             &bad); /* cannot fail: settings_check has parsed it */
}
