package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// violation is a schema keyword that a value breaks.
type violation struct {
	keyword  string
	pointer  string // into the instance
	spec     string // pointer of the keyword in the spec
	expected string
	found    any // the value, or a [plain] text about it
}

// schemaViolations asks kin-openapi, and puts its answer into our words: its messages hold schema and value.
func (c *Contract) schemaViolations(schema *openapi3.Schema, value any, direction openapi3.SchemaValidationOption) []violation {
	if schema == nil {
		return nil
	}
	err := schema.VisitJSON(kinValue(value), direction, openapi3.MultiErrors(), openapi3.EnableFormatValidation(), formatOptions)
	var result []violation
	c.collect(err, value, &result)
	slices.SortStableFunc(result, func(a, b violation) int {
		return cmp.Or(strings.Compare(a.pointer, b.pointer), strings.Compare(a.spec, b.spec))
	})
	return slices.CompactFunc(result, func(a, b violation) bool { return a.pointer == b.pointer && a.spec == b.spec })
}

func (c *Contract) collect(err error, root any, result *[]violation) {
	var many openapi3.MultiError
	var one *openapi3.SchemaError
	switch e := err.(type) {
	case nil:
	case openapi3.MultiError:
		for _, e := range e {
			c.collect(e, root, result)
		}
	case *openapi3.SchemaError:
		if e.SchemaField == "allOf" && errors.As(e.Origin, &many) {
			c.collect(many, root, result) // the claims inside are what is broken
			return
		}
		*result = append(*result, c.violation(e, root))
	default:
		if errors.As(err, &one) {
			c.collect(one, root, result)
			return
		}
		*result = append(*result, violation{keyword: "schema", expected: "a value that can be checked", found: plain(err.Error())})
	}
}

func (c *Contract) violation(e *openapi3.SchemaError, root any) violation {
	tokens := e.JSONPointer()
	value, present := lookup(root, tokens)
	v := violation{keyword: e.SchemaField, pointer: pointerOf(tokens...), found: plain("nothing")}
	if present {
		v.found = value
	}
	// kin-openapi checks enum before type and null; the more basic claim is the one that is broken.
	switch {
	case v.keyword == "enum" && value == nil && !e.Schema.Nullable:
		v.keyword = "nullable"
	case v.keyword == "enum" && !permits(e.Schema, value):
		v.keyword = "type"
	case v.keyword == "properties":
		v.keyword = "additionalProperties"
	}
	v.spec = c.places[e.Schema]
	switch v.keyword {
	case "required":
		missing := tokens[len(tokens)-1]
		v.spec += fmt.Sprintf("/required/%d", slices.Index(e.Schema.Required, missing))
	case "nullable":
		// Where the keyword is left out, it is the type that leaves no room for null.
		if c.source.node(v.spec+"/nullable") == nil && c.source.node(v.spec+"/type") != nil {
			v.spec += "/type"
		} else {
			v.spec += "/nullable"
		}
	default:
		v.spec += pointerOf(v.keyword)
	}
	v.expected = expectation(v.keyword, e)
	if text, ok := value.(string); ok && (v.keyword == "maxLength" || v.keyword == "minLength") {
		v.found = plain(strconv.Itoa(utf8.RuneCountInString(text)))
	}
	return v
}

// permits reports whether a schema's type has room for a value.
func permits(s *openapi3.Schema, value any) bool {
	switch value.(type) {
	case string:
		return s.Type.Permits("string")
	case bool:
		return s.Type.Permits("boolean")
	case number:
		return s.Type.Permits("integer") || s.Type.Permits("number")
	case []any:
		return s.Type.Permits("array")
	case map[string]any:
		return s.Type.Permits("object")
	}
	return true
}

// expectation puts what a keyword claims into words.
func expectation(keyword string, e *openapi3.SchemaError) string {
	s := e.Schema
	switch keyword {
	case "type":
		return article(strings.Join(s.Type.Slice(), " or "))
	case "nullable":
		if types := s.Type.Slice(); len(types) > 0 {
			return article(strings.Join(types, " or ")) + ", not null"
		}
		return "not null"
	case "required":
		return "the member"
	case "enum":
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprint(v))
		}
		return "one of " + strings.Join(values, ", ")
	case "format":
		return "format " + s.Format
	case "minimum":
		return fmt.Sprintf("at least %v", *s.Min)
	case "maximum":
		return fmt.Sprintf("at most %v", *s.Max)
	case "minLength":
		return fmt.Sprintf("at least %d characters", s.MinLength)
	case "maxLength":
		return fmt.Sprintf("at most %d characters", *s.MaxLength)
	case "pattern":
		return "a match of " + s.Pattern
	case "additionalProperties":
		return "no other members"
	}
	// Of the rest kin-openapi's reason names the limit and no value.
	if e.Reason == "" {
		return "what " + keyword + " asks for"
	}
	return e.Reason
}

func article(noun string) string {
	if strings.HasPrefix(noun, "i") || strings.HasPrefix(noun, "o") || strings.HasPrefix(noun, "a") {
		return "an " + noun
	}
	return "a " + noun
}

// kinValue copies a value for kin-openapi, whose numbers are float64. It keeps integers beyond int64 beyond it, which
// the nearest float64 would not be.
func kinValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		members := make(map[string]any, len(v))
		for name, member := range v {
			members[name] = kinValue(member)
		}
		return members
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = kinValue(item)
		}
		return items
	case number:
		f, _ := v.Float64() // beyond float64 it is an infinity
		if _, err := v.Int64(); err != nil {
			switch f {
			case math.MaxInt64:
				f = math.Nextafter(f, math.Inf(1))
			case math.MinInt64:
				f = math.Nextafter(f, math.Inf(-1))
			}
		}
		return max(-math.MaxFloat64, min(math.MaxFloat64, f))
	}
	return value
}
