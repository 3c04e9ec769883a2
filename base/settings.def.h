/* clang-format off */
/* The settings, each declared once: this table makes the struct, the parser and what `sonet config` prints. To add one, add a row.
 *   SETTING_STRING(field, VARIABLE, default, secret, help)      secret: passwords in it are never printed
 *   SETTING_INT(field, VARIABLE, default, min, max, help)
 *   SETTING_BOOL(field, VARIABLE, default, help)                on, off (true, false, yes, no, 1, 0)
 *   SETTING_CHOICE(field, VARIABLE, default, choices, help)     choices: "one|two" */
SETTING_STRING(database_url, "DATABASE_URL", "", true,
               "PostgreSQL of all services; {service_name} is replaced by note_service and so on")
SETTING_STRING(database_admin_url, "DATABASE_ADMIN_URL", "", true,
               "a role that may create databases and roles; used by `sonet migrate` only")
#define SERVICE(name, NAME) SETTING_STRING(name##_database_url, #NAME "_DATABASE_URL", "", true, "PostgreSQL of the " #name " service, instead of DATABASE_URL")
#include "base/services.def.h"
SETTING_STRING(redis_url, "REDIS_URL", "", true, "redis://[:password@]host:port[/db] or unix:///path")
SETTING_INT(database_pool, "DATABASE_POOL", 4, 1, 100, "most connections that each service keeps to its database")
SETTING_INT(database_busy, "DATABASE_BUSY", 4, 1, 1000, "most connections of this process in use at once on one PostgreSQL server")
SETTING_INT(redis_pool, "REDIS_POOL", 8, 1, 100, "connections to Redis; with fewer than WORKERS, requests may wait for one")

#define SERVICE(name, NAME) SETTING_STRING(name##_url, #NAME "_URL", "", false, "grpc://host:port or grpcs://host:port of the " #name " service when it runs elsewhere")
#include "base/services.def.h"

SETTING_STRING(http_address, "HTTP_ADDRESS", "127.0.0.1", false, "address to listen on for HTTP")
SETTING_INT(http_port, "HTTP_PORT", 8080, 0, 65535, "port for REST; 0: any free port")
SETTING_INT(http_connections, "HTTP_CONNECTIONS", 50000, 1, 1000000, "most HTTP connections at a time; fewer if the open-file limit, after what databases, Redis, bodies and files need, is lower")
SETTING_STRING(trusted_proxies, "TRUSTED_PROXIES", "", false,
               "comma-separated addresses and networks (127.0.0.1, 10.0.0.0/8, ::1) of the proxies whose Forwarded or X-Forwarded-For header is trusted")
SETTING_INT(http_idle_ms, "HTTP_IDLE_MS", 75000, 1000, 86400000, "how long an HTTP connection may be idle; set it longer than the idle timeout of proxies in front")
SETTING_INT(http_io_threads, "HTTP_IO_THREADS", 0, 0, 64, "threads that read requests and answer those that can be answered from memory; 0: one per processor, at most 16")
SETTING_INT(kept_response_bytes, "KEPT_RESPONSE_BYTES", 16777216, 0, 1099511627776, "memory for timelines that are sent again while nothing in them has changed")
SETTING_INT(http_unread_bytes, "HTTP_UNREAD_BYTES", 67108864, 1048576, 1099511627776, "most response bytes waiting for clients to read them, in total; beyond it the slowest connections are dropped")
SETTING_INT(connections_per_address, "CONNECTIONS_PER_ADDRESS", 1000, 1, 1000000, "most connections from one client address, or IPv6 /64, to this process; TRUSTED_PROXIES are exempt")
SETTING_INT(body_bytes, "BODY_BYTES", 67108864, 1048576, 1099511627776, "memory for request bodies, in total; beyond it 503. One address may use a quarter; TRUSTED_PROXIES are exempt")
SETTING_INT(grpc_connections, "GRPC_CONNECTIONS", 1000, 1, 1000000, "most gRPC connections at a time; at most a quarter of the open-file limit")
SETTING_STRING(public_url, "PUBLIC_URL", "", false, "the address at which clients reach this server, like https://social.example.org; empty: the one in their request")
SETTING_STRING(pages_url, "PAGES_URL", "", false, "base address of the links in mails: the gateway's; empty: PUBLIC_URL, or this process")
SETTING_STRING(grpc_address, "GRPC_ADDRESS", "127.0.0.1", false, "address to listen on for gRPC; beyond loopback it needs TLS")
SETTING_INT(grpc_port, "GRPC_PORT", 0, 0, 65535, "port for gRPC of all services of this process; 0: the HTTP port + 1")
SETTING_STRING(grpc_tls_cert, "GRPC_TLS_CERT", "", false, "file with the certificate chain (PEM); required beyond loopback")
SETTING_STRING(grpc_tls_key, "GRPC_TLS_KEY", "", false, "file with the certificate's private key (PEM)")
SETTING_STRING(grpc_tls_ca, "GRPC_TLS_CA", "", false, "file with the CA certificates that services trust (PEM)")

