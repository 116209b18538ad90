/** The node of this part, its module, and the subject of the service beside it. */
export const COOKIE = 'dino';
export const NODE = 'fred';
export const MODULE = 'callee';
export const SERVICE = 'add';
