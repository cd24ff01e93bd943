// Reads lines of {"schema", "data": [...]} from the file of the first argument and prints for each what Ajv says of every value; null where Ajv
// itself fails.
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';

function ask(validate, value) {
  try {
    return validate(value);
  } catch {
    return null;
  }
}

for (const line of readFileSync(process.argv[2], 'utf8').split('\n')) {
  if (!line) continue;
  const { schema, data } = JSON.parse(line);
  const validate = new Ajv2020({ strict: false, validateFormats: false, logger: false }).compile(schema);
  console.log(JSON.stringify(data.map((value) => ask(validate, value))));
}