SETTING_STRING(smtp_url, "SMTP_URL", "", true, "the mail server: smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; empty: mails are written to MAIL_DIR")
SETTING_STRING(smtp_ca, "SMTP_CA", "", false, "file with the CA certificates for the mail server (PEM); empty: those that the system trusts")
SETTING_INT(smtp_timeout_ms, "SMTP_TIMEOUT_MS", 60000, 1000, 600000, "how long sending one mail may take; after that it is retried later")
SETTING_STRING(mail_from, "MAIL_FROM", "", false, "the sender of all mails, like Our Network <no-reply@example.org>; mails call the network by this name")
SETTING_STRING(mail_dir, "MAIL_DIR", "", false, "the folder that mails are written to when SMTP_URL is empty; empty: a folder in the data folder of `sonet up`")
SETTING_INT(mail_domain_rate, "MAIL_DOMAIN_RATE", 0, 0, 1000000, "most mails to the addresses of one domain per hour, by all processes of a service together; further mails wait; 0: no limit")
SETTING_INT(mail_connections, "MAIL_CONNECTIONS", 2, 1, 32, "most connections to the mail server at a time")

SETTING_STRING(sms_provider, "SMS_PROVIDER", "", false, "file that describes the SMS provider (JSON); empty: no SMS are sent")
SETTING_STRING(mobile_providers, "MOBILE_PROVIDERS", "", false, "comma-separated files that describe the push providers of mobile apps, like Apple's and Google's (JSON); empty: no pushes are sent to apps")
SETTING_STRING(push_networks, "PUSH_NETWORKS", "", false, "comma-separated addresses and networks that pushes may go to although they are not public, over plain http too: for a push service of your own")

SETTING_STRING(key_file, "SONET_KEY_FILE", "", false, "the key file, from which all secrets are derived; empty: created by `sonet up`")
SETTING_INT(embedded_postgresql_bytes, "EMBEDDED_POSTGRESQL_BYTES", 0, 0, 1099511627776, "shared memory of `sonet up`'s PostgreSQL; 0: an eighth of the machine's memory, 32 MiB to 2 GiB")
SETTING_INT(embedded_redis_bytes, "EMBEDDED_REDIS_BYTES", 0, 0, 1099511627776, "memory limit of `sonet up`'s Redis; 0: a sixteenth of the machine's memory, 64 MiB to 1 GiB")
SETTING_STRING(shared_stamps, "SHARED_STAMPS", "", false, "memory that processes of one host share, by which they keep responses read from each other: DESCRIPTOR:NUMBER, set by `sonet up`; empty: none")
SETTING_STRING(data_dir, "SONET_DATA_DIR", "", false, "the data folder of `sonet up`; empty: depends on the account that runs it")

SETTING_INT(export_days, "EXPORT_DAYS", 7, 1, 90, "days for which a member's data export is kept and its download link works")

SETTING_CHOICE(log_level, "LOG_LEVEL", "info", "debug|info|warn|error", "the lowest level that is logged")
SETTING_CHOICE(log_format, "LOG_FORMAT", "auto", "auto|text|json", "auto: text on a terminal, ECS JSON elsewhere")

