"""Tests against `fleetio sandbox --rate-limit 2`, whose variables are in the environment: python3 -m unittest"""
import json
import os
import time
import unittest
import urllib.error
import urllib.request

KEYS = {"Authorization": "Token " + os.environ["FLEETIO_API_KEY"], "Account-Token": os.environ["FLEETIO_ACCOUNT_TOKEN"]}


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **KEYS}
    request = urllib.request.Request(os.environ["FLEETIO_BASE_URL"] + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers, json.loads(response.read() or "null")
    except urllib.error.HTTPError as response:
        return response.code, response.headers, None


class TestSandbox(unittest.TestCase):
    def test_lost_answer_and_rate_limit(self):
        call("POST", "/_sandbox/reset")
        call("PUT", "/_sandbox/clock", {"now": "2026-03-14T13:46:15Z"})
        call("POST", "/_sandbox/failures", {"failures": ["createFault: drop-after@next"]})
        fault = {"vehicle_id": 1, "code": "P0420"}
        with self.assertRaises(ConnectionError):
            call("POST", "/api/v1/faults", fault)
        self.assertEqual(["P0420"], [f["code"] for f in call("GET", "/_sandbox/faults")[2]["faults"]])

        self.assertEqual(201, call("POST", "/api/v1/faults", fault)[0])
        status, headers, _ = call("POST", "/api/v1/faults", fault)
        self.assertEqual((429, "45"), (status, headers["Retry-After"]))
        began = time.monotonic()
        call("POST", "/_sandbox/clock/advance", {"by": headers["Retry-After"] + "s"})
        self.assertEqual(201, call("POST", "/api/v1/faults", fault)[0])
        self.assertLess(time.monotonic() - began, 0.05)


if __name__ == "__main__":
    unittest.main()
