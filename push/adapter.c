/* Owns adapters: their descriptions, building requests, and interpreting responses. */
#include "push/adapter.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/settings.h"
#include "push/adapter_parts.h"

enum {
        URL_MAX_BYTES = 16384,
        HEADER_MAX_BYTES = 16384,
        BODY_MAX_BYTES = 262144,
        CODE_SIZE = 64,
        REASON_FIELD_MAX = 60
};

/* Generated from shapes/. */
extern const char push_shape_twilio[], push_shape_fcm[], push_shape_apns[];

static const struct {
        const char *name, *json;
} shapes[] = {{"twilio", push_shape_twilio}, {"fcm", push_shape_fcm}, {"apns", push_shape_apns}};

struct push_adapter {
        json_t *described; /* owns all strings */
        json_t *values, *headers, *answers;
        char name[ADAPTER_NAME_SIZE];
        const char *url, *body, *basic, *type, *ca, *reason;
        enum adapter_place place; /* decides how values in the body are escaped */
        struct adapter_token token;
};

/* ---- Descriptions ---- */

static bool fail_description(struct buf *error, const char *path, const char *what)
{
        buf_printf(error, "%s %s", path, what);
        return false;
}

/* Fills in from the shape what the file does not specify. */
static bool add_shape(json_t *described, const char *path, struct buf *error)
{
        const char *name = json_string_value(json_object_get(described, "shape"));

        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
                if (name != NULL && strcmp(shapes[i].name, name) == 0) {
                        json_t *shape = json_loads(shapes[i].json, 0, NULL);
                        int failed = json_object_update_missing(described, shape);

                        json_decref(shape);
                        return failed == 0;
                }
        }
        return name == NULL || fail_description(error, path, "has an unknown \"shape\"; use twilio, fcm or apns");
}

static bool is_name(const char *name)
{
        return name != NULL && name[0] != '\0' && strlen(name) < ADAPTER_NAME_SIZE &&
               strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);
}

static bool are_values_there(const struct push_adapter *a, const char *path, struct buf *error)
{
        json_t *needs = json_object_get(a->described, "needs");

        for (size_t i = 0; i < json_array_size(needs); i++) {
                const char *name = json_string_value(json_array_get(needs, i));

                if (name != NULL && !json_is_string(json_object_get(a->values, name))) {
                        buf_printf(error, "%s lacks \"%s\" among its values", path, name);
                        return false;
                }
        }
        return true;
}

/* Secrets are never sent unencrypted over a network. */
static bool is_url_safe(const char *text)
{
        CURLU *url = curl_url();
        char *host = NULL;
        bool safe = strncmp(text, "https://", 8) == 0;

        if (url != NULL && !safe && strncmp(text, "http://", 7) == 0 &&
            curl_url_set(url, CURLUPART_URL, text, CURLU_URLENCODE) == CURLUE_OK &&
            curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
                safe = settings_is_loopback(host);
        }
        curl_free(host);
        curl_url_cleanup(url);
        return safe;
}

static enum adapter_place place_of(const char *type)
{
        return strncmp(type, "application/json", 16) == 0                    ? PLACE_JSON
               : strncmp(type, "application/x-www-form-urlencoded", 33) == 0 ? PLACE_FORM
                                                                             : PLACE_PLAIN;
}

static const char *text_member(const struct push_adapter *a, const char *name)
{
        return json_string_value(json_object_get(a->described, name));
}

static bool take_parts(struct push_adapter *a, const char *path, struct buf *error)
{
        a->values = json_object_get(a->described, "values");
        a->headers = json_object_get(a->described, "headers");
        a->answers = json_object_get(a->described, "answers");
        a->url = text_member(a, "url");
        a->body = text_member(a, "body");
        a->basic = text_member(a, "basic");
        a->type = text_member(a, "type");
        a->ca = text_member(a, "ca");
        a->reason = text_member(a, "reason");
        if (!is_name(text_member(a, "name"))) {
                return fail_description(error, path, "needs a \"name\" of at most 32 characters a-z, 0-9, _ and -");
        }
        (void)snprintf(a->name, sizeof(a->name), "%s", text_member(a, "name"));
        if (a->url == NULL || a->body == NULL || a->type == NULL) {
                return fail_description(error, path, "needs \"url\", \"type\" and \"body\", or a \"shape\"");
        }
        if (!is_url_safe(a->url)) {
                return fail_description(error, path, "has a \"url\" that is neither https nor on loopback");
        }
        a->place = place_of(a->type);
        return true;
}

