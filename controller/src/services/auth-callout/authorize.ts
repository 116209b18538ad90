import { encodeAuthorizationResponse, encodeUser, type KeyPair } from '@nats-io/jwt';
import * as v from 'valibot';

import { nodePermissions } from '../../nats-auth/permissions.ts';
import type { PublicKeys } from '../../nats-auth/public-keys.ts';
import { isSignedBy } from './nkey.ts';
import type { NameNode } from './node-names.ts';

/** The fields of NATS's authorization request that matter here. */
export const connectRequestSchema = v.object({
  user_nkey: v.string(),
  server_id: v.object({ id: v.string() }),
  client_info: v.object({ host: v.string(), nonce: v.optional(v.string()) }),
  connect_opts: v.object({
    nkey: v.optional(v.string()),
    sig: v.optional(v.string()),
    name: v.optional(v.string()),
  }),
});

type AuthorizationRequest = v.InferOutput<typeof connectRequestSchema>;

/** A client that wants to connect, and what decides the name of a node. */
export interface ConnectRequest {
  readonly request: AuthorizationRequest;
  readonly nameNode: NameNode;
}

/** The answer for NATS: signed permissions or a refusal. */
export type Admission =
  | { readonly status: 'admitted'; readonly token: string; readonly name: string }
  | { readonly status: 'refused'; readonly token: string; readonly detail: string };

/**
 * Answers NATS's authorization request (ADR-26). A client is admitted when it has the key of its cookie's nodes, and only
 * with the permissions of the node that runs at its address. So no node can speak as another one.
 */
export async function authorize(
  { request, nameNode }: ConnectRequest,
  clusters: readonly PublicKeys[],
  issuer: KeyPair,
): Promise<Admission> {
  const { user_nkey: user, server_id: server } = request;
  const answer = (content: { jwt: string } | { error: string }): Promise<string> =>
    encodeAuthorizationResponse(user, server.id, issuer, content, {});
  const refuse = async (detail: string): Promise<Admission> => {
    return { status: 'refused', token: await answer({ error: detail }), detail };
  };
  const cookie = provenCookie(request, clusters);
  const container = /^hotcast-node ([0-9a-f]{6})/.exec(request.connect_opts.name ?? '')?.[1];
  if (cookie === null || container === undefined) return refuse('not the key of a node');
  const naming = await nameNode({ cookie, address: request.client_info.host, container });
  if (naming.status === 'refused') return refuse(naming.detail);
  const { name } = naming;
  const { publish, subscribe } = nodePermissions(cookie, [name, `${name}-${container}`]);
  const permissions = { pub: { allow: [...publish] }, sub: { allow: [...subscribe] } };
  const jwt = await encodeUser(name, user, issuer, permissions, { aud: cookie });
  return { status: 'admitted', token: await answer({ jwt }), name };
}

/** The cookie of the client's key; null when the client has not signed NATS's nonce with the key of a cookie's nodes. */
function provenCookie(
  { connect_opts: { nkey, sig }, client_info: { nonce } }: AuthorizationRequest,
  clusters: readonly PublicKeys[],
): string | null {
  const cluster = clusters.find(({ users }) => users.node === nkey);
  if (cluster === undefined || nkey === undefined || sig === undefined || nonce === undefined) return null;
  return isSignedBy(nkey, Buffer.from(nonce), Buffer.from(sig, 'base64url')) ? cluster.cookie : null;
}
