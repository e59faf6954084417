package report

// ruleHelp says for each rule of a finding what breaks it.
var ruleHelp = map[string]string{
	"type":                 "The value is of another JSON type than the schema allows.",
	"nullable":             "The value is null, which the schema does not allow.",
	"enum":                 "The value is none of those that the schema lists.",
	"minimum":              "The number is below the lowest that the schema allows.",
	"exclusiveMinimum":     "The number is not above the bound that the schema sets.",
	"maximum":              "The number is above the highest that the schema allows.",
	"exclusiveMaximum":     "The number is not below the bound that the schema sets.",
	"multipleOf":           "The number is no multiple of the one in the schema.",
	"minLength":            "The text has fewer characters than the schema asks for.",
	"maxLength":            "The text has more characters than the schema allows.",
	"pattern":              "The text does not match the regular expression of the schema.",
	"format":               "The value is not of the format that the schema names.",
	"minItems":             "The array has fewer items than the schema asks for.",
	"maxItems":             "The array has more items than the schema allows.",
	"uniqueItems":          "The array holds the same item twice.",
	"minProperties":        "The object has fewer members than the schema asks for.",
	"maxProperties":        "The object has more members than the schema allows.",
	"required":             "A member or a header that the spec requires is not there.",
	"additionalProperties": "The object has a member that the schema forbids.",
	"discriminator":        "The member that tells the variants apart names none of them.",
	"anyOf":                "The value fits none of the schemas of which it must fit one.",
	"oneOf":                "The value fits none, or more than one, of the schemas of which it must fit exactly one.",
	"not":                  "The value fits a schema that it must not fit.",
	"readOnly":             "A request holds a member that only answers may hold.",
	"writeOnly":            "An answer holds a member that only requests may hold.",

	"status":        "The answer has a status that the spec does not have.",
	"media-type":    "The body is not of a media type that the spec lists.",
	"body":          "There is no body where one is due, or one where none is.",
	"json":          "The body is not one JSON value (RFC 8259).",
	"unicode":       "A text in the body is not UTF-8, or holds half of a surrogate pair (RFC 8259, section 8).",
	"duplicate-key": "An object has two members of one name, which readers differ about (RFC 8259, section 4).",
	"security":      "A request was accepted that lacks a credential.",
	"criterion":     "A criterion of x-criteria does not hold, which is a claim that no schema can state.",

	"undocumented-property": "The object has a member that the spec does not mention.",
	"undocumented-header":   "The answer has a header that the spec does not mention.",
	"portability":           "The value conforms, and many decoders refuse it all the same.",
}

// helpFor returns the text of a rule, known or not.
func helpFor(rule string) string {
	if help := ruleHelp[rule]; help != "" {
		return help
	}
	return "The traffic does not agree with what the spec says by this rule."
}
