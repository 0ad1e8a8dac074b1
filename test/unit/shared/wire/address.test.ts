import assert from 'node:assert/strict';
import test from 'node:test';
import { MusterError } from '../../../../src/shared/kernel/errors.js';
import {
  formatAddress,
  parseAgentAddresses,
  parseListenAddress,
} from '../../../../src/shared/wire/address.js';

test('[LINK-13] every form of an agent address means what it says', () => {
  const forms: Readonly<Record<string, readonly string[]>> = {
    node1: ['node1:7761'],
    'node1:8000': ['node1:8000'],
    '10.0.0.7': ['10.0.0.7:7761'],
    '[::1]': ['[::1]:7761'],
    '[fe80::1%eth0]:8000': ['[fe80::1%eth0]:8000'],
    ':7761': ['localhost:7761'],
    'grpc://node1': ['node1:7761'],
    'grpc://node1:8000/': ['node1:8000'],
    'GRPC://node1': ['node1:7761'],
    'dns:///node1.lab': ['node1.lab:7761'],
    'node[01-03]:8000': ['node01:8000', 'node02:8000', 'node03:8000'],
    'node[9-11]': ['node9:7761', 'node10:7761', 'node11:7761'],
    'node[01-02,07]': ['node01:7761', 'node02:7761', 'node07:7761'],
    'node[4]': ['node4:7761'],
    'rack[1-2]-node[08,10].lab': [
      'rack1-node08.lab:7761',
      'rack1-node10.lab:7761',
      'rack2-node08.lab:7761',
      'rack2-node10.lab:7761',
    ],
    'grpc://10.0.0.[1-2]': ['10.0.0.1:7761', '10.0.0.2:7761'],
    ' node1 ': ['node1:7761'],
  };
  for (const [text, expected] of Object.entries(forms)) {
    assert.deepEqual(parseAgentAddresses(text).map(formatAddress), expected, text);
  }
});

test('[LINK-13] a written address is the same after being read again', () => {
  for (const text of ['node1:7761', '[::1]:8000', '10.0.0.7:1', 'node_2.lab:65535']) {
    assert.deepEqual(parseAgentAddresses(text).map(formatAddress), [text]);
  }
});

test('[LINK-13] what is not an agent address is refused with the reason in one sentence', () => {
  const refusals: Readonly<Record<string, RegExp>> = {
    'http://node1:7761': /agents speak gRPC, not HTTP\.$/,
    'https://node1/': /agents speak gRPC, not HTTP\.$/,
    'ftp://node1': /no such thing as ftp:\/\//,
    'grpc://grpc://node1': /not an agent address/,
    'dns://8.8.8.8/node1': /a DNS server of its own/,
    '': /it is empty/,
    'node1:': /"" is not a port/,
    'node1:0': /port 0 cannot be dialled/,
    'node1:65536': /"65536" is not a port/,
    'node1:80x': /"80x" is not a port/,
    'node1:7761:7761': /more than one port/,
    'fe80::1': /an IPv6 address stands in brackets/,
    '[::1': /its bracket is not closed/,
    'node[1-3:7761': /"node\[1-3" is not a host name/,
    '[node1]:7761': /\[node1\] is not an IPv6 address/,
    'no de': /"no de" is not a host name/,
    'root@node1': /"root@node1" is not a host name/,
    'node1/x': /"node1\/x" is not a host name/,
    'node[3-1]': /runs backwards/,
    'node[1-]': /not a range/,
    'node[0-99999]': /more than 4096 addresses/,
    'node[0-99][0-99]': /more than 4096 addresses/,
  };
  for (const [text, message] of Object.entries(refusals)) {
    assert.throws(
      () => parseAgentAddresses(text),
      (error) => {
        assert.ok(error instanceof MusterError, text);
        assert.match(error.message, message);
        assert.equal(error.exitCode, 2);
        assert.ok(error.hint);
        return true;
      },
    );
  }
});

test('[LINK-13] :port, a bare port and an address are what an agent can listen on', () => {
  const forms = {
    ':7761': { host: undefined, port: 7761 },
    '7762': { host: undefined, port: 7762 },
    ':0': { host: undefined, port: 0 },
    '127.0.0.1:0': { host: '127.0.0.1', port: 0 },
    '[::]:7761': { host: '::', port: 7761 },
    localhost: { host: 'localhost', port: 7761 },
  };
  for (const [text, expected] of Object.entries(forms)) {
    assert.deepEqual(parseListenAddress(text), expected, text);
  }
});

test('[LINK-13] what cannot be listened on is refused as that, with an address that could be', () => {
  const refusals: readonly (readonly [string, RegExp, RegExp])[] = [
    [
      '99999999',
      /^"99999999" is not an address to listen on: "99999999" is not a port \(0 to 65535\)\.$/,
      /^Write for example :9761, 10\.0\.0\.5:9761 or \[::1\]:9761\.$/,
    ],
    [':80x', /"80x" is not a port/, / :9761,/],
    ['http://:8080/metrics', /it is written without http:\/\/\.$/, / :8080,/],
    ['::1', /an IPv6 address stands in brackets/, / \[::1\]:9761,/],
    ['', /it is empty/, / :9761,/],
  ];
  for (const [text, message, hint] of refusals) {
    assert.throws(
      () => parseListenAddress(text, 9761),
      (error) => {
        assert.ok(error instanceof MusterError, text);
        assert.match(error.message, message);
        assert.match(error.hint ?? '', hint);
        return true;
      },
    );
  }
});
