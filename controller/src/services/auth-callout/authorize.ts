import { encodeAuthorizationResponse, encodeUser, type KeyPair } from '@nats-io/jwt';
import * as v from 'valibot';

import { nodeNameOf } from '../../../../protocol/names.ts';
import { isSignedBy } from './nkey.ts';
import type { PublicKeys } from '../keygen/make-keys.ts';
import { nodePermissions } from '../../nats-auth/permissions.ts';

/** What NATS says of a client that wants to connect, as far as it matters here. */
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

export type Application = v.InferOutput<typeof connectRequestSchema>;

/** Who asks to be let in: what NATS says of the client, and how its address is called. */
export interface ConnectRequest {
  readonly request: Application;
  /** The name of the container with the client's address, as Docker's DNS has it; null when it has none. */
  readonly host: string | null;
}

/**
 * Answers NATS's question (ADR-26) whether a client may connect: a node, which shows the key of its cookie's nodes, and then
 * only as the node that runs at its address. So no node can speak as another one.
 *
 * @returns the answer for NATS, signed permissions or a refusal, and the name of whom it lets in.
 */
export async function authorize(
  { request, host }: ConnectRequest,
  clusters: readonly PublicKeys[],
  issuer: KeyPair,
): Promise<{ readonly token: string; readonly name: string | null }> {
  const { user_nkey: user, server_id: server } = request;
  const cookie = provenCookie(request, clusters);
  const container = /^hotcast-node ([0-9a-f]{6})/.exec(request.connect_opts.name ?? '')?.[1];
  if (cookie === null || container === undefined) {
    const refusal = { error: 'not the key of a node' };
    return { token: await encodeAuthorizationResponse(user, server.id, issuer, refusal, {}), name: null };
  }
  const name = nodeNameOf(host ?? `node-${container}x`);
  const { publish, subscribe } = nodePermissions(cookie, [name, `${name}-${container}`]);
  const permissions = { pub: { allow: [...publish] }, sub: { allow: [...subscribe] } };
  const jwt = await encodeUser(name, user, issuer, permissions, { aud: cookie });
  return { token: await encodeAuthorizationResponse(user, server.id, issuer, { jwt }, {}), name };
}

/** The cookie whose nodes' key the client has, as it proved by signing NATS's nonce with it. */
function provenCookie(
  { connect_opts: { nkey, sig }, client_info: { nonce } }: Application,
  clusters: readonly PublicKeys[],
): string | null {
  const cluster = clusters.find(({ users }) => users.node === nkey);
  if (cluster === undefined || nkey === undefined || sig === undefined || nonce === undefined) return null;
  return isSignedBy(nkey, Buffer.from(nonce), Buffer.from(sig, 'base64url')) ? cluster.cookie : null;
}
