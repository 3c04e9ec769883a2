/* Owns parsing Accept-Encoding. */
#include "gateway/coding.h"

#include <strings.h>

enum { Q_ONE = 1000, Q_NOT_SAID = -1 };

static const char *const names[CODINGS] = {"", "gzip", "zstd"};

/* Converts "0.5" to thousandths; an invalid weight counts as 0, which rejects the coding. */
static int parse_weight(struct str text)
{
        int q = 0, unit = Q_ONE;

        if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
            (text.len > 1 && text.ptr[1] != '.')) {
                return 0;
        }
        q = (text.ptr[0] - '0') * unit;
        for (size_t i = 2; i < text.len; i++) {
                if (text.ptr[i] < '0' || text.ptr[i] > '9') {
                        return 0;
                }
                unit /= 10;
                q += (text.ptr[i] - '0') * unit;
        }
        return q <= Q_ONE ? q : 0;
}

/* Parses what follows the name in "gzip;q=0.5"; the default weight is 1. */
static int weight_of(struct str parameters)
{
        struct str one, name;

        while (str_next(&parameters, ';', &one)) {
                one = str_trim(one);
                if (str_next(&one, '=', &name) && str_equal_nocase(str_trim(name), STR("q"))) {
                        return parse_weight(str_trim(one));
                }
        }
        return Q_ONE;
}

static void read_element(struct str element, int weights[CODINGS], int *others)
{
        struct str name;

        if (!str_next(&element, ';', &name)) {
                return;
        }
        name = str_trim(name);
        int weight = weight_of(element);
        if (str_equal_c(name, "*")) {
                *others = weight;
        } else if (str_equal_nocase(name, STR("identity"))) {
                weights[CODING_IDENTITY] = weight;
        } else if (str_equal_nocase(name, STR("gzip")) || str_equal_nocase(name, STR("x-gzip"))) {
                weights[CODING_GZIP] = weight;
        } else if (str_equal_nocase(name, STR("zstd"))) {
                weights[CODING_ZSTD] = weight;
        }
}

static void read_weights(const struct http_request *r, int weights[CODINGS])
{
        int others = Q_NOT_SAID;

        for (size_t i = 0; i < r->n_headers; i++) {
                struct str rest = str_of(r->headers[i].value), element;

                while (strcasecmp(r->headers[i].name, "Accept-Encoding") == 0 && str_next(&rest, ',', &element)) {
                        read_element(element, weights, &others);
                }
        }
        for (int c = 0; c < CODINGS && others != Q_NOT_SAID; c++) {
                weights[c] = weights[c] == Q_NOT_SAID ? others : weights[c];
        }
}

/* Identity is acceptable unless excluded, but loses to any coding that the client names. */
enum coding coding_choose(const struct http_request *r, unsigned available)
{
        int weights[CODINGS], best_weight;
        enum coding best = CODING_IDENTITY;

        for (int c = 0; c < CODINGS; c++) {
                weights[c] = Q_NOT_SAID;
        }
        read_weights(r, weights);
        best_weight = weights[CODING_IDENTITY] > 0 ? weights[CODING_IDENTITY] : 0;
        for (int c = CODING_IDENTITY + 1; c < CODINGS; c++) {
                if ((available & 1u << c) != 0 && weights[c] > 0 && weights[c] >= best_weight) {
                        best = (enum coding)c;
                        best_weight = weights[c];
                }
        }
        return best;
}

const char *coding_name(enum coding coding)
{
        return names[coding];
}