SETTING_INT(workers, "WORKERS", 8, 1, 1024, "threads that handle client requests; each rank of services has half as many for gRPC calls")
SETTING_INT(search_deadline_ms, "SEARCH_DEADLINE_MS", 150, 10, 5000, "most milliseconds for finding and ranking the notes of a search; then the results so far are returned")
SETTING_INT(password_workers, "PASSWORD_WORKERS", 2, 1, 64, "threads that hash passwords")
SETTING_INT(queue_length, "QUEUE_LENGTH", 512, 0, 100000, "most requests waiting for a thread; beyond it 503")
SETTING_INT(streams_per_address, "STREAMS_PER_ADDRESS", 200, 1, 1000000, "most streams (GET /v1/stream) open at a time per address")
SETTING_INT(streams_per_member, "STREAMS_PER_MEMBER", 20, 1, 1000000, "most streams open at a time per member")
SETTING_INT(stream_channels, "STREAM_CHANNELS", 100, 1, 10000, "most channels per stream")
SETTING_INT(stream_unsent_bytes, "STREAM_UNSENT_BYTES", 262144, 16384, 33554432, "most bytes that a stream's client may leave unread, beyond the kernel's buffer; after a second above it, or at four times as much, the stream is closed")
SETTING_INT(max_body_bytes, "MAX_BODY_BYTES", 65536, 1024, 67108864, "the largest request body; beyond it 413")
SETTING_STRING(spool_dir, "SPOOL_DIR", "", false, "the folder for incoming bodies, which are kept as unnamed files; empty: a folder in the data folder, or TMPDIR, or /var/tmp")
SETTING_INT(spool_bytes, "SPOOL_BYTES", 4294967296, 1048576, 1099511627776, "bytes of incoming bodies in SPOOL_DIR, in total; beyond it 503. One address may use a quarter; TRUSTED_PROXIES are exempt")
SETTING_INT(spool_files, "SPOOL_FILES", 128, 1, 100000, "incoming bodies in SPOOL_DIR at a time; beyond it 503. One address may use a quarter; TRUSTED_PROXIES are exempt")
SETTING_INT(answer_files, "ANSWER_FILES", 512, 4, 100000, "files being sent to clients at a time; beyond it 503. One address may use a quarter; TRUSTED_PROXIES are exempt")
SETTING_INT(spool_free_bytes, "SPOOL_FREE_BYTES", 268435456, 0, 1099511627776, "bytes to leave free on the disk of SPOOL_DIR; below it 503")
SETTING_INT(shutdown_grace_ms, "SHUTDOWN_GRACE_MS", 10000, 0, 600000, "how long shutting down waits for running requests")

SETTING_BOOL(rate_limits, "SONET_RATE_LIMITS", true, "off is accepted on loopback only")
SETTING_INT(rate_read, "RATE_READ", 1200, 1, 10000000, "most reads per member per minute")
SETTING_INT(rate_write, "RATE_WRITE", 300, 1, 10000000, "most writes per member per minute")
SETTING_INT(rate_auth, "RATE_AUTH", 20, 1, 10000000, "most registrations and log-ins per address per minute")
SETTING_INT(rate_failures, "RATE_FAILURES", 600, 1, 10000000, "most requests with an invalid access token per address per minute; beyond it only tokens issued by SoNet are checked")
SETTING_STRING(cors_origins, "CORS_ORIGINS", "*", false, "origins that browsers may call from: *, a comma-separated list, or none")

SETTING_STRING(media_dir, "MEDIA_DIR", "", false, "the folder for media; empty: a folder in the data folder of `sonet up`; without `sonet up` no media are accepted")
SETTING_STRING(media_store, "MEDIA_STORE", "", false, "s3://BUCKET: keep media there instead of in MEDIA_DIR")
SETTING_STRING(media_s3_endpoint, "MEDIA_S3_ENDPOINT", "", false, "the endpoint of that bucket: https://HOST, or http://HOST:PORT; object URLs are ENDPOINT/BUCKET/KEY")
SETTING_STRING(media_s3_region, "MEDIA_S3_REGION", "us-east-1", false, "the region of that bucket")
SETTING_STRING(media_s3_keys, "MEDIA_S3_KEYS", "", true, "ACCESS_KEY:SECRET_KEY of that bucket")
SETTING_INT(media_quota_bytes, "MEDIA_QUOTA_BYTES", 5368709120, 0, 1099511627776, "storage quota for the media of one member, counting the originals")
SETTING_INT(media_pending, "MEDIA_PENDING", 200, 1, 100000, "most media of one member waiting to be processed")
SETTING_BOOL(media_process, "MEDIA_PROCESS", true, "process media in the process that receives them; off: only `sonet serve media-worker` does")
SETTING_INT(media_workers, "MEDIA_WORKERS", 0, 0, 64, "pictures that one process processes at a time; 0: half of the processors, four at most")
SETTING_STRING(media_decoders, "MEDIA_DECODERS", "h264,hevc,vp8,vp9,libdav1d,mpeg4,aac,mp3float,opus,vorbis,flac,alac", false,
               "the FFmpeg decoders allowed for video and audio; empty: no video or audio is accepted")
