import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { repositoryRoot } from './check-imports.js';

// As tests, so that one report covers everything: a wrong comma does not hide a broken test.
describe('npm run', () => {
  for (const script of ['format:check', 'lint', 'knip']) {
    test(`${script} finds nothing`, () => npmRun(script));
  }
});

function npmRun(script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('npm', ['run', '-s', script], { cwd: repositoryRoot }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`npm run ${script}\n\n${stdout}\n${stderr}`));
    });
  });
}
