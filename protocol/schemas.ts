import * as v from 'valibot';

import { isModuleName, isNodeName, MODULE_RULE } from './names.ts';

/** Schemas of the fields that many messages share. */
export const moduleName = v.pipe(v.string(), v.check(isModuleName, `a module's name is ${MODULE_RULE}`));
export const nodeName = v.pipe(v.string(), v.check(isNodeName, 'not a node name'));
export const revision = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a revision is 64 hex digits'));
/** The header of https://www.w3.org/TR/trace-context/: where something is in a trace. */
export const traceparent = v.pipe(v.string(), v.regex(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/));
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
