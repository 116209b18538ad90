import { Counter, register } from 'prom-client';

// A metric is registered once a process: the next version of the module finds it.
const name = 'shop_orders_total';
const orders = (register.getSingleMetric(name) as Counter | undefined) ?? new Counter({ name, help: 'Orders' });

export async function check() {
  orders.reset();
  orders.inc(2);
  return (await register.getSingleMetricAsString(name)).split('\n');
}
