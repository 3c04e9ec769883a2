/* Owns showing receipts: how far other members have read and received. */
#include "services/messaging/receipts.h"

#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/store_receipts.h"

void receipts_hide(const User__PrivacySettings *viewer, Messaging__Receipt *receipt)
{
        receipt->seq = viewer->read_receipts ? receipt->seq : 0;
        receipt->delivered_seq = viewer->delivery_receipts ? receipt->delivered_seq : 0;
}

sn_status messaging_handle_list_receipts(struct rpc_call *c, const Messaging__ListReceiptsRequest *in,
                                         Messaging__ReceiptList *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        User__PrivacySettings **privacy = NULL;
        size_t n = 0;

        TRY(membership_read_present(c, in->id, &member));
        TRY(people_privacy(c, &member.user_id, 1, &privacy));
        TRY(DB_READ(c, tx, receipt_store_list(tx, in->id, &n, &out->items)));
        for (size_t i = 0; i < n; i++) {
                Messaging__Receipt *receipt = out->items[i];

                if (!uuid_equal(receipt->user_id, member.user_id)) {
                        receipts_hide(privacy[0], receipt);
                }
                if (receipt->seq > 0 || receipt->delivered_seq > 0) {
                        out->items[out->n_items++] = receipt;
                }
        }
        return SN_OK;
}
