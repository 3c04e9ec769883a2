/* Removes what was attached to objects that never came to be. Events are kept for seven days: what none of them has
 * confirmed by then, none will. */
#include "services/media/media.h"

#include "services/media/store.h"

const struct service_job media_remove_uses = {.name = "remove_uses", .every_s = 3600, .run = store_remove_unconfirmed};
