import sharp from 'sharp';

export async function check() {
  const { data, info } = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
    .resize(2)
    .png()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, isPng: data.toString('latin1', 1, 4) === 'PNG' };
}