SETTING_INT(media_film_s, "MEDIA_FILM_S", 900, 10, 14400, "how long processing a video or an audio file may take")
SETTING_INT(media_video_s, "MEDIA_VIDEO_S", 600, 1, 14400, "the longest video accepted, in seconds")
SETTING_INT(media_audio_s, "MEDIA_AUDIO_S", 3600, 1, 14400, "the longest audio file accepted, in seconds")
SETTING_INT(media_side, "MEDIA_SIDE", 4096, 16, 8192, "the longest side of a video accepted, in pixels")
SETTING_INT(media_video_side, "MEDIA_VIDEO_SIDE", 1280, 16, 4096, "the longest side of a processed video, in pixels")
SETTING_BOOL(media_avif, "MEDIA_AVIF", true, "also make the smaller pictures as AVIF, if libvips can: a third fewer bytes to send, for twice the processor time")
SETTING_INT(media_file_bytes, "MEDIA_FILE_BYTES", 1073741824, 1024, 1073741824, "the largest media file")

SETTING_INT(note_cache_bytes, "NOTE_CACHE_BYTES", 58720256, 0, 1099511627776, "memory for cached notes, with their JSON in processes that answer with it")
SETTING_CHOICE(registration, "REGISTRATION", "open", "open|approval|invite|closed", "who may register: anyone; anyone, subject to approval by a moderator; people with an invite; nobody")
SETTING_INT(member_invites, "MEMBER_INVITES", 0, 0, 1000, "how many people a member may invite in 30 days; 0: only moderators and `sonet admin invite` do")
SETTING_INT(session_days, "SESSION_DAYS", 365, 1, 36500, "days after which a session ends even if it is in use; unused, it ends after 60")
SETTING_INT(account_grace_days, "ACCOUNT_GRACE_DAYS", 14, 0, 365, "days after which a deleted account is erased; until then logging in restores it")
SETTING_INT(user_cache_bytes, "USER_CACHE_BYTES", 16777216, 0, 1099511627776, "memory for cached members")
SETTING_INT(timeline_cache_bytes, "TIMELINE_CACHE_BYTES", 4194304, 0, 1099511627776, "memory for the readers' data that timelines cache")
SETTING_INT(home_memory_bytes, "HOME_MEMORY_BYTES", 16777216, 0, 1099511627776, "memory for home timelines, in the process that delivers to them: about 10 KiB per reader; the others are read from Redis")
SETTING_INT(fanout_max, "FANOUT_MAX", 10000, 1, 10000, "most followers to whom a note is delivered; notes of members with more are fetched on reading")
SETTING_INT(follow_cache_bytes, "FOLLOW_CACHE_BYTES", 16777216, 0, 1099511627776, "memory for cached relationships")
SETTING_INT(analytics_min_group, "ANALYTICS_MIN_GROUP", 5, 1, 1000, "the smallest group of people that an analytics figure may describe")
SETTING_INT(analytics_keep_months, "ANALYTICS_KEEP_MONTHS", 13, 2, 120, "months for which analytics events are kept; then their partitions are dropped")
SETTING_STRING(analytics_dir, "ANALYTICS_DIR", "", false, "the folder where accepted analytics events wait for the database, one per installation; empty: a folder in SPOOL_DIR")
SETTING_INT(analytics_journal_bytes, "ANALYTICS_JOURNAL_BYTES", 268435456, 1048576, 1099511627776, "most bytes waiting in ANALYTICS_DIR; beyond it events are answered with 503")
/* clang-format on */

#undef SETTING_STRING
#undef SETTING_INT
#undef SETTING_BOOL
#undef SETTING_CHOICE
