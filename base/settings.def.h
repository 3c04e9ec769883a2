/* clang-format off */
/* The settings, each declared once: this table makes the struct, the parser and what `sonet config` prints. To add one, add a row.
 *   SETTING_STRING(field, VARIABLE, default, secret, help)      secret: passwords in it are never printed
 *   SETTING_INT(field, VARIABLE, default, min, max, help)
 *   SETTING_BOOL(field, VARIABLE, default, help)                on, off (true, false, yes, no, 1, 0)
 *   SETTING_CHOICE(field, VARIABLE, default, choices, help)     choices: "one|two" */
SETTING_STRING(database_url, "DATABASE_URL", "", true,
               "PostgreSQL of all services; {service_name} becomes note_service and so on")
SETTING_STRING(database_admin_url, "DATABASE_ADMIN_URL", "", true,
               "a role that may create databases and roles; only for `sonet migrate`")
#define SERVICE(name, NAME) SETTING_STRING(name##_database_url, #NAME "_DATABASE_URL", "", true, "PostgreSQL of the " #name " service, instead of DATABASE_URL")
#include "base/services.def.h"
SETTING_STRING(redis_url, "REDIS_URL", "", true, "redis://[:password@]host:port[/db] or unix:///path")
SETTING_INT(database_pool, "DATABASE_POOL", 4, 1, 100, "connections that each service may hold to its database")
SETTING_INT(database_busy, "DATABASE_BUSY", 4, 1, 1000, "connections of this process that may be busy at a time on one PostgreSQL server")
SETTING_INT(redis_pool, "REDIS_POOL", 8, 1, 100, "connections to Redis; with fewer than WORKERS, requests wait for one another")

#define SERVICE(name, NAME) SETTING_STRING(name##_url, #NAME "_URL", "", false, "grpc://host:port or grpcs://host:port of the " #name " service when it runs elsewhere")
#include "base/services.def.h"

SETTING_STRING(http_address, "HTTP_ADDRESS", "127.0.0.1", false, "the address that HTTP listens on")
SETTING_INT(http_port, "HTTP_PORT", 8080, 0, 65535, "REST; 0: any free one")
SETTING_INT(http_connections, "HTTP_CONNECTIONS", 50000, 1, 1000000, "HTTP connections at a time; fewer when the limit of open files, less what databases, Redis, bodies and files need, is lower")
SETTING_STRING(trusted_proxies, "TRUSTED_PROXIES", "", false,
               "addresses and networks (127.0.0.1, 10.0.0.0/8, ::1), apart by commas, of the proxies whose Forwarded or X-Forwarded-For is believed")
SETTING_INT(http_idle_ms, "HTTP_IDLE_MS", 75000, 1000, 86400000, "how long an HTTP connection may idle; longer than proxies in front keep theirs")
SETTING_INT(http_io_threads, "HTTP_IO_THREADS", 0, 0, 64, "threads that read requests, and answer those that need nothing slow; 0: as many as the process has processors, at most 16")
SETTING_INT(http_unread_bytes, "HTTP_UNREAD_BYTES", 67108864, 1048576, 1099511627776, "answers that clients have not taken yet, in all; beyond it those with most are dropped")
SETTING_INT(connections_per_address, "CONNECTIONS_PER_ADDRESS", 1000, 1, 1000000, "connections of one client address, or IPv6 /64, to this process; those of TRUSTED_PROXIES are not counted")
SETTING_INT(body_bytes, "BODY_BYTES", 67108864, 1048576, 1099511627776, "memory for the bodies of requests, in all; beyond it 503. One address may have a quarter, but for TRUSTED_PROXIES")
SETTING_INT(grpc_connections, "GRPC_CONNECTIONS", 1000, 1, 1000000, "gRPC connections at a time; at most a quarter of what the limit of open files allows")
SETTING_STRING(public_url, "PUBLIC_URL", "", false, "the address under which clients find this server, like https://social.example.org; empty: the one they ask at")
SETTING_STRING(pages_url, "PAGES_URL", "", false, "the address of the gateway, below which links in mails lead; empty: PUBLIC_URL, or this process")
SETTING_STRING(grpc_address, "GRPC_ADDRESS", "127.0.0.1", false, "the address that gRPC listens on; beyond loopback it needs TLS")
SETTING_INT(grpc_port, "GRPC_PORT", 0, 0, 65535, "gRPC of all services of this process; 0: the HTTP port + 1")
SETTING_STRING(grpc_tls_cert, "GRPC_TLS_CERT", "", false, "file with the certificate chain (PEM); needed beyond loopback")
SETTING_STRING(grpc_tls_key, "GRPC_TLS_KEY", "", false, "file with its private key (PEM)")
SETTING_STRING(grpc_tls_ca, "GRPC_TLS_CA", "", false, "file with the certificates that services trust (PEM)")

