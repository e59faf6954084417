// Package suites runs the draft-4 tests of the JSON Schema Test Suite against the checker, as far as OpenAPI 3.0 can express
// them. It is a module of its own, so that importers of the project do not depend on the one that ships the tests.
package suites
