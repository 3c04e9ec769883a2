/* Owns normalising e-mail addresses. The local part keeps its case, since some servers distinguish it; domains are
 * lowercased. */
#include "services/user/email.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "rpc/formats.h"
#include "services/user/username.h"

/* Without IDN2_USE_STD3_ASCII_RULES, which would drop invalid characters instead of rejecting them. */
enum { IDN_FLAGS = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL };

/* ASCII domains are left as they are: IDNA would reject some that exist (two hyphens in the third place). */
static bool needs_idna(const char *domain)
{
        struct str rest = str_of(domain), label;

        for (const char *at = domain; *at != '\0'; at++) {
                if ((unsigned char)*at >= 0x80) {
                        return true;
                }
        }
        while (str_next(&rest, '.', &label)) {
                if (label.len > 4 && str_equal_nocase((struct str){label.ptr, 4}, STR("xn--"))) {
                        return true;
                }
        }
        return false;
}

/* NULL if it is not a domain. */
static char *ascii_domain(struct arena *arena, const char *domain)
{
        char *converted = NULL, *ascii = NULL;

        if (!needs_idna(domain)) {
                return text_casefold_nfkc(arena, domain);
        }
        if (idn2_to_ascii_8z(domain, &converted, IDN_FLAGS) == IDN2_OK) {
                ascii = arena_strdup(arena, converted);
        }
        idn2_free(converted);
        return ascii;
}

sn_status email_clean(struct rpc_call *c, const char *given, char **out)
{
        const char *at = strrchr(given, '@');
        char *domain = at != NULL ? ascii_domain(c->arena, at + 1) : NULL;

        if (domain != NULL) {
                *out = arena_printf(c->arena, "%.*s@%s", (int)(at - given), given, domain);
        }
        return domain != NULL && format_is_email(*out, strlen(*out))
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "email", "has a domain that cannot exist; check the spelling");
}

char *email_key(struct arena *arena, const char *email)
{
        const char *at = strrchr(email, '@');
        char *domain = at != NULL ? ascii_domain(arena, at + 1) : NULL;

        if (domain == NULL) {
                return username_key(arena, email);
        }
        return arena_printf(arena, "%s@%s", username_key(arena, arena_strndup(arena, email, (size_t)(at - email))),
                            domain);
}