static bool read_described(struct push_adapter *a, const char *path, struct buf *error)
{
        json_error_t problem;

        FILE *file = fopen(path, "re");

        if (file == NULL) {
                buf_printf(error, "cannot open %s, which describes a provider: %s", path, strerror(errno));
                return false;
        }
        a->described = json_loadf(file, JSON_REJECT_DUPLICATES, &problem);
        fclose(file);
        if (a->described == NULL) { /* the error must not repeat its text, which contains secrets */
                buf_printf(
                    error,
                    "%s must hold the description of a provider in JSON, but it is invalid at line %d, column %d", path,
                    problem.line, problem.column);
                return false;
        }
        if (!json_is_object(a->described)) {
                return fail_description(error, path, "must hold the description of a provider, a JSON object");
        }
        if (json_object_get(a->described, "values") == NULL) {
                (void)json_object_set_new(a->described, "values", json_object());
        }
        return add_shape(a->described, path, error) && take_parts(a, path, error) &&
               adapter_token_read(&a->token, a->described, a->values, error) && are_values_there(a, path, error) &&
               adapter_check(a->described, a->token.key != NULL, a->place, path, error) &&
               (a->token.token_url == NULL || is_url_safe(a->token.token_url) ||
                fail_description(error, path,
                                 "has a service account whose token_uri is neither https nor on loopback"));
}

struct push_adapter *push_adapter_read(const char *path, struct buf *error)
{
        struct push_adapter *a = calloc(1, sizeof(*a));

        if (a == NULL) {
                abort();
        }
        if (!read_described(a, path, error)) {
                push_adapter_free(a);
                return NULL;
        }
        return a;
}

void push_adapter_free(struct push_adapter *a)
{
        if (a != NULL) {
                adapter_token_free(&a->token);
                json_decref(a->described);
                free(a);
        }
}

const char *push_adapter_name(const struct push_adapter *a)
{
        return a->name;
}

/* ---- Responses ---- */

static bool rule_matches(json_t *rule, int status, json_t *answer)
{
        json_t *wanted = json_object_get(rule, "status");
        const char *field = json_string_value(json_object_get(rule, "field"));
        const char *is = json_string_value(json_object_get(rule, "is"));
        char text[CODE_SIZE];

        if (wanted != NULL && json_integer_value(wanted) != status) {
                return false;
        }
        return field == NULL ||
               (is != NULL && adapter_field(answer, field, text, sizeof(text)) && strcmp(text, is) == 0);
}

/* A rejected credential or address (401, 403) is the operator's to fix, so the message is retried. */
static enum push_outcome usual_meaning(int status)
{
        if (status >= 200 && status < 300) {
                return PUSH_SENT;
        }
        if (status == 404 || status == 410) {
                return PUSH_GONE;
        }
        return status == 401 || status == 403 || status == 408 || status == 425 || status == 429 || status >= 500
                   ? PUSH_LATER
                   : PUSH_REFUSED;
}

static enum push_outcome meaning_of(struct push_adapter *a, int status, json_t *answer)
{
        static const char *const words[] = {"sent", "gone", "refused", "later"};

        for (size_t i = 0; i < json_array_size(a->answers); i++) {
                json_t *rule = json_array_get(a->answers, i);
                const char *means = json_string_value(json_object_get(rule, "means"));

                if (means == NULL || !rule_matches(rule, status, answer)) {
                        continue;
                }
                if (strcmp(means, "renew") == 0) {
                        adapter_token_drop(&a->token);
                        return PUSH_LATER;
                }
                for (int k = PUSH_SENT; k <= PUSH_LATER; k++) {
                        if (strcmp(words[k], means) == 0) {
                                return (enum push_outcome)k;
                        }
                }
        }
        return usual_meaning(status);
}

/* Appends the provider's error code if it looks like one. Nothing else of a response is logged. */
static void add_reason(const struct push_adapter *a, json_t *answer, struct push_result *out)
{
        char code[REASON_FIELD_MAX];
        size_t len = strlen(out->reason);

        if (a->reason != NULL && adapter_field(answer, a->reason, code, sizeof(code)) &&
            strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == strlen(code)) {
                (void)snprintf(out->reason + len, sizeof(out->reason) - len, " %s", code);
        }
}

