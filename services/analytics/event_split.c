/* Finds the elements of {"events": […]} without parsing them: each is then parsed by itself, so that a malformed or
 * enormous one does not affect the others, and memory is bounded by one event, not by the request. */
#include "services/analytics/events.h"

#include <string.h>

struct text {
        const char *at, *end;
};

static void skip_space(struct text *t)
{
        while (t->at < t->end && strchr(" \t\r\n", *t->at) != NULL && *t->at != '\0') {
                t->at++;
        }
}

static bool skip_char(struct text *t, char c)
{
        skip_space(t);
        if (t->at < t->end && *t->at == c) {
                t->at++;
                return true;
        }
        return false;
}

/* Skips to after the closing quote; the opening one was skipped already. */
static bool skip_string(struct text *t)
{
        for (; t->at < t->end; t->at++) {
                if (*t->at == '"') {
                        t->at++;
                        return true;
                }
                t->at += *t->at == '\\' ? 1 : 0;
        }
        return false;
}

/* Skips to the comma or bracket that ends the element. */
static bool skip_element(struct text *t)
{
        for (size_t depth = 0; t->at < t->end;) {
                char c = *t->at;

                if (depth == 0 && (c == ',' || c == ']')) {
                        return true;
                }
                depth += c == '{' || c == '[' ? 1 : 0;
                if (c == '}' || c == ']') {
                        if (depth == 0) {
                                return false;
                        }
                        depth--;
                }
                t->at++;
                if (c == '"' && !skip_string(t)) {
                        return false;
                }
        }
        return false;
}

static sn_status fail_form(struct rpc_call *c)
{
        return rpc_fail(c, SN_INVALID_ARGUMENT, "events", "the body must be {\"events\": [{…}, …]}");
}

sn_status event_split(struct rpc_call *c, struct str text, struct str *items, size_t max, size_t *n)
{
        struct text t = {text.ptr, text.ptr + text.len};
        static const char member[] = "\"events\"";

        *n = 0;
        if (!skip_char(&t, '{')) {
                return fail_form(c);
        }
        skip_space(&t);
        if ((size_t)(t.end - t.at) < sizeof(member) || memcmp(t.at, member, sizeof(member) - 1) != 0) {
                return fail_form(c);
        }
        t.at += sizeof(member) - 1;
        if (!skip_char(&t, ':') || !skip_char(&t, '[')) {
                return fail_form(c);
        }
        for (bool more = !skip_char(&t, ']'); more; more = !skip_char(&t, ']')) {
                if (*n == max) {
                        return rpc_fail(c, SN_INVALID_ARGUMENT, "events", "has more than %zu events", max);
                }
                if (*n > 0 && !skip_char(&t, ',')) {
                        return fail_form(c);
                }
                skip_space(&t);
                items[*n].ptr = t.at;
                if (!skip_element(&t)) {
                        return fail_form(c);
                }
                items[*n].len = (size_t)(t.at - items[*n].ptr);
                if (items[*n].len == 0) {
                        return fail_form(c);
                }
                (*n)++;
        }
        if (!skip_char(&t, '}')) {
                return fail_form(c);
        }
        skip_space(&t);
        return t.at == t.end ? SN_OK : fail_form(c);
}
