/** Room for a message's headers within NATS's `max_payload`, in bytes. */
export const HEADER_BYTES = 64 * 1024;

/** The largest packed bundle that is sent, in bytes: NATS advises a `max_payload` of 8 MiB at most. */
export const MAX_BUNDLE_BYTES = 8 * 1024 * 1024 - HEADER_BYTES;

/** The largest bundle after unpacking, in bytes. A node refuses what grows past it. */
export const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/** The largest value that a call may return, in bytes of JSON. */
export const MAX_VALUE_BYTES = 1024 * 1024;

/** The largest request to a node that is not sealed, in bytes of JSON: a call's arguments, the digest of all heads. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** How many modules a node runs at most; so many heads can be committed together. */
export const MAX_MODULES = 1_000;

/** The longest name of a function that can be called. */
export const MAX_FUNCTION_NAME = 200;

/** How many heads of a module the stream keeps: its history. */
export const HISTORY_LENGTH = 16;

/** A node tells that it is there, and a controller what should run, this often (milliseconds). */
export const HEARTBEAT_INTERVAL = 2_000;

/** A controller may ask nodes of a large fleet to tell so less often, but at least this often (milliseconds). */
export const MAX_HEARTBEAT_INTERVAL = 60_000;

/** A node that should have been heard so many times is not present any more. */
export const MISSED_HEARTBEATS = 3;

/** How long that takes where it is not asked to tell less often (milliseconds). */
export const HEARTBEAT_TIMEOUT = MISSED_HEARTBEATS * HEARTBEAT_INTERVAL;
