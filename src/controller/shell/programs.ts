import { fileURLToPath } from 'node:url';

const bin = new URL('../../../../bin/', import.meta.url);

/** Paths of the two programs, for those who start them as processes. */
export const agentProgram = fileURLToPath(new URL('bench-agent.js', bin));
export const controllerProgram = fileURLToPath(new URL('bench-controller.js', bin));
