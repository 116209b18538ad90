import 'reflect-metadata';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
class User {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  name!: string;
}

/** Runs on sql.js, which typeorm requires by name when it is needed. */
export async function check() {
  const source = await new DataSource({ type: 'sqljs', entities: [User], synchronize: true }).initialize();
  const users = source.getRepository(User);
  await users.save([{ name: 'Ada' }, { name: 'Grace' }]);
  const found = await users.find({ order: { name: 'DESC' } });
  await source.destroy();
  return found.map(({ id, name }) => [id, name]);
}