SETTING_STRING(smtp_url, "SMTP_URL", "", true, "the mail server: smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; empty: mails become files in MAIL_DIR")
SETTING_STRING(smtp_ca, "SMTP_CA", "", false, "file with the certificates that sign that of the mail server (PEM); empty: those that the system trusts")
SETTING_INT(smtp_timeout_ms, "SMTP_TIMEOUT_MS", 60000, 1000, 600000, "how long sending one mail may take; then it is tried again later")
SETTING_STRING(mail_from, "MAIL_FROM", "", false, "the sender of all mails: Our Network <no-reply@example.org>; its name is what mails call this network")
SETTING_STRING(mail_dir, "MAIL_DIR", "", false, "the folder that mails are written to without SMTP_URL; empty: below the data folder of `sonet up`")
SETTING_INT(mail_domain_rate, "MAIL_DOMAIN_RATE", 0, 0, 1000000, "mails to the addresses of one domain in an hour, by all processes of a service together; what is more waits; 0: as many as there are")
SETTING_INT(mail_connections, "MAIL_CONNECTIONS", 2, 1, 32, "connections to the mail server at a time")

SETTING_STRING(sms_provider, "SMS_PROVIDER", "", false, "file that describes who sends SMS (JSON); empty: none are sent")
SETTING_STRING(mobile_providers, "MOBILE_PROVIDERS", "", false, "files, apart by commas, that describe who delivers pushes to apps, like Apple's and Google's (JSON); empty: none are sent")
SETTING_STRING(push_networks, "PUSH_NETWORKS", "", false, "addresses and networks, apart by commas, that pushes may go to although they are not public, over http too: a push service of one's own")

SETTING_STRING(key_file, "SONET_KEY_FILE", "", false, "the file that all secrets derive from; empty: made by `sonet up`")
SETTING_INT(embedded_postgresql_bytes, "EMBEDDED_POSTGRESQL_BYTES", 0, 0, 1099511627776, "shared memory of the PostgreSQL of `sonet up`; 0: an eighth of the machine's, 32 MiB to 2 GiB")
SETTING_INT(embedded_redis_bytes, "EMBEDDED_REDIS_BYTES", 0, 0, 1099511627776, "what the Redis of `sonet up` may keep; 0: a sixteenth of the machine's memory, 64 MiB to 1 GiB")
SETTING_STRING(data_dir, "SONET_DATA_DIR", "", false, "the data folder of `sonet up`; empty: chosen by who runs it")

SETTING_INT(export_days, "EXPORT_DAYS", 7, 1, 90, "days for which the archive that a member asked for is kept, and its link leads to it")

SETTING_CHOICE(log_level, "LOG_LEVEL", "info", "debug|info|warn|error", "the least level that is logged")
SETTING_CHOICE(log_format, "LOG_FORMAT", "auto", "auto|text|json", "auto: text on a terminal, ECS JSON elsewhere")

