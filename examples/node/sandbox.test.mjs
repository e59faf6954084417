// Tests against `fleetio sandbox --rate-limit 2`, whose variables are in the environment: node --test
import assert from "node:assert/strict";
import test from "node:test";

const { FLEETIO_BASE_URL: url, FLEETIO_API_KEY: key, FLEETIO_ACCOUNT_TOKEN: token } = process.env;
const headers = { "Content-Type": "application/json", Authorization: `Token ${key}`, "Account-Token": token };
const call = (method, path, body) => fetch(url + path, { method, headers, body: body && JSON.stringify(body) });

test("lost answer and rate limit", async () => {
  await call("POST", "/_sandbox/reset");
  await call("PUT", "/_sandbox/clock", { now: "2026-03-14T13:46:15Z" });
  await call("POST", "/_sandbox/failures", { failures: ["createFault: drop-after@next"] });
  const create = () => call("POST", "/api/v1/faults", { vehicle_id: 1, code: "P0420" });
  await assert.rejects(create());
  const { faults } = await (await call("GET", "/_sandbox/faults")).json();
  assert.deepEqual(faults.map((fault) => fault.code), ["P0420"]);

  assert.equal((await create()).status, 201);
  const limited = await create();
  assert.equal(limited.status, 429);
  const began = performance.now();
  await call("POST", "/_sandbox/clock/advance", { by: `${limited.headers.get("Retry-After")}s` });
  assert.equal((await create()).status, 201);
  assert.ok(performance.now() - began < 50);
});
