import 'reflect-metadata';
import { container, inject, injectable, singleton } from 'tsyringe';

@singleton()
class Clock {
  readonly now = '12:00';
}

/** The class of the parameter comes from the metadata that the compiler writes. */
@injectable()
class Greeter {
  constructor(
    private readonly clock: Clock,
    @inject('greeting') private readonly greeting: string,
  ) {}

  greet(): string {
    return `${this.greeting}, it is ${this.clock.now}`;
  }
}

export function check() {
  const child = container.createChildContainer();
  child.register('greeting', { useValue: 'Hello' });
  return child.resolve(Greeter).greet();
}
