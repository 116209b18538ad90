import { createSchema, createYoga } from 'graphql-yoga';

// The example "hello-world" of graphql-yoga. The node serves it under /graphql-yoga/.
const yoga = createYoga({
  graphqlEndpoint: '/graphql',
  logging: false,
  schema: createSchema({
    typeDefs: 'type Query { hello(name: String!): String! } type Subscription { count(to: Int!): Int! }',
    resolvers: {
      Query: { hello: (_: unknown, { name }: { name: string }) => `Hello ${name}` },
      Subscription: {
        count: {
          subscribe: async function* (_: unknown, { to }: { to: number }) {
            for (let count = 1; count <= to; count++) yield { count };
          },
        },
      },
    },
  }),
});

export default { fetch: (request: Request): Response | Promise<Response> => yoga.fetch(request) };

export async function check() {
  const ask = (query: string, accept = 'application/json') =>
    fetch('http://127.0.0.1:8080/graphql-yoga/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query }),
    });
  const hello = await ask('{ hello(name: "Ada") }');
  const events = await (await ask('subscription { count(to: 3) }', 'text/event-stream')).text();
  return { hello: await hello.json(), counts: [...events.matchAll(/"count":(\d)/g)].map(([, count]) => Number(count)) };
}
