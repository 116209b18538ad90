import protobuf from 'protobufjs';

const { root } = protobuf.parse('syntax = "proto3"; message User { string name = 1; repeated int64 visits = 2; }');
const User = root.lookupType('User');

export function check() {
  const bytes = User.encode(User.create({ name: 'Ada', visits: [1, 300] })).finish();
  return { hex: Buffer.from(bytes).toString('hex'), user: User.toObject(User.decode(bytes), { longs: String }) };
}
