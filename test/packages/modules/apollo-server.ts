import { ApolloServer } from '@apollo/server';

const server = new ApolloServer({
  typeDefs: 'type Query { books: [Book!]! } type Book { title: String! }',
  resolvers: { Query: { books: () => [{ title: 'The Art of Hot Loading' }] } },
});
import.meta.hot.dispose(() => server.stop());

export async function check() {
  const { body } = await server.executeOperation({ query: '{ books { title } }' });
  return body.kind === 'single' ? JSON.parse(JSON.stringify(body.singleResult)) : null;
}
