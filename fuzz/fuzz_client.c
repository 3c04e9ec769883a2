/* What clients claim about themselves: for all inputs, a client cannot forge the address that a trusted proxy reports,
 * and user agents become valid text. The input is the header that a client sent, before its proxy appended to it. */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/status.h"
#include "base/text.h"
#include "fuzz/must.h"
#include "rpc/client_address.h"

#define PROXY  "127.0.0.1"
#define CLIENT "203.0.113.7"

static void is_from(struct arena *arena, const char *forwarded, const char *x_forwarded_for, bool proxy_will_do)
{
        const char *found = rpc_client_address(arena, PROXY, str_of(forwarded), str_of(x_forwarded_for));
        MUST(strcmp(found, CLIENT) == 0 || (proxy_will_do && strcmp(found, PROXY) == 0));
}

/* A malformed header may attribute the request to the proxy, never to another address. */
static void proxy_appends(struct arena *arena, const char *sent)
{
        is_from(arena, NULL, arena_printf(arena, "%s, " CLIENT, sent), false);
        is_from(arena, NULL, arena_printf(arena, "%s," CLIENT ", 10.0.0.1", sent), false);
        is_from(arena, arena_printf(arena, "%s, for=" CLIENT, sent), NULL, true);
        is_from(arena, arena_printf(arena, "%s,for=\"" CLIENT ":80\";by=\"[2001:db8::1]\", for=10.0.0.1", sent), NULL,
                true);
        is_from(arena, sent, CLIENT, true); /* the proxy passes the other header through */
        is_from(arena, "for=" CLIENT, sent, true);
}

static void alone(struct arena *arena, struct str sent)
{
        uint8_t address[ADDRESS_BYTES];
        MUST(strcmp(rpc_client_address(arena, "192.0.2.1", sent, sent), "192.0.2.1") == 0);
        MUST(address_parse(str_of(rpc_client_address(arena, PROXY, sent, STR(""))), address));
        MUST(address_parse(str_of(rpc_client_address(arena, PROXY, STR(""), sent)), address));
        (void)rpc_client_address(arena, str_dup(arena, sent), sent, sent);
}

static void agent(struct arena *arena, struct str sent)
{
        char *text = text_clean(arena, sent, 256);
        MUST(strlen(text) <= 256 && utf8_valid(text, strlen(text)) && text_is_one_line(text));
        MUST(strcmp(text_clean(arena, str_of(text), 256), text) == 0);
        struct str trimmed = text_trim(str_of(text));
        MUST(trimmed.len <= strlen(text) && utf8_valid(trimmed.ptr, trimmed.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
        static const struct settings settings = {.trusted_proxies = "127.0.0.1, 10.0.0.0/8"};
        CLEANUP(arena_free_p) struct arena *arena = arena_new(4 << 20);
        struct networks networks;
        struct str bad;
        rpc_trust_proxies(&settings);
        char *sent = arena_strndup(arena, (const char *)data, len);
        proxy_appends(arena, sent);
        alone(arena, str_of(sent));
        agent(arena, (struct str){(const char *)data, len});
        (void)networks_parse(sent, &networks, &bad);
        return 0;
}
