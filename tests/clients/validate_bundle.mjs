// Validates profile.json and every line of the series in the current folder by
// profile.schema.json, and consents.json by its own, with ajv. The argument is the root of the repository.
import {createRequire} from 'node:module';
import {readdirSync, readFileSync} from 'node:fs';

const require = createRequire(process.argv[2] + '/');
const Ajv2020 = require('ajv/dist/2020').default;

const ajv = new Ajv2020({strict: true, allErrors: true});
const schema = JSON.parse(readFileSync('profile.schema.json', 'utf8'));
const profile = ajv.compile(schema);
const record = ajv.getSchema(schema.$id + '#/$defs/record');

function check(validate, value, what) {
  if (validate(value)) return;
  console.error(what, validate.errors[0]);
  process.exit(1);
}

check(profile, JSON.parse(readFileSync('profile.json', 'utf8')), 'profile');
const consents =
    ajv.compile(JSON.parse(readFileSync('consents.schema.json', 'utf8')));
check(consents, JSON.parse(readFileSync('consents.json', 'utf8')), 'consents');
let lines = 0;
for (const name of readdirSync('.')) {
  if (!name.endsWith('.ndjson') || name.startsWith('access-history-')) continue;
  for (const line of readFileSync(name, 'utf8').split('\n')) {
    if (line === '') continue;
    check(record, JSON.parse(line), name);
    ++lines;
  }
}
console.log(`valid: 1 profile, ${lines} records`);
