// An outsider's client: @grpc/grpc-js and the .proto files, nothing of Hizo's
// own code. Creates a person, writes a record, reads it back in plain and as a
// mask, and is refused what does not exist.
//
// Environment: HIZO_ADDRESS, HIZO_CA, HIZO_CERT, HIZO_KEY (PEM files of a
// caller that may create people and read their profiles in plain) and
// optionally HIZO_PURPOSE. Prints "1 passed" or exits with an error.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const DEADLINE_MS = 10_000;
const protos = fileURLToPath(new URL('../../proto', import.meta.url));

function setting(name) {
  assert(process.env[name], `set ${name}`);
  return process.env[name];
}

const purpose = process.env.HIZO_PURPOSE ?? 'service_delivery';
const address = setting('HIZO_ADDRESS');
const credentials = grpc.credentials.createSsl(
    readFileSync(setting('HIZO_CA')), readFileSync(setting('HIZO_KEY')),
    readFileSync(setting('HIZO_CERT')));
const definition = protoLoader.loadSync(
    ['hizo/v1/subject.proto', 'hizo/v1/record.proto'],
    { includeDirs: [protos], keepCase: true, longs: String, enums: String, oneofs: true });
const { hizo } = grpc.loadPackageDefinition(definition);

const clients = [];
function connect(Service) {
  const client = new Service(address, credentials);
  clients.push(client);
  return (method, request) => promisify(client[method]).call(
      client, request, { deadline: Date.now() + DEADLINE_MS });
}
const subjects = connect(hizo.v1.SubjectService);
const records = connect(hizo.v1.RecordService);

const reading = () => ({ purpose });
const writing = () => ({ purpose, request_id: randomUUID() });
const text = (name, value) => ({ name, value: { text: value } });

function textsOf(record) {
  return Object.fromEntries(record.fields.map(
      (field) => [field.name, field.value.text]));
}

async function main() {
  const { subject } = await subjects('CreateSubject', {
    context: writing(),
    records: [{ record_class: 'profile', fields: [text('full_name', '佐藤 花子')] }],
  });
  assert.match(subject, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

  const put = await records('PutRecord', {
    context: writing(),
    subject,
    record: {
      record_class: 'profile',
      fields: [text('full_name', '佐藤 太郎'), text('company_name', 'Bücher & Söhne')],
    },
  });
  assert.notEqual(put.record.etag, '');

  const wanted = {
    context: reading(),
    subject,
    record_class: 'profile',
    read_mask: { paths: ['full_name', 'company_name'] },
  };
  const plain = await records('GetRecord', { ...wanted, view: 'VIEW_PLAIN' });
  assert.deepEqual(textsOf(plain.record),
                   { full_name: '佐藤 太郎', company_name: 'Bücher & Söhne' });
  assert.equal(plain.record.etag, put.record.etag);

  const masked = await records('GetRecord', wanted);
  assert(masked.record.fields.every((field) => field.masked));
  assert.notEqual(textsOf(masked.record).full_name, '佐藤 太郎');

  await assert.rejects(
      records('GetRecord', { ...wanted, subject: randomUUID() }),
      (error) => error.code === grpc.status.NOT_FOUND);
}

try {
  await main();
  console.log('1 passed');
} finally {
  clients.forEach((client) => client.close());
}
