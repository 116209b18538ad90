import { encodeAuthorizationResponse, encodeUser, type KeyPair } from '@nats-io/jwt';
import * as v from 'valibot';

import { operatorUser } from '../../../../protocol/operators/operator.ts';
import { nodePermissions, operatorPermissions, type Permissions } from '../../nats-auth/permissions.ts';
import type { PublicKeys } from '../../nats-auth/public-keys.ts';
import { isSignedBy } from '../../../../shared/nats/nkey.ts';
import type { NameNode } from './node-names.ts';
import { cookieOfOperator, type FindOperator } from './operators.ts';

/** The fields of NATS's authorization request that matter here. */
export const connectRequestSchema = v.object({
  user_nkey: v.string(),
  /** `name`: from its configuration, or else its id. */
  server_id: v.object({ id: v.string(), name: v.string() }),
  client_info: v.object({ host: v.string(), nonce: v.optional(v.string()) }),
  connect_opts: v.object({
    nkey: v.optional(v.string()),
    sig: v.optional(v.string()),
    name: v.optional(v.string()),
  }),
});

type AuthorizationRequest = v.InferOutput<typeof connectRequestSchema>;

/** A client that wants to connect, and what decides the name of a node, and who is an operator. */
export interface ConnectRequest {
  readonly request: AuthorizationRequest;
  readonly nameNode: NameNode;
  readonly findOperator: FindOperator;
}

/** NATS closes the connections of an operator that has expired so many seconds later: the controller ends its commands, with a line. */
const SECONDS_AFTER = 5;

/** The answer for NATS: signed permissions or a refusal. */
export type Admission =
  | { readonly status: 'admitted'; readonly token: string; readonly name: string }
  | { readonly status: 'refused'; readonly token: string; readonly detail: string };

/**
 * Answers NATS's authorization request (ADR-26). A client is admitted when it has the key of its cookie's nodes, and only
 * with the permissions of the node that runs at its address. So no node can speak as another one. Or it has the key of an operator,
 * and is admitted with the permissions of that one.
 */
export async function authorize(
  { request, nameNode, findOperator }: ConnectRequest,
  clusters: readonly PublicKeys[],
  issuer: KeyPair,
): Promise<Admission> {
  const { user_nkey: user, server_id: server } = request;
  const answer = (content: { jwt: string } | { error: string }): Promise<string> =>
    encodeAuthorizationResponse(user, server.id, issuer, content, {});
  const refuse = async (detail: string): Promise<Admission> => {
    return { status: 'refused', token: await answer({ error: detail }), detail };
  };
  const admit = async (
    name: string,
    cookie: string,
    { publish, subscribe }: Permissions,
    expiresAt: number | null = null,
  ): Promise<Admission> => {
    const permissions = { pub: { allow: [...publish] }, sub: { allow: [...subscribe] } };
    const end = expiresAt === null ? {} : { exp: Math.ceil(expiresAt / 1_000) + SECONDS_AFTER };
    const jwt = await encodeUser(name, user, issuer, permissions, { aud: cookie, ...end });
    return { status: 'admitted', token: await answer({ jwt }), name };
  };
  const { name: says = '', nkey: key } = request.connect_opts;
  const operatorsCookie = cookieOfOperator(says);
  if (operatorsCookie !== null) {
    const isKnown = clusters.some(({ cookie }) => cookie === operatorsCookie);
    if (key === undefined || !isKnown || !hasKey(request)) return refuse('not the key of an operator');
    const found = await findOperator(operatorsCookie, key);
    if (found.status === 'unavailable') return refuse(found.detail);
    if (found.status === 'unknown') return refuse('not the key of an operator');
    const permissions = operatorPermissions(operatorsCookie, found);
    return admit(operatorUser({ name: found.name, key }), operatorsCookie, permissions, found.expiresAt);
  }
  const cookie = clusters.find(({ users }) => users.node === key)?.cookie;
  const container = /^hotcast-node ([0-9a-f]{6})/.exec(says)?.[1];
  if (cookie === undefined || container === undefined || !hasKey(request)) return refuse('not the key of a node');
  const naming = await nameNode({ cookie, address: request.client_info.host, server: server.name, container });
  if (naming.status === 'refused') return refuse(naming.detail);
  const { name } = naming;
  return admit(name, cookie, nodePermissions(cookie, [name, `${name}-${container}`]));
}

/** Whether the client has signed NATS's nonce with the key that it shows. */
function hasKey({ connect_opts: { nkey, sig }, client_info: { nonce } }: AuthorizationRequest): boolean {
  if (nkey === undefined || sig === undefined || nonce === undefined) return false;
  return isSignedBy(nkey, Buffer.from(nonce), Buffer.from(sig, 'base64url'));
}
