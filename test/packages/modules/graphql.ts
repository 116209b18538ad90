import { graphql, GraphQLObjectType, GraphQLSchema, GraphQLString, printSchema } from 'graphql';

const args = { name: { type: GraphQLString } };
const resolve = (_: unknown, { name }: { name?: string }): string => `Hello ${name ?? 'world'}`;
const query = new GraphQLObjectType({ name: 'Query', fields: { hello: { type: GraphQLString, args, resolve } } });
export const schema = new GraphQLSchema({ query });

export async function check() {
  const { data } = await graphql({ schema, source: '{ hello(name: "Ada") }' });
  const { errors } = await graphql({ schema, source: '{ goodbye }' });
  return { hello: data?.['hello'], errors: errors?.length, printed: printSchema(schema).split('\n').length };
}
