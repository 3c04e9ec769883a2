/* Where a request came from: the connection's other end, or whom a trusted proxy there names (TRUSTED_PROXIES). */
#ifndef RPC_CLIENT_ADDRESS_H
#define RPC_CLIENT_ADDRESS_H

#include "base/arena.h"
#include "base/settings.h"
#include "base/str.h"

/* Takes over TRUSTED_PROXIES, which settings_check has passed. At start, before any request. */
void rpc_trust_proxies(const struct settings *settings);

/* Whether such an address is a proxy's whose word counts. */
bool rpc_is_trusted_proxy(const char *peer);

/* The canonical address of the client behind `peer` (an address without port; anything else is returned as it is).
 *
 * Only of a trusted peer the header fields count: Forwarded (RFC 7239) and X-Forwarded-For, several of one name joined
 * by commas in their order. Each lists the way from the client to the peer, and each entry is the word of whoever
 * stands right of it. So they are read from the right, past trusted addresses, to the first that is not: that is the
 * client. What stands further left anybody may have written. An entry without an address ("unknown", "_hidden", none of
 * an address) ends the way at the proxy that wrote it; all trusted: the leftmost.
 *
 * A proxy sets one of the two fields and often passes the other one through from the client. So when both are there and
 * do not agree, neither is believed, and the peer stands for the client; so it does when a field breaks its grammar. */
const char *rpc_client_address(struct arena *arena, const char *peer, struct str forwarded, struct str x_forwarded_for);

#endif