static void interpret_response(void *context, struct str text, struct push_result *out)
{
        struct push_adapter *a = context;
        json_t *answer = json_loadb(text.ptr != NULL ? text.ptr : "", text.len, 0, NULL);

        out->outcome = meaning_of(a, out->status, answer);
        if (out->outcome != PUSH_SENT) {
                add_reason(a, answer, out);
        }
        json_decref(answer);
}

/* ---- Requests ---- */

struct filling {
        const struct push_adapter *adapter;
        const struct adapter_message *message;
        char ttl[24], expires[24];
};

static const char *look_up(const void *context, struct str name)
{
        const struct filling *f = context;
        const struct adapter_message *m = f->message;
        const struct {
                const char *name, *value;
        } known[] = {{"to", m->to},     {"title", m->title},       {"text", m->text},
                     {"id", m->id},     {"type", m->type},         {"key", m->key},
                     {"ttl_s", f->ttl}, {"expires_s", f->expires}, {"bearer", f->adapter->token.bearer}};
        char key[CODE_SIZE];

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                if (str_equal_c(name, known[i].name)) {
                        return known[i].value;
                }
        }
        if (name.len >= sizeof(key)) {
                return NULL;
        }
        memcpy(key, name.ptr, name.len);
        key[name.len] = '\0';
        return json_string_value(json_object_get(f->adapter->values, key));
}

static bool add_filled(struct curl_slist **headers, const char *name, const char *source, const struct filling *f)
{
        CLEANUP(buf_free) struct buf line;

        buf_init(&line, HEADER_MAX_BYTES);
        buf_printf(&line, "%s: ", name);
        return adapter_write(&line, source, PLACE_HEADER, look_up, f) && push_add_header(headers, line.data);
}

/* RFC 7617. */
static bool add_basic(struct curl_slist **headers, const struct filling *f)
{
        CLEANUP(buf_free) struct buf plain;
        char coded[1024];

        buf_init(&plain, 700);
        if (!adapter_write(&plain, f->adapter->basic, PLACE_HEADER, look_up, f) || plain.len > 700) {
                return false;
        }
        (void)EVP_EncodeBlock((uint8_t *)coded, (const uint8_t *)plain.data, (int)plain.len);
        buf_reset(&plain);
        CLEANUP(buf_free) struct buf line;

        buf_init(&line, sizeof(coded) + 32);
        buf_printf(&line, "Authorization: Basic %s", coded);
        return push_add_header(headers, line.data);
}

static bool add_headers(struct curl_slist **headers, const struct filling *f)
{
        const struct push_adapter *a = f->adapter;
        const char *name;
        json_t *value;

        json_object_foreach(a->headers, name, value)
        {
                if (!json_is_string(value) || !add_filled(headers, name, json_string_value(value), f)) {
                        return false;
                }
        }
        return (a->basic == NULL || add_basic(headers, f)) && add_filled(headers, "Content-Type", a->type, f) &&
               push_add_header(headers, "Expect:");
}

static void begin_request(struct push_sender *sender, struct push_adapter *a, const struct filling *f, bool authorised)
{
        CLEANUP(buf_free) struct buf url, body;
        struct push_request request = {
            .ca = a->ca, .trusted = true, .tag = f->message->tag, .judge = interpret_response, .context = a};

        buf_init(&url, URL_MAX_BYTES);
        buf_init(&body, BODY_MAX_BYTES);
        if (authorised && adapter_write(&url, a->url, PLACE_URL, look_up, f) &&
            adapter_write(&body, a->body, a->place, look_up, f) && add_headers(&request.headers, f)) {
                request.url = url.data;
                request.body = body.data;
                request.len = body.len;
        }
        request.later = authorised ? NULL : a->token.failure;
        push_begin(sender, &request);
}

bool push_adapter_start(struct push_sender *sender, struct push_adapter *a, const struct adapter_message *message)
{
        struct filling f = {.adapter = a, .message = message};

        if (push_is_full(sender)) {
                return false;
        }
        enum adapter_token_state state = adapter_token_ready(&a->token, sender);
        if (state == TOKEN_ASKED) {
                return false;
        }
        (void)snprintf(f.ttl, sizeof(f.ttl), "%" PRId64, message->ttl_s);
        (void)snprintf(f.expires, sizeof(f.expires), "%" PRId64, clock_wall_ms() / 1000 + message->ttl_s);
        begin_request(sender, a, &f, state == TOKEN_GOOD);
        return true;
}
