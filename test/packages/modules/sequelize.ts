import { DataTypes, Sequelize } from 'sequelize';
import { withPostgres } from './support/fake-postgres.ts';

export function check() {
  return withPostgres(async port => {
    // Without the version it asks the server, and the types do not know the option.
    const version = { databaseVersion: '17.0.0' };
    const server = { dialect: 'postgres' as const, host: '127.0.0.1', port, logging: false };
    const sequelize = new Sequelize('shop', 'ada', '', { ...server, ...version });
    const User = sequelize.define('user', { name: { type: DataTypes.STRING, validate: { len: [2, 20] } } });
    const refused = await User.build({ name: 'A' })
      .validate()
      .catch((error: unknown) => String(error));
    const [rows] = await sequelize.query('select * from users where name = :name', {
      replacements: { name: "O'Hara" },
    });
    await sequelize.close();
    return { refused, rows };
  });
}
