import type { PackageCase } from '../package-case.ts';
import { DATABASES } from './databases.ts';
import { DOCUMENTS } from './documents.ts';
import { HTTP_CLIENTS } from './http-clients.ts';
import { OBSERVABILITY } from './observability.ts';
import { SECURITY } from './security.ts';
import { SERVERS } from './servers.ts';
import { SERVICES } from './services.ts';
import { UTILITIES } from './utilities.ts';
import { VALIDATION } from './validation.ts';

/** The cases by subject, in the order of docs/packages.md. */
export const SUBJECTS: Readonly<Record<string, readonly PackageCase[]>> = {
  Servers: SERVERS,
  'HTTP clients': HTTP_CLIENTS,
  'Databases and queues': DATABASES,
  Services: SERVICES,
  Validation: VALIDATION,
  Security: SECURITY,
  'Logs, metrics and traces': OBSERVABILITY,
  'Documents and formats': DOCUMENTS,
  Utilities: UTILITIES,
};

export const CASES: readonly PackageCase[] = Object.values(SUBJECTS).flat();
