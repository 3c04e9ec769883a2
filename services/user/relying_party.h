/* This network's identity for browsers and apps: the origin of PUBLIC_URL and its host (WebAuthn, 4: relying party).
 * Without PUBLIC_URL it is localhost, on any port, which browsers trust without TLS. */
#ifndef SERVICES_USER_RELYING_PARTY_H
#define SERVICES_USER_RELYING_PARTY_H

#include <stdbool.h>
#include "base/status.h"

/* At start, before any request. */
void relying_party_start(const char *public_url);
/* The host, as apps show it: "social.example.org", "SoNet" for localhost. */
const char *relying_party_name(void);
/* The host: the RP ID of passkeys. */
const char *relying_party_id(void);
/* Whether a page of this origin may use its passkeys. */
bool relying_party_has_origin(const char *origin);

#endif
