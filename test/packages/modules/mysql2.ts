import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import mysql from 'mysql2';
import { createConnection } from 'mysql2/promise';

/** mysql2 has a server too. */
export async function check() {
  const server = mysql.createServer(connection => {
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.4.0',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xff_f7_ff & ~(1 << 11) & ~(1 << 5),
    });
    connection.on('error', () => connection.close());
    connection.on('query', (sql: string) => {
      Object.assign(connection, { sequenceId: 1 });
      const column = { catalog: 'def', schema: '', name: 'sql', orgName: 'sql', table: '', orgTable: '' };
      const type = { characterSet: 33, columnLength: 255, columnType: 253, flags: 0, decimals: 0 };
      Reflect.apply(Reflect.get(connection, 'writeTextResult'), connection, [[{ sql }], [{ ...column, ...type }]]);
    });
  });
  const listener = Reflect.get(server, '_server') as Server;
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  try {
    const client = await createConnection({ host: '127.0.0.1', port, user: 'ada' });
    const [rows] = await client.query('select ? + ?', [1, 'Ada']);
    client.destroy();
    return JSON.parse(JSON.stringify(rows)) as unknown;
  } finally {
    listener.close();
  }
}
