// Checks the import rules in .dependency-cruiser.cjs: `node dist/test/architecture/check-imports.js`.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, format, type ICruiseResult } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';

export const repositoryRoot = path.resolve(import.meta.dirname, '../../..');

export const rulesFile = path.join(repositoryRoot, '.dependency-cruiser.cjs');

export interface ImportCheck {
  ok: boolean;
  modules: number;
  brokenRules: string[];
  report: string;
}

/** Cruises `src` under `root` with the repository's rules. Nothing to check is not a success. */
export async function checkImports(root: string): Promise<ImportCheck> {
  const options = await extractOptions(rulesFile);
  const { output } = await cruise(['src'], { ...options, baseDir: root });
  const result = output as ICruiseResult;
  const modules = result.modules.filter((module) => module.source.startsWith('src/')).length;
  const brokenRules = result.summary.violations.map((violation) => violation.rule.name);
  if (modules === 0) return { ok: false, modules, brokenRules, report: 'No module was checked.' };
  const report = (await format(result, { outputType: 'err-long' })).output as string;
  return { ok: brokenRules.length === 0, modules, brokenRules, report: report.trim() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ok, report } = await checkImports(repositoryRoot);
  console.log(report);
  process.exitCode = ok ? 0 : 1;
}
