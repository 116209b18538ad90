import 'reflect-metadata';
import { Container, inject, injectable } from 'inversify';

@injectable()
class Engine {
  readonly power = 42;
}

@injectable()
class Car {
  readonly #engine: Engine;

  constructor(@inject(Engine) engine: Engine) {
    this.#engine = engine;
  }

  get power(): number {
    return this.#engine.power;
  }
}

export function check() {
  const container = new Container();
  container.bind(Engine).toSelf().inSingletonScope();
  container.bind(Car).toSelf();
  return [container.get(Car).power, container.get(Engine) === container.get(Engine)];
}
