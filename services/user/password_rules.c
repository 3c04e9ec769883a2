/* Owns which passwords are rejected. The list is compiled in: tools/common-passwords.sh makes it. */
#include "services/user/password_rules.h"

#include <string.h>
#include "base/text.h"

enum { CONTEXT_MIN_BYTES = 3, AROUND_MAX = 4, MIN_CHARACTERS = 8 };

/* Generated from common_passwords.txt: lines sorted by bytes. */
extern const char user_common_passwords[];

/* The line that contains a byte of the list. */
static struct str line_at(const char *list, size_t at)
{
        const char *start = list + at;

        while (start > list && start[-1] != '\n') {
                start--;
        }
        return (struct str){start, strcspn(start, "\n")};
}

static int compare(struct str line, struct str wanted)
{
        int order = memcmp(line.ptr, wanted.ptr, line.len < wanted.len ? line.len : wanted.len);

        return order != 0 ? order : (line.len > wanted.len) - (line.len < wanted.len);
}

bool password_is_common(const char *folded)
{
        const char *list = user_common_passwords;
        size_t from = 0, to = strlen(list);

        while (from < to) {
                struct str line = line_at(list, from + (to - from) / 2);
                int order = compare(line, str_of(folded));

                if (order == 0) {
                        return true;
                }
                if (order < 0) {
                        from = (size_t)(line.ptr - list) + line.len + 1;
                } else {
                        to = (size_t)(line.ptr - list);
                }
        }
        return false;
}

/* ---- Patterns that are tried by rule, and so need not be on the list ---- */

/* A range of a password's characters. */
struct characters {
        struct arena *arena;
        const char *text;
        uint32_t *codes;
        size_t *starts; /* in bytes; the one after the last is the end */
        size_t n;
};

static struct characters split(struct arena *arena, const char *text)
{
        size_t len = strlen(text);
        struct characters c = {.arena = arena,
                               .text = text,
                               .codes = ARENA_ARRAY(arena, uint32_t, len + 1),
                               .starts = ARENA_ARRAY(arena, size_t, len + 1)};

        for (size_t at = 0; at < len; c.n++) {
                c.starts[c.n] = at;
                at += utf8_decode(text + at, len - at, &c.codes[c.n]);
        }
        c.starts[c.n] = len;
        return c;
}

/* The length of the unit that the range repeats; its whole length if it does not. */
static size_t unit_of(const struct characters *c, size_t from, size_t n)
{
        for (size_t unit = 1; unit <= n / 2; unit++) {
                if (memcmp(c->codes + from, c->codes + from + unit, (n - unit) * sizeof(*c->codes)) == 0) {
                        return unit;
                }
        }
        return n;
}

static bool follows(uint32_t before, uint32_t after)
{
        return after == before + 1 || (before == '9' && after == '0');
}

/* Consecutive characters, ascending or descending: 7890123456, hgfedcba. */
static bool is_sequence(const struct characters *c, size_t from, size_t n)
{
        bool up = true, down = true;

        for (size_t i = from + 1; i < from + n; i++) {
                up = up && follows(c->codes[i - 1], c->codes[i]);
                down = down && follows(c->codes[i], c->codes[i - 1]);
        }
        return up || down;
}

static bool is_tried(const struct characters *c, size_t from, size_t n)
{
        size_t unit = unit_of(c, from, n);

        return password_is_common(
                   arena_strndup(c->arena, c->text + c->starts[from], c->starts[from + n] - c->starts[from])) ||
               is_sequence(c, from, n) || (unit < n && (unit < MIN_CHARACTERS || is_tried(c, from, unit)));
}

/* A common password, alone or with a few digits or punctuation around it: password1!, 123password, zzzzzzzz1. */
static bool is_tried_with_little_around(struct arena *arena, const char *folded)
{
        struct characters c = split(arena, folded);

        for (size_t front = 0; front <= AROUND_MAX && front < c.n; front++) {
                if (front > 0 && text_is_letter(c.codes[front - 1])) {
                        break;
                }
                for (size_t back = 0; front + back <= AROUND_MAX && front + back < c.n; back++) {
                        if (back > 0 && text_is_letter(c.codes[c.n - back])) {
                                break;
                        }
                        if (is_tried(&c, front, c.n - front - back)) {
                                return true;
                        }
                }
        }
        return false;
}

/* Little more than a word that everyone knows about the member. */
static bool is_made_of(struct arena *arena, const char *folded, const char *word)
{
        const char *key = word[0] != '\0' ? text_casefold_nfkc(arena, word) : NULL;

        return key != NULL && strlen(key) >= CONTEXT_MIN_BYTES && strstr(folded, key) != NULL &&
               strlen(folded) <= strlen(key) + AROUND_MAX;
}

static const char *network_name = "", *network_host = "";

void password_rules_start(const char *name, const char *host)
{
        network_name = name;
        network_host = host;
}

sn_status password_check(struct rpc_call *c, const char *field, const char *password, const char *username,
                         const char *email)
{
        const char *folded = text_casefold_nfkc(c->arena, password);
        const char *local_part = arena_strndup(c->arena, email, strcspn(email, "@"));

        if (folded == NULL) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, field, "must be valid UTF-8");
        }
        if (is_made_of(c->arena, folded, username) || is_made_of(c->arena, folded, local_part) ||
            is_made_of(c->arena, folded, email) || is_made_of(c->arena, folded, network_name) ||
            is_made_of(c->arena, folded, network_host)) {
                return rpc_fail_code(
                    c, SN_INVALID_ARGUMENT, "password_guessable", field,
                    "is too close to your name, your address or the name of this network; choose another one");
        }
        if (is_tried_with_little_around(c->arena, folded)) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "password_common", field,
                                     "is too common or too easy to guess; choose "
                                     "another one, for example several words");
        }
        return SN_OK;
}
