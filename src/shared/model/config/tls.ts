import { z } from 'zod';

const file = (description: string) =>
  z
    .string({ error: 'must be a path' })
    .min(1, { error: 'must not be empty' })
    .optional()
    .meta({ description, unit: 'path', fallback: 'none' });

/** Certificates of the controller; the flags --tls-ca, --tls-cert and --tls-key go before these. */
export const tlsField = z
  .strictObject(
    {
      ca: file('The links are encrypted, and agents need a certificate of this authority (PEM)'),
      cert: file("The controller's own certificate (PEM), for agents that want one"),
      key: file('Its private key (PEM, without a passphrase), readable by nobody else'),
    },
    { error: 'must be a mapping' },
  )
  .optional();
