// Checks the two bodies of an exchange n times with ajv, and prints the nanoseconds. Standard input is JSON: the spec, the
// places of the two schemas in it, the texts of the two bodies, whether they are valid, and n.
import { readFileSync } from "node:fs";
import Ajv from "ajv";
import addFormats from "ajv-formats";

const { spec, places, bodies, valid, n } = JSON.parse(readFileSync(0));
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: "spec", ...spec });
const validate = places.map((place) => ajv.compile({ $ref: `spec#${place}` }));
const run = (n) => {
  for (let i = 0; i < n; i++) {
    const results = bodies.map((body, side) => validate[side](JSON.parse(body)));
    if (results.every(Boolean) !== valid) throw new Error(JSON.stringify(validate.map((v) => v.errors)));
  }
};
run(20000); // until it is compiled
const start = process.hrtime.bigint();
run(n);
console.log(String(process.hrtime.bigint() - start));
