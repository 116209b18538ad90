/** The part of NATS's `max_payload` that is kept free for headers, in bytes. */
export const HEADER_BYTES = 64 * 1024;

/** The largest packed bundle that is sent, in bytes: NATS advises a `max_payload` of 8 MiB at most. */
export const MAX_BUNDLE_BYTES = 8 * 1024 * 1024 - HEADER_BYTES;

/** The largest bundle after unpacking, in bytes. A node refuses a larger one. */
export const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/** The largest part of a packed archive of a package that is one record, in bytes. */
export const ARCHIVE_CHUNK_BYTES = 4 * 1024 * 1024;

/** The largest archive of a package before it is packed, in bytes. */
export const MAX_ARCHIVE_BYTES = 256 * 1024 * 1024;

/** The largest value that a call can return, in bytes of JSON. */
export const MAX_VALUE_BYTES = 1024 * 1024;

/** The largest request to a node without a signature, in bytes of JSON: a call, or the digest of all heads. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** The maximum number of modules on a node, and of heads that are committed together. */
export const MAX_MODULES = 1_000;

/** The longest name of a function that can be called. */
export const MAX_FUNCTION_NAME = 200;

/** The deepest property of an export that can be called. */
export const MAX_FUNCTION_PATH = 16;

/** The number of newest heads, and of different revisions, that the history of a module keeps. */
export const HISTORY_LENGTH = 16;

/** The number of messages that the stream takes on one subject. The history is collected long before it has so many heads. */
export const MAX_MESSAGES_PER_SUBJECT = 4_096;

/** The interval of a node's heartbeats, and of the controller's digests (milliseconds). */
export const HEARTBEAT_INTERVAL = 2_000;

/** The longest interval of heartbeats that a controller can ask for, in a large fleet (milliseconds). */
export const MAX_HEARTBEAT_INTERVAL = 60_000;

/** A node is absent after so many missed heartbeats. */
export const MISSED_HEARTBEATS = 3;

/** The time after which a node is absent, at the default interval (milliseconds). */
export const HEARTBEAT_TIMEOUT = MISSED_HEARTBEATS * HEARTBEAT_INTERVAL;
