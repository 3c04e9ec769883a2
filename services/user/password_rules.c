/* Owns what passwords may not be. The list is compiled in: tools/common-passwords.sh makes it. */
#include "services/user/password_rules.h"

#include <ctype.h>
#include <string.h>
#include "base/text.h"

enum { CONTEXT_MIN_BYTES = 3, AROUND_MAX_BYTES = 4, PASSWORD_MIN_BYTES = 8 };

/* Generated from common_passwords.txt: lines in order of their bytes. */
extern const char user_common_passwords[];

/* The line that a byte of the list is in. */
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

/* The length of what a text is made of again and again; the text's own where nothing is. */
static size_t repeated_length(const char *text, size_t len)
{
        for (size_t period = 1; period <= len / 2; period++) {
                if (memcmp(text, text + period, len - period) == 0) {
                        return period;
                }
        }
        return len;
}

/* Each byte one more than that before it, or each one less, as "9" is of "0": 12345678, 0987654321, hgfedcba. */
static bool is_sequence(const char *text, size_t len)
{
        int step = len > 1 ? text[1] - text[0] : 0;
        bool runs = step == 1 || step == -1 || step == 9 || step == -9;

        step = step == 9 ? -1 : step == -9 ? 1 : step;
        for (size_t i = 1; i < len && runs; i++) {
                int here = text[i] - text[i - 1];

                runs = here == step || (isdigit((unsigned char)text[i]) && here == -9 * step);
        }
        return runs;
}

/* What lists of leaked passwords need not name, since it is tried by rule. */
static bool is_pattern(const char *folded)
{
        size_t len = strlen(folded);

        return repeated_length(folded, len) < PASSWORD_MIN_BYTES || is_sequence(folded, len);
}

/* A common one with a few figures or marks behind it: password1!, welcome2026. */
static bool is_common_with_tail(struct arena *arena, const char *folded)
{
        size_t len = strlen(folded), least = len > AROUND_MAX_BYTES ? len - AROUND_MAX_BYTES : 0;

        for (; len > least && !isalpha((unsigned char)folded[len - 1]) && (unsigned char)folded[len - 1] < 0x80;
             len--) {
                if (password_is_common(arena_strndup(arena, folded, len - 1))) {
                        return true;
                }
        }
        return false;
}

/* Little more than a word that everybody knows of the member. */
static bool is_made_of(struct arena *arena, const char *folded, const char *word)
{
        const char *key = word[0] != '\0' ? text_casefold_nfkc(arena, word) : NULL;

        return key != NULL && strlen(key) >= CONTEXT_MIN_BYTES && strstr(folded, key) != NULL &&
               strlen(folded) <= strlen(key) + AROUND_MAX_BYTES;
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
                return rpc_fail(c, SN_INVALID_ARGUMENT, field, "is not text");
        }
        if (is_made_of(c->arena, folded, username) || is_made_of(c->arena, folded, local_part) ||
            is_made_of(c->arena, folded, email) || is_made_of(c->arena, folded, network_name) ||
            is_made_of(c->arena, folded, network_host)) {
                return rpc_fail_code(
                    c, SN_INVALID_ARGUMENT, "password_guessable", field,
                    "is your name or address, or that of this network, with little around it; choose another one");
        }
        if (password_is_common(folded) || is_pattern(folded) || is_common_with_tail(c->arena, folded)) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "password_common", field,
                                     "is a word or pattern, or among the passwords that are tried first; choose "
                                     "another one, several words for example");
        }
        return SN_OK;
}
