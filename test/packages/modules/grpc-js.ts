import { Client, credentials, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';

const text = { serialize: (value: string) => Buffer.from(value), deserialize: (bytes: Buffer) => bytes.toString() };
const service: ServiceDefinition = {
  shout: {
    path: '/demo.Echo/Shout',
    requestStream: false,
    responseStream: false,
    requestSerialize: text.serialize,
    requestDeserialize: text.deserialize,
    responseSerialize: text.serialize,
    responseDeserialize: text.deserialize,
  },
};

export async function check() {
  const server = new Server();
  server.addService(service, {
    shout: ({ request }: { request: string }, done: (error: null, value: string) => void) =>
      done(null, request.toUpperCase()),
  });
  const port = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, bound: number): void => (error ? reject(error) : resolve(bound));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), done);
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      client.makeUnaryRequest('/demo.Echo/Shout', text.serialize, text.deserialize, 'hello', (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
  } finally {
    client.close();
    server.forceShutdown();
  }
}
