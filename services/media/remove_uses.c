/* Removes attachments to objects that were never created. Events are kept for seven days, so later confirmations are
 * impossible. */
#include "services/media/media.h"

#include "services/media/store.h"

const struct service_job media_remove_uses = {.name = "remove_uses", .every_s = 3600, .run = store_remove_unconfirmed};
