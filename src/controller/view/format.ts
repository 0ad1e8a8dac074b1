/** Numbers as people read them, in few and plain characters (a Windows console must show them). */
import { grouped } from '../../shared/model/units.js';

/** `812 ns`, `4.21 us`, `1.02 ms`, `3.40 s`, `2m05s`; `-80.0 us` where clocks are uncertain. */
export function duration(ns: number): string {
  if (ns < 0) return `-${duration(-ns)}`;
  if (ns < 1000) return `${String(Math.round(ns))} ns`;
  if (ns < 999.5e3) return `${three(ns / 1e3)} us`;
  if (ns < 999.5e6) return `${three(ns / 1e6)} ms`;
  if (ns < 60e9) return `${three(ns / 1e9)} s`;
  return clock(ns / 1e9);
}

/** `5.003 s`: to the millisecond, to tell the first from the last. */
export function instant(seconds: number): string {
  return `${seconds.toFixed(3)} s`;
}

/** `0m07s`, `12m03s`, `2h05m00s`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = `m${two(whole % 60)}s`;
  return hours > 0 ? `${String(hours)}h${two(minutes)}${rest}` : `${String(minutes)}${rest}`;
}

/** `17`, `9 481`, `1.20 M`: exact below a million. */
export function count(value: number): string {
  if (value < 999_999.5) return grouped(Math.round(value));
  return scaled(value, 1000, ['', 'k', 'M', 'G', 'T', 'P']);
}

/** `0.35`, `17.2`, `9 481`, `1.20 M` */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0';
  return perSecond < 99.95 ? three(perSecond) : count(perSecond);
}

/** `512 B`, `4.00 KiB`, `1.17 GiB` */
export function bytes(value: number): string {
  if (value < 999.5) return `${String(Math.round(value))} B`;
  return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']);
}

/** `96.7 %`, and `100 %` only for all. */
export function percent(share: number): string {
  if (share >= 1) return '100 %';
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

/** A part of a whole beside the other parts: rounded, so that they come to 100 % as nearly as one digit can. */
export function part(share: number): string {
  return share >= 1 ? '100 %' : `${(share * 100).toFixed(1)} %`;
}

/** Of what was planned; null: a stage without a duration was finished by nobody. */
export function hostSeconds(ratio: number | null): string {
  if (ratio === null) return 'planned host-seconds not known (a stage has no duration)';
  return `${percent(ratio)} of planned host-seconds`;
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  // 999.5 would be printed with four digits.
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= step;
    unit += 1;
  }
  return `${three(rest)} ${units[unit] ?? ''}`.trimEnd();
}

function three(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
