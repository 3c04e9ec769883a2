/* The SQL of messages' media. */
#ifndef SERVICES_MESSAGING_STORE_ATTACHMENTS_H
#define SERVICES_MESSAGING_STORE_ATTACHMENTS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define ATTACHMENTS_MAX 4

SN_CHECKED sn_status attachment_store_put(struct db_tx *tx, const char *message_id, char *const *media_ids, size_t n,
                                          const char *object_id);
/* The media of several messages, in order. Rows with place i belong to message_ids[i]. */
SN_CHECKED sn_status attachment_store_list(struct db_tx *tx, char *const *message_ids, size_t n, size_t *n_rows,
                                           MessagingRows__Attachment ***rows);
/* object_id: the id under which media_service knew the message, or "" if it did not. */
SN_CHECKED sn_status attachment_store_delete(struct db_tx *tx, const char *message_id, char **object_id);

#endif
