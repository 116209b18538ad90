import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { withHttpServer } from './support/http-server.ts';

export function check() {
  const objects = new Map<string, string>();
  return withHttpServer(
    async (request, response) => {
      const path = (request.url ?? '').replace(/\?.*/, '');
      if (request.method === 'PUT') objects.set(path, Buffer.concat(await request.toArray()).toString());
      const found = objects.get(path);
      if (found !== undefined) return void response.end(request.method === 'PUT' ? '' : found);
      response.writeHead(404, { 'content-type': 'application/xml' });
      return void response.end('<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>');
    },
    async endpoint => {
      const client = new S3Client({
        endpoint,
        region: 'eu-central-1',
        forcePathStyle: true,
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        requestChecksumCalculation: 'WHEN_REQUIRED',
      });
      await client.send(new PutObjectCommand({ Bucket: 'shop', Key: 'hello.txt', Body: 'hello' }));
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'shop', Key: 'hello.txt' }));
      const text = await Body?.transformToString();
      const missing: unknown = await client
        .send(new GetObjectCommand({ Bucket: 'shop', Key: 'none' }))
        .catch((error: unknown) => error);
      client.destroy();
      return { text, missing: missing instanceof NoSuchKey };
    },
  );
}
