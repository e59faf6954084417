package report

// ruleHelp describes a violation of each rule.
var ruleHelp = map[string]string{
	"type":                 "The value is of another JSON type than the schema allows.",
	"nullable":             "The value is null, which the schema does not allow.",
	"enum":                 "The value is not in the enum of the schema.",
	"minimum":              "The number is below the minimum of the schema.",
	"exclusiveMinimum":     "The number is not above the exclusive minimum of the schema.",
	"maximum":              "The number is above the maximum of the schema.",
	"exclusiveMaximum":     "The number is not below the exclusive maximum of the schema.",
	"multipleOf":           "The number is not a multiple of the one in the schema.",
	"minLength":            "The string has fewer characters than the schema requires.",
	"maxLength":            "The string has more characters than the schema allows.",
	"pattern":              "The string does not match the pattern of the schema.",
	"format":               "The value does not have the format of the schema.",
	"minItems":             "The array has fewer items than the schema requires.",
	"maxItems":             "The array has more items than the schema allows.",
	"uniqueItems":          "The array has equal items.",
	"minProperties":        "The object has fewer properties than the schema requires.",
	"maxProperties":        "The object has more properties than the schema allows.",
	"required":             "A required property, parameter or header is missing.",
	"additionalProperties": "The object has a property that the schema forbids.",
	"discriminator":        "The discriminator property is missing, or selects none of the schemas.",
	"anyOf":                "The value is valid against none of the schemas below anyOf.",
	"oneOf":                "The value is valid against none, or more than one, of the schemas below oneOf.",
	"not":                  "The value is valid against the schema below not.",
	"readOnly":             "The request has a property that only responses should have.",
	"writeOnly":            "The response has a property that only requests may have.",

	"status":        "The status of the response is not in the spec.",
	"media-type":    "The media type of the body, or of a part of it, is not in the spec.",
	"body":          "The body is missing, or the spec documents none.",
	"json":          "The body or parameter is not one JSON value (RFC 8259).",
	"unicode":       "The body is not UTF-8, or has a lone surrogate (RFC 8259, section 8).",
	"duplicate-key": "An object has two properties with the same name, which parsers handle differently (RFC 8259, section 4).",
	"security":      "The server accepted a request without a required credential.",
	"multipart":     "The body is not multipart (RFC 2046, section 5.1).",
	"criterion":     "A criterion of x-criteria failed: a claim that a schema cannot express.",

	"style":           "The parameter of the path is not in its style: it lacks the prefix.",
	"allowEmptyValue": "The parameter has an empty value, which the spec does not allow.",

	"undocumented-property":  "The object has a property that is not in the spec.",
	"undocumented-header":    "The response has a header that is not in the spec.",
	"undocumented-parameter": "The query has a parameter that is not in the spec.",
	"portability":            "The value conforms, but many decoders reject it.",
	"rejected":               "The server rejected a request that satisfies the contract.",
	"server-error":           "The server failed (5xx) on a request that violates the contract, instead of rejecting it.",
}

// ruleHelpFor returns the description of a rule, also of one that this release does not have.
func ruleHelpFor(rule string) string {
	if help := ruleHelp[rule]; help != "" {
		return help
	}
	return "The traffic violates this rule."
}
