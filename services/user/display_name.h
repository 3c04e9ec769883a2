/* Display names: any script, one line. */
#ifndef SERVICES_USER_DISPLAY_NAME_H
#define SERVICES_USER_DISPLAY_NAME_H

#include "base/call.h"

/* Without white space at its ends, and with the first space alone of each run of it within; "" for one of which nothing
 * would be seen: then the username is shown. */
char *display_name_clean(struct arena *arena, const char *given);

/* Without white space at the ends, and with the first space alone of each run of it. */
char *display_name_collapse(struct arena *arena, const char *text);

#endif
