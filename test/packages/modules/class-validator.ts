import 'reflect-metadata';
import { plainToInstance, Type } from 'class-transformer';
import { IsEmail, Min, MinLength, validate, ValidateNested } from 'class-validator';

class Address {
  @IsEmail()
  mail!: string;
}

class User {
  @MinLength(2)
  name!: string;

  @Min(0)
  age!: number;

  @ValidateNested()
  @Type(() => Address)
  address!: Address;
}

export async function check() {
  const user = plainToInstance(User, { name: 'A', age: 36, address: { mail: 'nowhere' } });
  const errors = await validate(user);
  return { errors: errors.map(({ property }) => property), nested: user.address instanceof Address };
}
