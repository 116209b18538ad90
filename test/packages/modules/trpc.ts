import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { initTRPC, TRPCError } from '@trpc/server';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { z } from 'zod';

// The example "minimal" of trpc. The node serves it under /trpc/.
const t = initTRPC.create();
const users = [{ id: 1, name: 'Ada' }];
const router = t.router({
  userList: t.procedure.query(() => users),
  userById: t.procedure.input(z.number()).query(({ input }) => {
    const user = users.find(({ id }) => id === input);
    if (user === undefined) throw new TRPCError({ code: 'NOT_FOUND', message: `no user ${input}` });
    return user;
  }),
});

export default {
  fetch: (req: Request): Promise<Response> => fetchRequestHandler({ endpoint: '/', req, router }),
};

export async function check() {
  const client = createTRPCClient<typeof router>({ links: [httpBatchLink({ url: 'http://127.0.0.1:8080/trpc' })] });
  const [all, one] = await Promise.all([client.userList.query(), client.userById.query(1)]);
  const error: unknown = await client.userById.query(7).catch((reason: unknown) => reason);
  return [all, one, error instanceof Error ? error.message : null];
}
