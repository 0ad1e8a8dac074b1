type Field = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';

/** By time zone: making one takes longer than all else here, and every line of a log has a time. */
const formats = new Map<string | undefined, Intl.DateTimeFormat>();

function formatOf(timeZone: string | undefined): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    const two = '2-digit';
    format = new Intl.DateTimeFormat('en-GB', {
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
      hourCycle: 'h23',
      ...(timeZone === undefined ? {} : { timeZone }),
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** Calendar fields, two digits each and four for the year, of an instant on the wall clock; local time by default. */
export function calendar(unixMs: number, timeZone?: string): Readonly<Record<Field, string>> {
  const format = formatOf(timeZone);
  const parts = new Map(format.formatToParts(unixMs).map((part) => [part.type, part.value]));
  const pick = (field: Field): string => parts.get(field) ?? '';
  return {
    year: pick('year'),
    month: pick('month'),
    day: pick('day'),
    hour: pick('hour'),
    minute: pick('minute'),
    second: pick('second'),
  };
}

/** `2026-11-21T14:22:33Z` */
export function isoTime(unixMs: number): string {
  const at = calendar(unixMs, 'UTC');
  return `${at.year}-${at.month}-${at.day}T${at.hour}:${at.minute}:${at.second}Z`;
}

/** `20261121-142233`, local time. */
export function fileTime(unixMs: number): string {
  const at = calendar(unixMs);
  return `${at.year}${at.month}${at.day}-${at.hour}${at.minute}${at.second}`;
}

/** `14:22:33 UTC`: as agents say when a run took them. */
export function clockTime(unixMs: number): string {
  const at = calendar(unixMs, 'UTC');
  return `${at.hour}:${at.minute}:${at.second} UTC`;
}