SETTING_INT(workers, "WORKERS", 8, 1, 1024, "threads that handle clients' requests; each rank of services has half as many for calls over gRPC")
SETTING_INT(search_deadline_ms, "SEARCH_DEADLINE_MS", 150, 10, 5000, "milliseconds that ranking the notes of a search may take; then the best so far are shown")
SETTING_INT(password_workers, "PASSWORD_WORKERS", 2, 1, 64, "threads that hash passwords")
SETTING_INT(queue_length, "QUEUE_LENGTH", 512, 0, 100000, "requests that may wait for a thread; beyond them 503")
SETTING_INT(streams_per_address, "STREAMS_PER_ADDRESS", 200, 1, 1000000, "streams (GET /v1/stream) that one address may have open at a time")
SETTING_INT(streams_per_member, "STREAMS_PER_MEMBER", 20, 1, 1000000, "streams that one member may have open at a time")
SETTING_INT(stream_channels, "STREAM_CHANNELS", 100, 1, 10000, "channels that one stream may be subscribed to")
SETTING_INT(stream_unsent_bytes, "STREAM_UNSENT_BYTES", 262144, 16384, 33554432, "what a stream's client may leave unread, beyond what the kernel keeps; after a second of that, or at four times as much, the stream is closed")
SETTING_INT(max_body_bytes, "MAX_BODY_BYTES", 65536, 1024, 67108864, "the largest request body; beyond it 413")
SETTING_STRING(spool_dir, "SPOOL_DIR", "", false, "the folder for bodies on their way in, which are files without names; empty: below the data folder, or TMPDIR, or /var/tmp")
SETTING_INT(spool_bytes, "SPOOL_BYTES", 4294967296, 1048576, 1099511627776, "bytes of bodies on their way in, in all; beyond it 503. One address may have a quarter, but for TRUSTED_PROXIES")
SETTING_INT(spool_files, "SPOOL_FILES", 128, 1, 100000, "such bodies at a time; beyond it 503. One address may have a quarter, but for TRUSTED_PROXIES")
SETTING_INT(answer_files, "ANSWER_FILES", 512, 4, 100000, "files that clients are being sent at a time; beyond it 503. One address may have a quarter, but for TRUSTED_PROXIES")
SETTING_INT(spool_free_bytes, "SPOOL_FREE_BYTES", 268435456, 0, 1099511627776, "what they leave free on the disk; below it 503")
SETTING_INT(shutdown_grace_ms, "SHUTDOWN_GRACE_MS", 10000, 0, 600000, "how long a stop waits for what is running")

SETTING_BOOL(rate_limits, "SONET_RATE_LIMITS", true, "off is accepted on loopback only")
SETTING_INT(rate_read, "RATE_READ", 1200, 1, 10000000, "reads that one member may make in a minute")
SETTING_INT(rate_write, "RATE_WRITE", 300, 1, 10000000, "writes that one member may make in a minute")
SETTING_INT(rate_auth, "RATE_AUTH", 20, 1, 10000000, "registrations and log-ins from one address in a minute")
SETTING_INT(rate_failures, "RATE_FAILURES", 600, 1, 10000000, "requests with a bad access token from one address in a minute; beyond them only tokens that SoNet gave are looked at")
SETTING_STRING(cors_origins, "CORS_ORIGINS", "*", false, "origins that browsers may call from: *, a comma-separated list, or none")

SETTING_STRING(media_dir, "MEDIA_DIR", "", false, "the folder for media; empty: below the data folder of `sonet up`, and elsewhere no media are taken")
SETTING_STRING(media_store, "MEDIA_STORE", "", false, "s3://BUCKET: media lie there instead of MEDIA_DIR")
SETTING_STRING(media_s3_endpoint, "MEDIA_S3_ENDPOINT", "", false, "where that bucket is: https://HOST, or http://HOST:PORT; its addresses are ENDPOINT/BUCKET/KEY")
SETTING_STRING(media_s3_region, "MEDIA_S3_REGION", "us-east-1", false, "the region of that bucket")
SETTING_STRING(media_s3_keys, "MEDIA_S3_KEYS", "", true, "ACCESS_KEY:SECRET_KEY of that bucket")
SETTING_INT(media_quota_bytes, "MEDIA_QUOTA_BYTES", 5368709120, 0, 1099511627776, "what the media of one member may take, as they came")
SETTING_INT(media_pending, "MEDIA_PENDING", 200, 1, 100000, "media of one member that may wait to be processed")
SETTING_BOOL(media_process, "MEDIA_PROCESS", true, "media are processed where they come in; off: by `sonet serve media-worker` alone")
SETTING_STRING(media_decoders, "MEDIA_DECODERS", "h264,hevc,vp8,vp9,libdav1d,mpeg4,aac,mp3float,opus,vorbis,flac,alac", false,
               "the decoders of FFmpeg that videos and sounds may need; empty: neither are taken")
