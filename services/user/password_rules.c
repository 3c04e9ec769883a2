/* Owns what passwords may not be. The list is compiled in: tools/common-passwords.sh makes it. */
#include "services/user/password_rules.h"

#include <string.h>
#include "base/text.h"

enum { CONTEXT_MIN_BYTES = 3, AROUND_MAX_BYTES = 4 };

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
        if (password_is_common(folded)) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "password_common", field,
                                     "is a word, or among the passwords that are tried first; choose another one, "
                                     "several words for example");
        }
        if (is_made_of(c->arena, folded, username) || is_made_of(c->arena, folded, local_part) ||
            is_made_of(c->arena, folded, email) || is_made_of(c->arena, folded, network_name) ||
            is_made_of(c->arena, folded, network_host)) {
                return rpc_fail_code(
                    c, SN_INVALID_ARGUMENT, "password_guessable", field,
                    "is your name or address, or that of this network, with little around it; choose another one");
        }
        return SN_OK;
}
