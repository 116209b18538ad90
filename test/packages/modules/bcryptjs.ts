import bcrypt from 'bcryptjs';

export async function check() {
  const hash = await bcrypt.hash('secret', 4);
  return [await bcrypt.compare('secret', hash), bcrypt.compareSync('wrong', hash), bcrypt.getRounds(hash)];
}
