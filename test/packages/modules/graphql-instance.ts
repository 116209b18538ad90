import { graphql } from 'graphql';
import { schema } from 'hot:graphql';

/** graphql refuses a schema that another copy of graphql made. */
export async function check() {
  const { data } = await graphql({ schema, source: '{ hello }' });
  return { ...data };
}
