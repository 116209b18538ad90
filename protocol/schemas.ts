import * as v from 'valibot';

import { isModuleName, isNodeName, MODULE_RULE } from './names.ts';

/** Schemas of the fields that many messages share. */
export const moduleName = v.pipe(v.string(), v.check(isModuleName, `a module's name is ${MODULE_RULE}`));
export const nodeName = v.pipe(v.string(), v.check(isNodeName, 'not a node name'));
export const revision = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a revision is 64 hex digits'));
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
