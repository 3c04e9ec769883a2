/* The list of trusted proxies, and parsing of Forwarded and X-Forwarded-For. */
#include "rpc/client_address.h"

#include <ctype.h>
#include <string.h>

#include "base/address.h"

static struct networks proxies;

void rpc_trust_proxies(const struct settings *settings)
{
        struct str bad;
        if (!networks_parse(settings->trusted_proxies, &proxies, &bad)) {
                proxies.n = 0;
        }
}

/* ---- Walking the entries, from the left ---- */

/* Entries are parsed from the left, so that quotes need handling in one direction only; the result is the same as
 * reading from the right up to the first untrusted entry. */
struct way {
        bool known; /* a client is known, with only trusted proxies after it */
        uint8_t client[ADDRESS_BYTES];
};

static void step_to(struct way *way, const uint8_t *address)
{
        if (address == NULL) {
                way->known = false;
        } else if (!way->known || !networks_contain(&proxies, address)) {
                memcpy(way->client, address, ADDRESS_BYTES);
                way->known = true;
        }
}

/* Skips the port of a node (RFC 7239, 6.2), including its colon, if there is one. */
static bool is_port(struct str s)
{
        if (s.len == 0) {
                return true;
        }
        for (size_t i = 1; i < s.len; i++) {
                if (!isalnum((unsigned char)s.ptr[i]) && strchr("._-", s.ptr[i]) == NULL) {
                        return false;
                }
        }
        return s.ptr[0] == ':' && s.len > 1;
}

/* "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80". NULL for anything else. */
static const uint8_t *parse_node(struct str node, uint8_t out[ADDRESS_BYTES])
{
        struct str address = node, rest = node;
        bool bracket = node.len > 0 && node.ptr[0] == '[';
        if (bracket) {
                rest.ptr++;
                rest.len--;
                if (memchr(rest.ptr, ']', rest.len) == NULL || !str_next(&rest, ']', &address)) {
                        return NULL;
                }
        } else if (!str_next(&rest, ':', &address)) {
                return NULL;
        } else if (address.len < node.len) { /* the colon belongs to the port */
                rest = (struct str){rest.ptr - 1, rest.len + 1};
        }
        bool is_six = memchr(address.ptr, ':', address.len) != NULL;
        return is_six == bracket && is_port(rest) && address_parse(address, out) ? out : NULL;
}

/* ---- X-Forwarded-For: addresses separated by commas; IPv6 with brackets or without ---- */

static void walk_x_forwarded_for(struct str list, struct way *way)
{
        uint8_t address[ADDRESS_BYTES];
        struct str entry;
        while (str_next(&list, ',', &entry)) {
                entry = str_trim(entry);
                if (entry.len > 0) {
                        step_to(way, address_parse(entry, address) ? address : parse_node(entry, address));
                }
        }
}

/* ---- Forwarded (RFC 7239, 4): for=192.0.2.60;proto=http, for="[2001:db8::1]:4711" ---- */

static void skip_blanks(struct str *s)
{
        while (s->len > 0 && (s->ptr[0] == ' ' || s->ptr[0] == '\t')) {
                s->ptr++;
                s->len--;
        }
}

static bool skip_char(struct str *s, char c)
{
        if (s->len == 0 || s->ptr[0] != c) {
                return false;
        }
        s->ptr++;
        s->len--;
        return true;
}

/* RFC 9110, 5.6.2; unquoted values may also contain the characters of nodes. */
static bool take_token(struct str *s, const char *beside, struct str *out)
{
        size_t n = 0;
        while (n < s->len && s->ptr[n] != '\0' &&
               (isalnum((unsigned char)s->ptr[n]) || strchr("!#$%&'*+-.^_`|~", s->ptr[n]) != NULL ||
                strchr(beside, s->ptr[n]) != NULL)) {
                n++;
        }
        *out = (struct str){s->ptr, n};
        *s = (struct str){s->ptr + n, s->len - n};
        return n > 0;
}

/* A quoted string; one with an escape is not an address, and yields an empty one. */
static bool take_quoted(struct str *s, struct str *out)
{
        bool escaped = false;
        size_t n = 1;
        while (n < s->len && s->ptr[n] != '"') {
                escaped = escaped || s->ptr[n] == '\\';
                n += s->ptr[n] == '\\' ? 2 : 1;
        }
        if (n >= s->len) {
                return false;
        }
        *out = (struct str){s->ptr + 1, escaped ? 0 : n - 1};
        *s = (struct str){s->ptr + n + 1, s->len - n - 1};
        return true;
}

/* One element: pairs separated by semicolons. *node: the value of "for", empty if there is none; NULL if there are
 * no pairs. */
static bool take_element(struct str *s, struct str *node)
{
        *node = (struct str){NULL, 0};
        do {
                struct str name, value;
                skip_blanks(s);
                if (s->len == 0 || s->ptr[0] == ';' || s->ptr[0] == ',') {
                        continue;
                }
                if (!take_token(s, "", &name) || !skip_char(s, '=') ||
                    !(s->len > 0 && s->ptr[0] == '"' ? take_quoted(s, &value) : take_token(s, ":[]", &value))) {
                        return false;
                }
                bool is_for = str_equal_nocase(name, STR("for"));
                if (is_for && node->len > 0) {
                        return false;
                }
                if (is_for || node->ptr == NULL) {
                        *node = is_for ? value : STR("");
                }
                skip_blanks(s);
        } while (skip_char(s, ';'));
        return s->len == 0 || s->ptr[0] == ',';
}

static void walk_forwarded(struct str list, struct way *way)
{
        uint8_t address[ADDRESS_BYTES];
        struct str node;
        do {
                if (!take_element(&list, &node)) {
                        way->known = false;
                        return;
                }
                if (node.ptr != NULL) {
                        step_to(way, parse_node(node, address));
                }
        } while (skip_char(&list, ','));
}

/* ---- Both ---- */

bool rpc_is_trusted_proxy(const char *peer)
{
        uint8_t address[ADDRESS_BYTES];
        return address_parse(str_of(peer), address) && networks_contain(&proxies, address);
}

const char *rpc_client_address(struct arena *arena, const char *peer, struct str forwarded, struct str x_forwarded_for)
{
        struct way by_forwarded = {0}, by_x = {0};
        uint8_t address[ADDRESS_BYTES];
        if (!address_parse(str_of(peer), address)) {
                return arena_strdup(arena, peer);
        }
        if (networks_contain(&proxies, address)) {
                if (forwarded.len > 0) {
                        walk_forwarded(forwarded, &by_forwarded);
                }
                walk_x_forwarded_for(x_forwarded_for, &by_x);
        }
        const struct way *way = by_forwarded.known ? &by_forwarded : &by_x;
        bool agree = forwarded.len == 0 || x_forwarded_for.len == 0 ||
                     (by_forwarded.known && by_x.known && memcmp(by_forwarded.client, by_x.client, ADDRESS_BYTES) == 0);
        if (way->known && agree) {
                memcpy(address, way->client, ADDRESS_BYTES);
        }
        return address_write(address, arena_alloc(arena, ADDRESS_TEXT_SIZE));
}
