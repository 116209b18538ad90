import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { UsageError } from '../../../protocol/errors.ts';
import { planAddition } from './add-project.ts';
import { COOKIE_RULE, isCookie, isProjectName, PROJECT_RULE, projectNameOf } from './names.ts';
import { DEFAULT_TEMPLATE, type Options, type Template } from './options.ts';
import { parsePackageJson, withKeys } from './package-json.ts';
import { type PackageManager, packageManagerOf } from './package-manager.ts';
import { additionText, nextSteps, nextStepsOfAddition } from './render.ts';
import { type Choices, newProject } from './templates.ts';
import { writeFiles } from './write.ts';

/** What is asked of the user. Each answer is valid. */
export interface Questions {
  /** @param proposed the answer when nothing is typed. */
  readonly text: (
    message: string,
    proposed: string,
    problemWith: (text: string) => string | undefined,
  ) => Promise<string>;
  readonly template: () => Promise<Template>;
  readonly confirm: (message: string) => Promise<boolean>;
}

/** What the program has around it. */
export interface Surroundings {
  /** The current folder. */
  readonly folder: string;
  /** `npm_config_user_agent`. */
  readonly userAgent: string | undefined;
  /** Null when nothing can be asked. */
  readonly questions: Questions | null;
  readonly say: (text: string) => void;
  /** Runs the command of a package manager. @returns whether it has succeeded. */
  readonly install: (command: string, folder: string) => Promise<boolean>;
}

/** Does what the options say. @throws UsageError when it can't; then nothing was changed. */
export function create(options: Options, around: Surroundings): Promise<void> {
  return options.add ? addToRepository(options, around) : makeProject(options, around);
}

async function makeProject(options: Options, around: Surroundings): Promise<void> {
  const asked = options.yes ? null : around.questions;
  const name = options.name ?? (await asked?.text('Name', 'my-fleet', problemWithName));
  if (name === undefined)
    throw new UsageError('name the project, which is also its folder: npm create hotcast my-fleet');
  const folder = join(around.folder, name);
  if (existsSync(folder) && !statSync(folder).isDirectory()) throw new UsageError(`${name} exists and is not a folder`);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError(`${name} exists and is not empty; in the folder of a repository: npm create hotcast -- --add`);
  }
  const packageManager = packageManagerOf(around.userAgent, []);
  const choices = await choose(name, packageManager, options, asked);
  const { files, packageJson } = newProject(choices);
  writeFiles(folder, [...files, { path: 'package.json', text: `${JSON.stringify(packageJson, null, 2)}\n` }]);
  await install(folder, options, packageManager, around);
  around.say(nextSteps(choices, options.install));
}

async function addToRepository(options: Options, around: Surroundings): Promise<void> {
  const { folder, questions, say } = around;
  const path = join(folder, 'package.json');
  if (!existsSync(path))
    throw new UsageError('--add needs a package.json here: run it in the folder of the repository');
  const text = readFileSync(path, 'utf8');
  const packageJson = parsePackageJson(text);
  const asked = options.yes ? null : questions;
  if (asked === null && !options.yes)
    throw new UsageError('--add asks before it changes a repository; without a terminal: --yes');
  const packageManager = packageManagerOf(around.userAgent, readdirSync(folder));
  const choices = await choose(projectNameOf(packageJson.name ?? folder), packageManager, options, asked);
  const plan = planAddition(folder, packageJson, choices);
  say(additionText(plan));
  if (plan.files.length + plan.keys.length === 0) return;
  if (asked !== null && !(await asked.confirm('Make these changes?'))) return say('Nothing was changed.');
  writeFiles(folder, plan.files);
  if (plan.keys.length > 0) writeFileSync(path, withKeys(text, plan.keys));
  await install(folder, options, packageManager, around);
  say(nextStepsOfAddition(choices, options.install, plan.byHand));
}

async function choose(
  name: string,
  packageManager: PackageManager,
  { cookie, template }: Options,
  asked: Questions | null,
): Promise<Choices> {
  return {
    name,
    packageManager,
    cookie: cookie ?? (await asked?.text("Cookie, the cluster's name and address", name, problemWithCookie)) ?? name,
    template: template ?? (await asked?.template()) ?? DEFAULT_TEMPLATE,
  };
}

async function install(
  folder: string,
  options: Options,
  { install: command }: PackageManager,
  around: Surroundings,
): Promise<void> {
  if (!options.install) return;
  if (await around.install(command, folder)) return;
  throw new UsageError(`all files are written, but \`${command}\` failed; run it again in ${folder}`);
}

const problemWithName = (text: string) => (isProjectName(text) ? undefined : `a name is ${PROJECT_RULE}`);
const problemWithCookie = (text: string) => (isCookie(text) ? undefined : `a cookie is ${COOKIE_RULE}`);