SETTING_INT(media_film_s, "MEDIA_FILM_S", 900, 10, 14400, "how long the processing of a video or a sound may take")
SETTING_INT(media_video_s, "MEDIA_VIDEO_S", 600, 1, 14400, "the longest video")
SETTING_INT(media_audio_s, "MEDIA_AUDIO_S", 3600, 1, 14400, "the longest sound")
SETTING_INT(media_side, "MEDIA_SIDE", 4096, 16, 8192, "the longest side of a video, in pixels")
SETTING_INT(media_video_side, "MEDIA_VIDEO_SIDE", 1280, 16, 4096, "the longest side of what is made of a video")
SETTING_BOOL(media_avif, "MEDIA_AVIF", true, "smaller pictures are made as AVIF, too, where libvips can: a third less to send, for as much processor time again")
SETTING_INT(media_file_bytes, "MEDIA_FILE_BYTES", 1073741824, 1024, 1073741824, "the largest media file")

SETTING_INT(note_cache_bytes, "NOTE_CACHE_BYTES", 41943040, 0, 1099511627776, "memory for notes")
SETTING_CHOICE(registration, "REGISTRATION", "open", "open|approval|invite|closed", "who may register: everybody; everybody, once a moderator approves; who is invited; nobody")
SETTING_INT(member_invites, "MEMBER_INVITES", 0, 0, 1000, "how many people a member may invite in 30 days; 0: only moderators and `sonet admin invite` do")
SETTING_INT(session_days, "SESSION_DAYS", 365, 1, 36500, "days after which a session ends, however much it is used; unused it ends after 60")
SETTING_INT(account_grace_days, "ACCOUNT_GRACE_DAYS", 14, 0, 365, "days after which a deleted account is erased; until then logging in brings it back")
SETTING_INT(user_cache_bytes, "USER_CACHE_BYTES", 16777216, 0, 1099511627776, "memory for members")
SETTING_INT(timeline_cache_bytes, "TIMELINE_CACHE_BYTES", 4194304, 0, 1099511627776, "memory for what timelines need to know of their readers")
SETTING_INT(home_memory_bytes, "HOME_MEMORY_BYTES", 16777216, 0, 1099511627776, "memory for home timelines, in the process that delivers to them: some 10 KiB a reader; others are read from Redis")
SETTING_INT(fanout_max, "FANOUT_MAX", 10000, 1, 10000, "followers to whom notes are delivered; of members with more they are fetched when somebody reads")
SETTING_INT(follow_cache_bytes, "FOLLOW_CACHE_BYTES", 16777216, 0, 1099511627776, "memory for relations")
SETTING_INT(analytics_min_group, "ANALYTICS_MIN_GROUP", 5, 1, 1000, "fewer people than these are behind no number that analytics tells")
SETTING_INT(analytics_keep_months, "ANALYTICS_KEEP_MONTHS", 13, 2, 120, "months for which events are kept; then their partitions go")
SETTING_STRING(analytics_dir, "ANALYTICS_DIR", "", false, "the folder where events that were taken wait for the database, one for each installation; empty: below SPOOL_DIR")
SETTING_INT(analytics_journal_bytes, "ANALYTICS_JOURNAL_BYTES", 268435456, 1048576, 1099511627776, "how much may wait there; beyond it events are answered with 503")
/* clang-format on */

#undef SETTING_STRING
#undef SETTING_INT
#undef SETTING_BOOL
#undef SETTING_CHOICE
