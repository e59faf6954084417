package suites

// differing has the schemas that cannot be loaded and the tests that the checker decides otherwise, by name, with the reason.
var differing = map[string]string{
	"additionalItems: additionalItems as schema":                                             noTuples,
	"additionalItems: items is schema, no additionalItems":                                   noTuples,
	"additionalItems: array of items with no additionalItems":                                noTuples,
	"additionalItems: additionalItems as false without items":                                noTuples,
	"additionalItems: additionalItems are allowed by default":                                noTuples,
	"items: an array of schemas for items":                                                   noTuples,
	"ref: relative pointer ref to array":                                                     noTuples,
	"dependencies: dependencies":                                                             noDependencies,
	"dependencies: multiple dependencies":                                                    noDependencies,
	"dependencies: multiple dependencies subschema":                                          noDependencies,
	"patternProperties: multiple simultaneous patternProperties are validated":               noPatterns,
	"patternProperties: patternProperties validates properties matching a regex":             noPatterns,
	"patternProperties: regexes are not anchored by default and are case sensitive":          noPatterns,
	"properties: properties, patternProperties, additionalProperties interaction":            noPatterns,
	"additionalProperties: additionalProperties being false does not allow other properties": noPatterns,
	"definitions: valid definition":                                                          noRemote,
	"definitions: invalid definition":                                                        noRemote,
	"ref: remote ref, containing refs itself":                                                noRemote,
	"refRemote: remote ref":                                                                  noRemote,
	"refRemote: fragment within remote ref":                                                  noRemote,
	"refRemote: ref within remote ref":                                                       noRemote,
	"ref: Recursive references between schemas":                                              noID,
	"refRemote: base URI change":                                                             noID,
	"refRemote: base URI change - change folder":                                             noID,
	"refRemote: base URI change - change folder in subschema":                                noID,
	"refRemote: root ref in remote ref":                                                      noID,
	"ref: escaped pointer ref":                                                               "the schema has keywords of its own, which OpenAPI 3.0 does not have",

	"optional/ecmascript-regex: ECMA 262 regex non-compliance: ECMA 262 has no support for \\Z anchor from .NET":                                                        "the format regex is not checked",
	"optional/zeroTerminatedFloats: some languages do not distinguish between different types of numeric value: a float is not an integer even without fractional part": "1.0 is an integer, as from draft 6 on, with a note",
}

const (
	noTuples       = "OpenAPI 3.0 has one schema for all items"
	noDependencies = "OpenAPI 3.0 has no dependencies"
	noPatterns     = "OpenAPI 3.0 has no patternProperties"
	noRemote       = "no URL is fetched"
	noID           = "OpenAPI 3.0 has no id, which changes the base of references"
)
