import { createServer } from 'node:net';
import { createTransport } from 'nodemailer';
import { listenWhile } from './support/listen-while.ts';

export function check() {
  const received: string[] = [];
  const server = createServer(socket => {
    let isMail = false;
    let input = '';
    socket.write('220 hello\r\n');
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (input + text).split('\r\n');
      input = lines.pop() ?? '';
      for (const line of lines) {
        if (isMail) {
          received.push(line);
          isMail = line !== '.';
          if (!isMail) socket.write('250 queued\r\n');
        } else if (line === 'DATA') {
          isMail = true;
          socket.write('354 go on\r\n');
        } else socket.write(line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      }
    });
  });
  return listenWhile(server, async port => {
    const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
    const attachments = [{ filename: 'a.txt', content: Buffer.from('attached') }];
    const { accepted } = await transport.sendMail({
      from: 'a@b.c',
      to: 'ada@b.c',
      subject: 'Hot ü',
      text: 'hi',
      attachments,
    });
    transport.close();
    return {
      accepted,
      subject: received.find(line => line.startsWith('Subject:')),
      attached: received.includes('YXR0YWNoZWQ='),
    };
  });
}
