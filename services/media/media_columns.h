/* The columns of media_files f as fields of MediaRows.StoredMedia, or of a message that has one as prefix. */
#ifndef SERVICES_MEDIA_MEDIA_COLUMNS_H
#define SERVICES_MEDIA_MEDIA_COLUMNS_H

#define MEDIA_COLUMNS(prefix)                                                                                          \
        "f.id as \"" prefix "id\", f.owner_id as \"" prefix "owner_id\", f.id as \"" prefix                            \
        "media.id\", f.kind as \"" prefix "media.kind\", f.status as \"" prefix                                        \
        "media.status\", f.reason as \"" prefix "media.reason\", f.mime_type as \"" prefix                             \
        "media.mime_type\", f.size_bytes as \"" prefix "media.size_bytes\", f.width as \"" prefix                      \
        "media.width\", f.height as \"" prefix "media.height\", f.waveform::bigint[] as \"" prefix                     \
        "media.waveform\", f.duration_ms as \"" prefix "media.duration_ms\", f.alt_text as \"" prefix                  \
        "media.alt_text\", f.focus_x / 1000000.0::float8 as \"" prefix                                                 \
        "media.focus_x\", f.focus_y / 1000000.0::float8 as \"" prefix "media.focus_y\", f.blurhash as \"" prefix       \
        "media.blurhash\", f.dominant_color as \"" prefix "media.dominant_color\", f.created_at as \"" prefix          \
        "media.created_at\", encode(f.upload_sha256, 'hex') as \"" prefix                                              \
        "upload_sha256\", encode(f.content_sha256, 'hex') as \"" prefix "content_sha256\""                             \
        ", exists (select 1 from media_uses u where u.media_id = f.id and u.is_public and u.is_confirmed)"             \
        " and not exists (select 1 from user_storage_quotas o where o.user_id = f.owner_id and o.is_hidden) as "       \
        "\"" prefix "is_public\""

/* The columns that only the owner is shown. */
#define MEDIA_OWN_COLUMNS                                                                                              \
        MEDIA_COLUMNS("")                                                                                              \
        ", (select array_agg(t.tag order by t.tag) from media_tags t where t.media_id = f.id) as \"media.tags\""

#endif
