import Stripe from 'stripe';
import { withHttpServer } from './support/http-server.ts';

export function check() {
  return withHttpServer(
    async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ id: 'cus_1', object: 'customer', description: body }));
    },
    async url => {
      const { port } = new URL(url);
      const stripe = new Stripe('sk_test_1', { host: '127.0.0.1', port, protocol: 'http', telemetry: false });
      const { id, description } = await stripe.customers.create({ name: 'Ada', metadata: { plan: 'pro' } });
      const payload = '{"id":"evt_1","object":"event"}';
      const signature = stripe.webhooks.generateTestHeaderString({ payload, secret: 'whsec_1' });
      return { id, description, event: stripe.webhooks.constructEvent(payload, signature, 'whsec_1').id };
    },
  );
}
