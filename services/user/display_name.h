/* Display names: any script, one line. */
#ifndef SERVICES_USER_DISPLAY_NAME_H
#define SERVICES_USER_DISPLAY_NAME_H

#include "base/call.h"

/* Trims white space, and reduces each run of it to its first character; "" if nothing visible is left: then the
 * username is shown. */
char *display_name_clean(struct arena *arena, const char *given);

/* Trims white space, and reduces each run of it to its first character. */
char *display_name_collapse(struct arena *arena, const char *text);

#endif
