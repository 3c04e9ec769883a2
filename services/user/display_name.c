/* Owns what a display name may be: it stands within other people's pages. */
#include "services/user/display_name.h"

#include "base/str.h"
#include "base/text.h"
#include "rpc/rpc.h"

sn_status display_name_clean(struct rpc_call *c, const char *given, char **out)
{
        if (!text_is_one_line(given)) {
                return rpc_fail(
                    c, SN_INVALID_ARGUMENT, "display_name",
                    "must be one line, without control characters and without those that turn its direction");
        }
        *out = text_is_blank(given) ? (char *)"" : str_dup(c->arena, str_trim(str_of(given)));
        return SN_OK;
}
