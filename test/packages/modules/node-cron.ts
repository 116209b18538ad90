import cron from 'node-cron';

const data = import.meta.hot.dataOf({ ticks: 0 });
let onTick = (): void => undefined;
const task = cron.schedule('* * * * * *', () => {
  data.ticks++;
  onTick();
});
import.meta.hot.dispose(() => task.stop());

export async function check() {
  await new Promise<void>(resolve => (onTick = resolve));
  return { ticked: data.ticks > 0, valid: [cron.validate('*/5 * * * *'), cron.validate('61 * * * *')] };
}
