/* The address of the client: the peer of the connection, or the client that a trusted proxy names (TRUSTED_PROXIES). */
#ifndef RPC_CLIENT_ADDRESS_H
#define RPC_CLIENT_ADDRESS_H

#include "base/arena.h"
#include "base/settings.h"
#include "base/str.h"

/* Applies TRUSTED_PROXIES, which settings_check has validated. Call it at start, before any request. */
void rpc_trust_proxies(const struct settings *settings);

/* Whether the address is that of a trusted proxy. */
bool rpc_is_trusted_proxy(const char *peer);

/* The canonical address of the client behind `peer` (an address without port; anything else is returned unchanged).
 *
 * Header fields count only if the peer is trusted: Forwarded (RFC 7239) and X-Forwarded-For, several fields of one
 * name joined by commas in order. Each lists the path from the client to the peer, and each entry was written by the
 * hop to its right. So they are read from the right, skipping trusted addresses; the first other address is the
 * client. Anything further left could be forged. An entry without an address ("unknown", "_hidden", garbage) ends
 * the search at the proxy that wrote it; if all are trusted, the leftmost counts.
 *
 * A proxy sets one of the two fields and often passes the other one through from the client. So if both are present
 * and disagree, or one is malformed, neither is trusted and the peer counts as the client. */
const char *rpc_client_address(struct arena *arena, const char *peer, struct str forwarded, struct str x_forwarded_for);

#endif
